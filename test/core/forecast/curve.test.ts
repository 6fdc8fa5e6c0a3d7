import { expect, it } from 'vitest';
import { Curve, fitCurves } from '../../../core/forecast/curve.ts';

it('is straight between samples, and repeats the last season past the table', () => {
  // Values at ticks 1, 4, 7, 10; the last two are a season: tick 13 is 30, 16 is 50, 19 is 30.
  const curve = new Curve(1, 3, 2, Float64Array.of(10, 20, 30, 50), 0);
  expect([1, 2.5, 4, 5.5, 7, 10].map((t) => curve.at(t))).toEqual([10, 15, 20, 25, 30, 50]);
  expect([11.5, 13, 14.5, 16, 19].map((t) => curve.at(t))).toEqual([40, 30, 40, 50, 30]);
  expect(curve.at(-100)).toBe(10);
});

it('tabulates the end of the window and what follows, at the middle of samples', () => {
  // Samples of 6 ticks from tick 12: middles at 14.5, 20.5, ...; 12 ticks back are 3 samples: 32.5, 38.5, 44.5.
  const values = Float64Array.of(5, 1, 2, 3, 4, 5);
  const batch = { count: 1, length: 6, values, from: 12, every: 6 };
  const [curve] = fitCurves(batch, 2, 2, (y) => ({ inSample: y.map((v) => v + 1), ahead: [7, 8] }));
  if (!curve || 'failed' in curve) throw new Error('failed');
  expect([0, 32.5, 38.5, 44.5, 50.5, 56.5].map((t) => curve.at(t))).toEqual([4, 4, 5, 6, 7, 8]);
  expect(curve.loss).toBe(1);
});

it('makes a failure of what a fit throws or predicts that is not finite', () => {
  const batch = { count: 2, length: 2, values: Float64Array.of(1, 2, 3, 4), from: 0, every: 1 };
  const results = fitCurves(batch, 1, 1, (y) => {
    if (y[0] === 1) throw 'no model found';
    return { inSample: y, ahead: [Number.NaN] };
  });
  expect(results).toEqual([{ failed: 'no model found' }, { failed: 'predictions that are not finite' }]);
});
