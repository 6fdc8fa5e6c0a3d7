import { Rng } from '../../../core/rng.ts';

export const HOUR = 3_600_000;

/** Awkward series of n samples by name; nothing a model makes of them may be NaN, infinite or negative. */
export function awkward(n: number): Record<string, Float64Array> {
  return {
    constant: new Float64Array(n).fill(0.3),
    zero: new Float64Array(n),
    'one spike': Float64Array.from({ length: n }, (_, i) => (i === 40 ? 1 : 0)),
    'a step at the end': Float64Array.from({ length: n }, (_, i) => (i > n - 3 ? 1 : 0.01)),
    gaps: Float64Array.from({ length: n }, (_, i) =>
      i % 24 < 5 || i > n - 4 ? Number.NaN : 0.1 + (i % 24) / 48,
    ),
    'mostly lost': Float64Array.from({ length: n }, (_, i) =>
      i % 3 === 0 ? 0.1 + (i % 24) / 48 : Number.NaN,
    ),
    lost: new Float64Array(n).fill(Number.NaN),
    huge: Float64Array.from({ length: n }, (_, i) => 1e12 * (1 + (i % 24))),
  };
}

/** A day of 24 samples as a sine about .5, and noise; with `week`, the weekend at half. */
export function daily(n: number, noise: number, week = false): Float64Array {
  const rng = new Rng(1, 'daily');
  return Float64Array.from({ length: n }, (_, i) => clean(i, week) + noise * rng.normal());
}

export function clean(i: number, week = false): number {
  const base = 0.5 + 0.3 * Math.sin((2 * Math.PI * i) / 24);
  return week && Math.floor(i / 24) % 7 >= 5 ? base / 2 : base;
}
