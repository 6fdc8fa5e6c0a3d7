import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CostMatrix, NabSeries } from '../../../sim/nab/corpus.ts';
import {
  bestThreshold,
  normalise,
  probationaryLength,
  scaledSigmoid,
  scoreCorpus,
  scoreSeries,
  weighRows,
} from '../../../sim/nab/scorer.ts';

const STANDARD: CostMatrix = { tpWeight: 1, fpWeight: 0.11, fnWeight: 1 };

/** 20 rows at stamps 0, 10, ..., with one window over rows 10 to 14; rows 0 to 2 are probationary. */
const SERIES: NabSeries = {
  name: 'one.csv',
  timestamps: Float64Array.from({ length: 20 }, (_, i) => 10 * i),
  values: new Float64Array(20),
  windows: [[100, 140]],
};

function scoresAt(...rows: readonly [row: number, score: number][]): Float64Array {
  const scores = new Float64Array(20);
  for (const [row, score] of rows) scores[row] = score;
  return scores;
}

describe('the NAB scorer', () => {
  it('weighs positions by the scaled sigmoid of the benchmark', () => {
    // The values NAB's documentation gives: 2 / (1 + e^(5 y)) - 1.
    expect(scaledSigmoid(-1)).toBeCloseTo(0.98661, 5);
    expect(scaledSigmoid(-0.5)).toBeCloseTo(0.84828, 5);
    expect(scaledSigmoid(0)).toBe(0);
    expect(scaledSigmoid(1)).toBeCloseTo(-0.98661, 5);
    expect(scaledSigmoid(3)).toBe(-1);
  });

  it('leaves out 15 % of the rows, at most 750', () => {
    expect([20, 1127, 4032, 5000, 15_902].map(probationaryLength)).toEqual([3, 169, 604, 750, 750]);
  });

  it('gives each row its worth', () => {
    const { worth, window } = weighRows(SERIES, STANDARD);
    expect([...window]).toEqual([
      ...[-2, -2, -2],
      ...new Array(7).fill(-1),
      ...new Array(5).fill(0),
      ...new Array(5).fill(-1),
    ]);
    // Before any window a detection costs it all; at the left edge of one it is worth 1.
    expect(worth[5]).toBe(-0.11);
    expect(worth[10]).toBeCloseTo(1, 12);
    // Row 14 of 10..14: position -(14 - 14 + 1) / 5 = -0.2, (2 / (1 + 1/e) - 1) / 0.98661.
    expect(worth[14]).toBeCloseTo((2 / (1 + Math.exp(-1)) - 1) / 0.9866142981514303, 12);
    // Row 15: one row past the right edge, in windows' widths 1 / (5 - 1): 2 / (1 + e^1.25) - 1 = -0.5546.
    expect(worth[15]).toBeCloseTo(-0.5546 * 0.11, 5);
  });

  it('counts the best detection of a window once, and each one outside', () => {
    const rows = weighRows(SERIES, STANDARD);
    const scores = scoresAt([1, 9], [5, 0.9], [12, 0.8], [10, 0.7], [16, 0.2]);
    // At 0.8: row 5 costs 0.11; row 12 is at -(14 - 12 + 1) / 5 = -0.6: (2 / (1 + e^-3) - 1) / 0.98661 = 0.91743.
    const at = scoreSeries(rows, scores, 0.8, STANDARD);
    expect(at.score).toBeCloseTo(0.91743 - 0.11, 5);
    expect(at).toMatchObject({ windows: 1, detected: 1, falsePositives: 1 });
    // At 0.7 the earlier row 10 counts in place of row 12: 1 - 0.11, and that is best.
    const best = bestThreshold([rows], [scores], STANDARD);
    expect(best.threshold).toBe(0.7);
    expect(best.score).toBeCloseTo(0.89, 12);
  });

  it('puts silence at 0 and perfection at 100', () => {
    const silent = scoreCorpus([SERIES], [new Float64Array(20)], STANDARD);
    // At threshold 1.1 nothing is detected; at 0 everything is: 1 - 7 x 0.11 - 5 rows after, which is worse than
    // the best only if above -1. It is: 1 - 0.77 - 0.11 x (0.55 + 0.85 + 0.95 + 0.99 + 1.00) = -0.25.
    expect(silent.normalised).toBeCloseTo((100 * (-0.247 + 1)) / 2, 0);
    const perfect = scoreCorpus([SERIES], [scoresAt([10, 1])], STANDARD);
    expect(perfect).toMatchObject({ normalised: 100, threshold: 1 });
    expect(normalise(-3, 3, STANDARD)).toBe(0);
    expect(normalise(-6, 3, { ...STANDARD, fnWeight: 2 })).toBe(0);
  });

  it('finds a best score that its series add up to, and no threshold beats', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 20, maxLength: 20 }), (levels) => {
        const scores = Float64Array.from(levels, (level) => level / 5);
        const result = scoreCorpus([SERIES], [scores], STANDARD);
        expect(result.series[0]?.score).toBeCloseTo(result.raw, 9);
        const rows = weighRows(SERIES, STANDARD);
        for (const level of [0, 0.2, 0.4, 0.6, 0.8, 1, 1.1])
          expect(scoreSeries(rows, scores, level, STANDARD).score).toBeLessThanOrEqual(result.raw + 1e-9);
      }),
    );
  });
});
