import { describe, expect, it } from 'vitest';
import { fastExp, keyOf, NORMAL, normalOf, tickKey, uniformOf } from '../../../sim/workload/random.ts';
import { correlation, deviation, mean } from './streams.ts';

describe('random numbers by name', () => {
  it('the table of normal values has mean 0, variance 1 and the quartiles of a normal', () => {
    const table = [...NORMAL];
    expect(mean(table)).toBeCloseTo(0, 12);
    expect(deviation(table)).toBeCloseTo(1, 12);
    expect(table[3072]! / 0.6745).toBeCloseTo(1, 2); // upper quartile of the standard normal
  });

  it('e^x to 1e-9 relative, clipped at 16', () => {
    for (let x = -15.9; x < 16; x += 0.0123) expect(fastExp(x) / Math.exp(x) - 1).toBeLessThan(1e-9);
    for (let x = -15.9; x < 16; x += 0.0123) expect(fastExp(x) / Math.exp(x) - 1).toBeGreaterThan(-1e-9);
    expect(fastExp(100)).toBe(fastExp(16));
    expect(fastExp(-100)).toBe(fastExp(-16));
  });

  it('draws are even, and differ by key, by purpose and by tick', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => keyOf(7, 'vm', `vm-${i}`));
    const u = keys.map((key) => uniformOf(key, 11));
    expect(mean(u)).toBeCloseTo(0.5, 2);
    // Standard deviation of a uniform number: 1 / sqrt(12) = 0.2887.
    expect(deviation(u)).toBeCloseTo(0.2887, 2);
    const z = keys.map((key) => normalOf(key, 11));
    expect(
      Math.abs(
        correlation(
          z,
          keys.map((key) => normalOf(key, 12)),
        ),
      ),
    ).toBeLessThan(0.03);
    expect(Math.abs(correlation(z, z, 1))).toBeLessThan(0.03);
    const over = keys.map((_, t) => normalOf(tickKey(t, 3), keys[0]!));
    expect(Math.abs(correlation(over, over, 1))).toBeLessThan(0.03);
  });
});
