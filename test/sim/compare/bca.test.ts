import { expect, test } from 'vitest';
import { Rng } from '../../../core/rng.ts';
import { acceleration, bcaInterval, bcaTwoSidedP, bootstrapped, quantile } from '../../../sim/compare/bca.ts';

// Efron & Tibshirani 1993, chapter 14: the spatial test data, first column, and its plug-in variance.
const SPATIAL = [
  48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6, 0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41,
];

function variance(x: readonly number[]): number {
  const mean = x.reduce((s, v) => s + v, 0) / x.length;
  return x.reduce((s, v) => s + (v - mean) ** 2, 0) / x.length;
}

function spatial(count: number) {
  const rng = new Rng(14, 'spatial');
  const replicates = new Float64Array(count);
  for (let b = 0; b < count; b++) replicates[b] = variance(SPATIAL.map(() => SPATIAL[rng.int(26)]!));
  const jackknife = Float64Array.from(SPATIAL, (_, i) => variance(SPATIAL.filter((_, j) => j !== i)));
  return bootstrapped(variance(SPATIAL), replicates, jackknife);
}

test('the spatial test data of Efron & Tibshirani: constants and 90 % endpoints of table 14.2', () => {
  const b = spatial(20_000);
  expect(b.estimate).toBeCloseTo(171.5, 1);
  expect(b.acceleration).toBeCloseTo(0.061, 3); // p. 186
  expect(b.bias).toBeCloseTo(0.146, 1); // 0.146 from the book's 2,000 resamples
  // The book's endpoints come from 2,000 resamples, which leaves them a standard error of about 2.
  const { low, high } = bcaInterval(b, 0.9); // (115.8, 259.6)
  expect(Math.abs(low - 115.8)).toBeLessThan(4.5);
  expect(Math.abs(high - 259.6)).toBeLessThan(4.5);
  expect(Math.abs(quantile(b.replicates, 0.05) - 100.8)).toBeLessThan(4.5); // percentile: (100.8, 233.9)
  expect(Math.abs(quantile(b.replicates, 0.95) - 233.9)).toBeLessThan(4.5);
});

test('quantile: the (n + 1) p-th, interpolated, kept inside', () => {
  const x = Float64Array.of(10, 20, 30, 40);
  expect(quantile(x, 0.4)).toBe(20); // 5 * 0.4 = the 2nd
  expect(quantile(x, 0.5)).toBe(25); // the 2.5th
  expect(quantile(x, 0.01)).toBe(10);
  expect(quantile(x, 0.99)).toBe(40);
});

test('acceleration: by hand', () => {
  // Mean 2; deviations mean - x = 2, -1, -1: squares 6, cubes 8 - 1 - 1 = 6; 6 / (6 * 6^1.5) = 1 / 6^1.5.
  expect(acceleration(Float64Array.of(0, 3, 3))).toBeCloseTo(1 / 6 ** 1.5, 15);
  expect(acceleration(Float64Array.of(1, 1, 1))).toBe(0);
});

test('p and interval agree: 0 lies on the edge of the interval of level 1 - p', () => {
  const rng = new Rng(3, 'edge');
  const replicates = Float64Array.from({ length: 4000 }, () => 1.8 + rng.normal() + 0.2 * rng.exponential(1));
  const b = bootstrapped(1.9, replicates, Float64Array.of(1.5, 1.9, 2.4, 1.8));
  const p = bcaTwoSidedP(b, 12);
  expect(p).toBeGreaterThan(0.01);
  expect(bcaInterval(b, 1 - p, 12).low).toBeCloseTo(0, 1);
});

test('p: certain where nothing varies, and not stuck at 2 / replicates', () => {
  const none = Float64Array.of(0, 0);
  expect(bcaTwoSidedP(bootstrapped(0, new Float64Array(50), none), 9)).toBe(1);
  expect(bcaTwoSidedP(bootstrapped(2, new Float64Array(50).fill(2), none), 9)).toBe(0);
  const rng = new Rng(4, 'far');
  const far = bootstrapped(
    12,
    Float64Array.from({ length: 500 }, () => 12 + rng.normal()),
    none,
  );
  expect(bcaTwoSidedP(far, 50)).toBeLessThan(1e-9);
});
