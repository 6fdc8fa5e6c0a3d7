import { describe, expect, it } from 'vitest';
import { deviation, interquartileRange, overloaded, regressed } from '../../../sim/cluster/overload.ts';

const of = (...values: number[]) => Float64Array.from(values);

describe('overload detection', () => {
  it('quartiles are nearest ranks of (n + 1) q', () => {
    // n = 12: ranks round(3.25) = 3 and round(9.75) = 10 of 1..12.
    expect(interquartileRange(of(12, 1, 11, 2, 10, 3, 9, 4, 8, 5, 7, 6), 0, 12)).toBe(10 - 3);
    // n = 13: round(3.5) = 4 and round(10.5) = 11.
    expect(interquartileRange(of(13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1), 0, 13)).toBe(11 - 4);
  });

  it('median absolute deviation', () => {
    // Median 3; distances 2 1 0 1 97: median 1.
    expect(deviation(of(1, 2, 3, 4, 100), 0, 5)).toBe(1);
    // Median 2.5; distances 1.5 0.5 0.5 1.5: median 1.
    expect(deviation(of(9, 1, 2, 3, 4), 1, 4)).toBe(1);
  });

  it('the regression follows a line', () => {
    // Latest first: .5 now, .05 less each interval before; one interval ahead .55, two .6.
    const line = Float64Array.from({ length: 10 }, (_, i) => 0.5 - 0.05 * i);
    expect(regressed(line, 0, 1)).toBeCloseTo(0.55, 12);
    expect(regressed(line, 0, 2)).toBeCloseTo(0.6, 12);
  });

  it('falls back on a threshold of 0.7 until it has seen enough', () => {
    const short = new Float64Array(30).fill(0.5, 0, 9);
    for (const kind of ['iqr', 'mad', 'lr'] as const) {
      expect(overloaded({ kind, safety: 1 }, 0.69, short, 0, 30, 1)).toBe(false);
      expect(overloaded({ kind, safety: 1 }, 0.71, short, 0, 30, 1)).toBe(true);
    }
  });

  it('lowers the threshold by the spread of the load', () => {
    const steady = new Float64Array(30).fill(0.6);
    const wild = Float64Array.from({ length: 30 }, (_, i) => (i % 2 === 0 ? 0.5 : 0.7));
    // IQR of `wild` is 0.2, so 1 - 1.5 x 0.2 = 0.7; its deviation is 0.1, so 1 - 2.5 x 0.1 = 0.75.
    expect(overloaded({ kind: 'iqr', safety: 1.5 }, 0.71, steady, 0, 30, 1)).toBe(false);
    expect(overloaded({ kind: 'iqr', safety: 1.5 }, 0.71, wild, 0, 30, 1)).toBe(true);
    expect(overloaded({ kind: 'mad', safety: 2.5 }, 0.74, wild, 0, 30, 1)).toBe(false);
    expect(overloaded({ kind: 'mad', safety: 2.5 }, 0.76, wild, 0, 30, 1)).toBe(true);
  });

  it('the regression sees an overload before it comes', () => {
    const rising = Float64Array.from({ length: 30 }, (_, i) => Math.max(0, 0.8 - 0.05 * i));
    // 0.85 foreseen, x 1.2 = 1.02.
    expect(overloaded({ kind: 'lr', safety: 1.2 }, 0.8, rising, 0, 30, 1)).toBe(true);
    expect(overloaded({ kind: 'lr', safety: 1.1 }, 0.8, rising, 0, 30, 1)).toBe(false);
  });
});
