import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createHoltWinters, holtWintersParams } from '../../../core/forecast/holt-winters.ts';
import { ForecastBatch } from '../../../core/forecast/types.ts';
import { R } from '../../../core/model.ts';
import { Feed } from '../feed.ts';

const SIX_HOURS = 6 * 3_600_000; // four ticks a day
const SEASON = [0, 3, -1, -2];

function setUp(params: object) {
  const feed = new Feed(1, 4, SIX_HOURS);
  const forecaster = feed.fleet.register(createHoltWinters(holtWintersParams.parse(params), feed));
  const next = (u: number, horizon = 4): number[] => {
    forecaster.observe(feed.tick([u, 0, 0, 0]));
    const batch = new ForecastBatch(1, horizon, [0.5]);
    forecaster.predict(feed.fleet.slots, batch);
    const values = [...batch.values.subarray(0, horizon)];
    const out = new Float64Array(R);
    forecaster.peak(feed.fleet.slots, horizon, 0.5, out);
    expect(out[0]).toBe(Math.max(...values));
    return values;
  };
  return { next };
}

it('continues a line with a season exactly, after two days', () => {
  const { next } = setUp({ level: 0.5, trend: 0.1, season: 0.2, damping: 1 });
  const y = (t: number): number => 10 + t + SEASON[t % 4]!;
  for (let t = 0; t < 7; t++) expect(next(y(t))).toEqual(new Array(4).fill(y(t)));
  const forecast = next(y(7), 9);
  forecast.forEach((f, h) => {
    expect(f).toBeCloseTo(y(8 + h), 5);
  });
});

it('corrects level, trend and season by their share of the error', () => {
  const { next } = setUp({ level: 0.5, trend: 0.1, season: 0.2, damping: 1 });
  for (let t = 0; t < 8; t++) next(10 + t + SEASON[t % 4]!);
  // Level 17, trend 1: 18 was forecast, 20 came. Error 2: level 18 + 1, trend 1 + .2, season 0 + .4.
  const forecast = next(20);
  [19 + 1.2 + 3, 19 + 2.4 - 1, 19 + 3.6 - 2, 19 + 4.8 + 0.4].forEach((f, h) => {
    expect(forecast[h]).toBeCloseTo(f, 5);
  });
  // A lost sample: level 19 + 1.2, nothing else.
  expect(next(Number.NaN)[0]).toBeCloseTo(20.2 + 1.2 - 1, 5);
});

it('damps the trend', () => {
  const { next } = setUp({ damping: 0.5 });
  let forecast: number[] = [];
  for (let t = 0; t < 8; t++) forecast = next(10 + t + SEASON[t % 4]!);
  // Level 17, trend 1: .5, .75, .875, .9375 of it.
  [17.5, 20.75, 16.875, 15.9375].forEach((f, h) => {
    expect(forecast[h]).toBeCloseTo(f, 5);
  });
});

it('gives finite numbers >= 0 for any samples, lost ones too', () => {
  const sample = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constant(Number.NaN));
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 60 }), (samples) => {
      const { next } = setUp({});
      next(1);
      for (const u of samples) for (const f of next(u)) expect(f >= 0 && f < 1e12).toBe(true);
    }),
    { numRuns: 50 },
  );
});
