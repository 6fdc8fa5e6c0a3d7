import { expect, test } from 'vitest';
import { normalQuantile } from '../../../core/math.ts';
import { normalCdf, studentQuantile, studentTwoSided } from '../../../sim/compare/distributions.ts';

test('normalCdf: tabulated values, into the tails', () => {
  expect(normalCdf(0)).toBe(0.5);
  expect(normalCdf(1.959963984540054)).toBeCloseTo(0.975, 14);
  expect(normalCdf(-3)).toBeCloseTo(0.0013498980316301, 14);
  // Abramowitz & Stegun, table 26.2: Q(6) = 9.8659e-10.
  expect(normalCdf(-6) / 9.86587645e-10).toBeCloseTo(1, 8);
  expect(normalCdf(40)).toBe(1);
});

test('normalCdf undoes normalQuantile', () => {
  for (const p of [1e-9, 0.001, 0.2, 0.5, 0.9, 0.999])
    expect(normalCdf(normalQuantile(p)) / p).toBeCloseTo(1, 9);
});

test('studentQuantile: the table of every textbook', () => {
  const table: [number, number][] = [
    [1, 12.7062],
    [2, 4.3027],
    [3, 3.1824],
    [5, 2.5706],
    [10, 2.2281],
    [19, 2.093],
    [30, 2.0423],
    [120, 1.9799],
  ];
  for (const [df, t] of table) {
    expect(studentQuantile(0.975, df)).toBeCloseTo(t, 3);
    expect(studentQuantile(0.025, df)).toBeCloseTo(-t, 3);
  }
  expect(studentQuantile(0.5, 7)).toBe(0);
});

test('studentTwoSided: closed forms for 1 and 2 degrees of freedom, the normal for many', () => {
  // df 1 is Cauchy: P(|T| > 1) = 1/2. df 2: 1 - t / sqrt(2 + t^2), at t = sqrt(2): 1 - 1/sqrt(2).
  expect(studentTwoSided(1, 1)).toBeCloseTo(0.5, 14);
  expect(studentTwoSided(Math.SQRT2, 2)).toBeCloseTo(1 - Math.SQRT1_2, 14);
  expect(studentTwoSided(-1.96, 100_000)).toBeCloseTo(2 * normalCdf(-1.96), 5);
  expect(studentTwoSided(0, 3)).toBe(1);
});
