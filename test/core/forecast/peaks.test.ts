import { describe, expect, it } from 'vitest';
import { autoParams, createAuto } from '../../../core/forecast/auto/forecaster.ts';
import {
  createLinearQuantile,
  linearQuantileParams,
} from '../../../core/forecast/linear-quantile/forecaster.ts';
import { highestOf, windowOf } from '../../../core/forecast/peaks.ts';
import { createProphetRidge, prophetRidgeParams } from '../../../core/forecast/prophet-ridge/forecaster.ts';
import type { ForecastContext, Forecaster } from '../../../core/forecast/types.ts';
import { CPU, R } from '../../../core/model.ts';
import { Rng } from '../../../core/rng.ts';
import { DAY_TICKS, Stand } from './harness.ts';

it('lies between windows of 1, 2, 6 and 12 ticks by the logarithm of the horizon', () => {
  expect(windowOf(2)).toEqual({ b: 1, share: 0 });
  // log(3 / 2) / log(6 / 2) = 0.4055 / 1.0986 = 0.369
  expect(windowOf(3).b).toBe(1);
  expect(windowOf(3).share).toBeCloseTo(0.369, 3);
  expect(windowOf(6)).toEqual({ b: 2, share: 0 });
  expect(windowOf(12)).toEqual({ b: 2, share: 1 });
  expect(highestOf(Float64Array.of(9, 1, 4, 2), 1, 3)).toBe(4);
});

const makers: Record<string, (ctx: ForecastContext) => Forecaster> = {
  'prophet-ridge': (ctx) => createProphetRidge(prophetRidgeParams.parse({}), ctx),
  'linear-quantile': (ctx) => createLinearQuantile(linearQuantileParams.parse({}), ctx),
  auto: (ctx) =>
    createAuto(autoParams.parse({ candidates: ['prophet-ridge', 'linear-quantile'] }), ctx, [
      createProphetRidge(prophetRidgeParams.parse({}), ctx),
      createLinearQuantile(linearQuantileParams.parse({}), ctx),
    ]),
};

describe('the .9 quantile of a peak', () => {
  // The highest of twelve draws is below their own .9 quantile with probability .9^12 = .28 only.
  it.each(Object.keys(makers))('covers as much of hourly peaks of noise: %s', async (name) => {
    const s = new Stand(makers[name]!);
    for (let v = 0; v < 6; v++) s.admit({ vmId: `vm${v}` });
    const rng = new Rng(4, 'noise');
    const usage = (_: number, r: number): number =>
      r === CPU ? Math.max(0, 2 + 0.4 * rng.normal()) : Number.NaN;
    await s.run(4 * DAY_TICKS, usage);
    let covered = 0;
    let count = 0;
    const peak = new Float64Array(s.fleet.rows * R);
    for (let k = 0; k < 150; k++) {
      s.forecaster.peak(s.fleet.slots, 12, 0.9, peak);
      const promised = Array.from(s.fleet.slots, (slot) => peak[slot * R + CPU]!);
      const highest = Array.from(s.fleet.slots, () => 0);
      for (let h = 0; h < 12; h++) {
        await s.tick(usage);
        s.fleet.slots.forEach((slot, j) => {
          highest[j] = Math.max(highest[j]!, s.frame.usage[slot * R + CPU]!);
        });
      }
      highest.forEach((v, j) => {
        count++;
        if (v <= promised[j]!) covered++;
      });
    }
    expect(covered / count).toBeGreaterThan(0.86);
    expect(covered / count).toBeLessThan(0.94);
  });
});
