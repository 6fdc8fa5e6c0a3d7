import { expect, it } from 'vitest';
import { Durations } from '../../live/durations.ts';

it('tells quantiles within its bins of 2 %', () => {
  const durations = new Durations();
  expect(durations.quantile(0.5)).toBeNaN();
  for (let ms = 1; ms <= 100; ms++) durations.add(ms);
  // Nearest rank: the 50th and the 99th of 1..100.
  expect(durations.quantile(0.5) / 50).toBeGreaterThanOrEqual(1);
  expect(durations.quantile(0.5) / 50).toBeLessThan(1.02);
  expect(durations.quantile(0.99) / 99).toBeGreaterThanOrEqual(1);
  expect(durations.quantile(0.99) / 99).toBeLessThan(1.02);
});

it('takes any duration', () => {
  const durations = new Durations();
  durations.add(0);
  expect(durations.quantile(1)).toBe(0.01);
  durations.add(1e12);
  expect(durations.quantile(1)).toBeGreaterThan(3_600_000);
});
