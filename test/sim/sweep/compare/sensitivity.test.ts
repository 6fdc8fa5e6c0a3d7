import { describe, expect, it } from 'vitest';
import { Rng } from '../../../../core/rng.ts';
import { ranks, sensitivity } from '../../../../sim/sweep/compare/sensitivity.ts';

const exact = { exact: true, level: 0.95, seed: 1 };

describe('sensitivity', () => {
  it('is the share of the variance between the levels of a grid', () => {
    // y = a + b over a in {0, 1}, b in {0, 2}: 0, 2, 1, 3, repeated; mean 1.5, squares 2 x 5 = 10.
    // Means given a are 1 and 2: 8 x 0.25 = 2, a fifth. Given b 0.5 and 2.5: 8 x 1 = 8, four fifths.
    const a = [0, 0, 1, 1, 0, 0, 1, 1];
    const b = [0, 2, 0, 2, 0, 2, 0, 2];
    const y = a.map((x, i) => x + b[i]!);
    const ofA = sensitivity('a', 'm', a, y, exact)!;
    const ofB = sensitivity('b', 'm', b, y, exact)!;
    expect(ofA.share).toBeCloseTo(0.2, 12);
    expect(ofB.share).toBeCloseTo(0.8, 12);
    expect(ofB.low).toBeLessThan(0.8);
    expect(ofB.high).toBeGreaterThan(0.8);
    // Ranks of y are 1.5, 5.5, 3.5, 7.5 twice, of a 2.5 and 6.5: covariance 2 over sqrt(4 x 5) by position.
    expect(ofA.correlation).toBeCloseTo(2 / Math.sqrt(20), 12);
    expect(sensitivity('c', 'm', ['x', 'y', 'x', 'y'], [1, 2, 1, 2], exact)).toMatchObject({
      share: 1,
      correlation: null,
    });
  });

  it('says nothing of what does not vary', () => {
    expect(sensitivity('a', 'm', [1, 1, 1], [1, 2, 3], exact)).toBeUndefined();
    expect(sensitivity('a', 'm', [1, 2, 3, 1], [5, 5, 5, 5], exact)).toBeUndefined();
  });

  it('finds the axis that matters in a sample, and nothing in the one that does not', () => {
    const rng = new Rng(3, 'test');
    const a = Array.from({ length: 300 }, () => rng.uniform());
    const b = Array.from({ length: 300 }, () => rng.uniform());
    const y = a.map((x) => x * x);
    const sampled = { exact: false, level: 0.95, seed: 1 };
    expect(sensitivity('a', 'm', a, y, sampled)!.share).toBeGreaterThan(0.9);
    expect(sensitivity('a', 'm', a, y, sampled)!.correlation).toBeCloseTo(1, 12);
    const none = sensitivity('b', 'm', b, y, sampled)!;
    expect(none.share).toBeLessThan(0.05);
    expect(none.low).toBe(0);
  });

  it('gives ties their mean rank', () => {
    expect(ranks([3, 1, 3, 2])).toEqual([3.5, 1, 3.5, 2]);
  });
});
