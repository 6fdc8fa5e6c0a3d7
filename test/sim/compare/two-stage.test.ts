import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bootstrapRatio } from '../../../sim/compare/ratio.ts';
import {
  blockLength,
  dayStageVariance,
  resampleTwoStage,
  type VmDayMatrix,
} from '../../../sim/compare/two-stage.ts';

/** One array of rows a VM. */
function matrixOf(vms: readonly (readonly (readonly number[])[])[]): VmDayMatrix {
  const rows = vms.flat();
  let start = 0;
  return {
    vms: vms.length,
    starts: Int32Array.from([0, ...vms.map((vm) => (start += vm.length))]),
    columns: rows[0]!.length,
    values: Float64Array.from(rows.flat()),
  };
}

function sd(x: ArrayLike<number>): number {
  const values = Array.from(x);
  const mean = values.reduce((s, v) => s + v, 0) / values.length;
  return Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / (values.length - 1));
}

test('block length: the cube root of the days', () => {
  expect([1, 3, 4, 7, 15, 30, 64].map(blockLength)).toEqual([1, 1, 2, 2, 2, 3, 4]);
});

test('variance of the day stage, by hand', () => {
  // Blocks of 1: three draws of 1, 2, 3, each of variance 2/3.
  expect(dayStageVariance(matrixOf([[[0], [0], [0]]]), Float64Array.of(1, 2, 3))).toBeCloseTo(2, 14);
  // Blocks of 2 over 8 days: circular sums 1, 0, 0, 0, 0, 0, -1, 0; four draws of variance 2/8.
  const eight = matrixOf([Array.from({ length: 8 }, () => [0])]);
  expect(dayStageVariance(eight, Float64Array.of(1, 0, 0, 0, 0, 0, 0, -1))).toBeCloseTo(1, 14);
  // 5 days: two blocks of 2 and one day over. Sums of two: 1, 0, 0, 0, 1 less the mean 2/5 each: squares
  // 2 * 0.36 + 3 * 0.16 = 1.2. Single days: 1, 0, 0, 0, 0 less 1/5: squares 0.64 + 4 * 0.04 = 0.8.
  const five = matrixOf([Array.from({ length: 5 }, () => [0])]);
  expect(dayStageVariance(five, Float64Array.of(1, 0, 0, 0, 0))).toBeCloseTo((2 * 1.2 + 0.8) / 5, 14);
});

test('the day stage draws with the variance it is said to have', () => {
  const days = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3];
  const matrix = matrixOf([days.map((x) => [x])]);
  const { drawn } = resampleTwoStage(matrix, 20_000, 1);
  expect(sd(drawn) ** 2 / dayStageVariance(matrix, Float64Array.from(days))).toBeCloseTo(1, 1);
});

test('whole days: a column of ones always sums to the number of days', () => {
  const shape = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(shape, fc.integer(), (days, seed) => {
      const matrix = matrixOf(days.map((n) => Array.from({ length: n }, () => [1, 2])));
      const { drawn, ofVms } = resampleTwoStage(matrix, 5, seed);
      expect(drawn).toEqual(ofVms); // every day alike: choosing days changes nothing
      for (let b = 0; b < 5; b++) expect(drawn[2 * b + 1]).toBe(2 * drawn[2 * b]!);
    }),
  );
});

test('the same seed draws the same, another seed does not', () => {
  const matrix = matrixOf([
    [[1], [2]],
    [[3], [5]],
    [[8], [13]],
  ]);
  expect(resampleTwoStage(matrix, 20, 5)).toEqual(resampleTwoStage(matrix, 20, 5));
  expect(resampleTwoStage(matrix, 20, 5)).not.toEqual(resampleTwoStage(matrix, 20, 6));
});

test('mouse data of Efron & Tibshirani, table 2.2: standard error of the treated mean 23.36', () => {
  const mice = [94, 197, 16, 38, 99, 141, 23];
  const { drawn } = resampleTwoStage(matrixOf(mice.map((x) => [[x]])), 20_000, 1);
  expect(sd(drawn.map((sum) => sum / 7))).toBeCloseTo(23.36, 0);
});

test('patch data of Efron & Tibshirani, 10.3: ratio of sums -0.0713, standard error 0.105', () => {
  const z = [8406, 2342, 8187, 8459, 4795, 3516, 4796, 10_238];
  const y = [-1200, 2601, -2705, 1982, -1290, 351, -638, -2719];
  const matrix = matrixOf(y.map((v, i) => [[v, z[i]!]]));
  const b = bootstrapRatio(matrix, resampleTwoStage(matrix, 20_000, 1), 0, 1)!;
  expect(b.estimate).toBeCloseTo(-0.0713, 4);
  // Theirs leaves out n / (n - 1), which is in ours.
  expect(b.error * Math.sqrt(7 / 8)).toBeCloseTo(0.105, 2);
});

test('no denominator, no ratio', () => {
  const matrix = matrixOf([[[1, 0]], [[2, 0]]]);
  expect(bootstrapRatio(matrix, resampleTwoStage(matrix, 10, 1), 0, 1)).toBeNull();
});

test('two stages together: the variance of VM residuals, whichever stage the noise comes from', () => {
  // VMs alike on average, noisy by day: the day stage alone must not be added to the same noise seen in means.
  const noise = [2, -1, 0, 1, -2, 3, -3, 1, 0, -1, 2, -2, 1, 1];
  const vms = Array.from({ length: 12 }, (_, v) =>
    Array.from({ length: 7 }, (_, d) => [10 + noise[(v * 5 + d * 3) % 14]! + (v % 3), 1]),
  );
  const matrix = matrixOf(vms);
  const b = bootstrapRatio(matrix, resampleTwoStage(matrix, 20_000, 2), 0, 1)!;
  const means = vms.map((days) => days.reduce((s, [x]) => s + x!, 0) / 7);
  expect(b.error / (sd(means) / Math.sqrt(12))).toBeCloseTo(1, 1);
});
