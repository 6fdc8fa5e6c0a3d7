import initEts, { AutoETS } from '@bsull/augurs/ets';
import { beforeAll, expect, it } from 'vitest';
import { createEts, Ets, etsParams } from '../../../core/forecast/ets.ts';
import { type EtsFit, fitEts } from '../../../core/forecast/ets-fit.ts';
import { Rng } from '../../../core/rng.ts';
import { augursRuntime } from '../../../sim/augurs.ts';
import { Feed, spec } from '../feed.ts';
import { awkward, HOUR } from './hourly.ts';
import { feedChecked, path } from './live-series.ts';

beforeAll(async () => {
  await initEts({ module_or_path: await augursRuntime.wasm('ets') });
});

/** A series of the model itself: l' = l + phi b + alpha e, b' = phi b + beta e. */
function generated(n: number, alpha: number, beta: number, phi: number): Float64Array {
  const rng = new Rng(3, 'ets');
  let level = 50;
  let trend = 0;
  return Float64Array.from({ length: n }, () => {
    const e = rng.normal();
    const y = level + phi * trend + e;
    level += phi * trend + alpha * e;
    trend = phi * trend + beta * e;
    return y;
  });
}

function fitted(values: Float64Array): EtsFit {
  const fit = fitEts(values);
  if ('failed' in fit) throw new Error(fit.failed);
  return fit;
}

it.each([
  [0.3, 0, 1],
  [0.6, 0.3, 0.85],
])('finds alpha %d, beta %d, phi %d of a series made with them', (alpha, beta, phi) => {
  const fit = fitted(generated(500, alpha, beta, phi));
  expect(fit.alpha).toBeCloseTo(alpha, 0);
  expect(Math.abs(fit.alpha - alpha)).toBeLessThan(0.15);
  expect(Math.abs(fit.beta - beta)).toBeLessThan(0.15);
  if (beta > 0) expect(Math.abs(fit.phi - phi)).toBeLessThan(0.15);
});

it.each([
  [0.6, 0.3, 0.85],
  [0.5, 0.1, 1],
  [0.3, 0, 1],
])(
  'reads off what augurs found: alpha %d, beta %d, phi %d lead through the series to its forecast',
  (...made) => {
    const y = generated(500, ...made);
    const model = new AutoETS(1, 'AZN');
    model.fit(y);
    const { point } = model.predict(2);
    model.free();
    const { alpha, beta, phi, level, trend } = fitted(y);
    // The first level and trend are augurs' own; after 500 samples they no longer matter.
    let l = y[0]!;
    let b = 0;
    for (const v of y) {
      const e = v - l - phi * b;
      l += phi * b + alpha * e;
      b = phi * b + beta * e;
    }
    expect(level + phi * trend).toBeCloseTo(point[0]!, 9);
    if (made[1] === 0) return;
    expect(l).toBeCloseTo(level, 3);
    expect(b).toBeCloseTo(trend, 3);
  },
);

it('is last-value before it is trained, and on constants', async () => {
  const feed = new Feed([spec('vm0')], 48, HOUR);
  const ets = feed.fleet.register(await Ets.load(etsParams.parse({}), feed, augursRuntime));
  ets.observe(feed.tick([1, 0, 2, 0]));
  ets.observe(feed.tick([3, 0, Number.NaN, 0]));
  expect(path(ets, 0, 0, 3)).toEqual([3, 3, 3]);
  expect(path(ets, 0, 2, 3)).toEqual([2, 2, 2]);
  expect(fitEts(new Float64Array(60).fill(7))).toEqual({ alpha: 1, beta: 0, phi: 1, level: 7, trend: 0 });
});

it('smooths every VM with what the eldest of its pair taught, as l + alpha e', async () => {
  const feed = new Feed([spec('vm0'), spec('vm1')], 48, HOUR);
  const params = etsParams.parse({ minDays: 1.25, retrainHours: 4 });
  const ets = feed.fleet.register(await Ets.load(params, feed, augursRuntime));
  const noise = generated(40, 0, 0, 1);
  // White noise about 50: alpha is near 0, so the forecast stays near 50 whatever came last.
  for (let t = 0; t < 40; t++)
    ets.observe(feed.tick((slot) => [noise[(t + 7 * slot) % 40]! + (t === 39 ? 20 : 0), 0, 0, 0]));
  expect(ets.health().fits).toBeGreaterThan(0);
  expect(ets.health().failures).toBe(0);
  for (const slot of [0, 1]) expect(Math.abs(path(ets, slot, 0, 1)[0]! - 50)).toBeLessThan(8);
});

it('says why it cannot fit', () => {
  expect(fitEts(Float64Array.of(1, 2))).toHaveProperty('failed');
  expect(fitEts(awkward(96)['lost']!)).toHaveProperty('failed');
  expect(fitEts(awkward(96)['mostly lost']!)).toHaveProperty('failed');
});

it('forecasts finite numbers that do not cross, before and after training, whatever the series', async () => {
  const ticks = 96;
  const series = Object.values(awkward(ticks));
  const specs = series.map((_, k) => spec(`vm${k}`, { userId: `user${k}`, requested: [1, 1, 1, 1] }));
  const feed = new Feed(specs, 48, HOUR);
  const params = etsParams.parse({ fitsPerTick: 4, retrainHours: 12 });
  const forecaster = feed.fleet.register(await createEts(params, feed, augursRuntime));
  await feedChecked(feed, forecaster, ticks, (t, slot) => [series[slot]![t]!, 0, 0.5, (t % 24) / 24]);
  expect(path(forecaster, 0, 0, 3)).toEqual([0.3, 0.3, 0.3].map((v) => expect.closeTo(v, 6)));
});

it('keeps the last good parameters when a fit fails', async () => {
  const feed = new Feed([spec('vm0')], 48, HOUR);
  const ets = feed.fleet.register(
    await Ets.load(etsParams.parse({ minDays: 40 / 24, retrainHours: 48 }), feed, augursRuntime),
  );
  const noise = generated(52, 0, 0, 1);
  for (const v of noise) ets.observe(feed.tick([v, 0, 0, 0]));
  const before = path(ets, 0, 0, 1)[0]!;
  // Three in four samples are lost for longer than the window; the rest is 100.
  for (let t = 0; t < 60; t++) ets.observe(feed.tick([t % 4 === 0 ? 100 : Number.NaN, 0, 0, 0]));
  const health = ets.health();
  expect(health.recent[0]).toMatchObject({ resource: 'cpu', reason: expect.stringContaining('samples') });
  // Last-value would say 100 at once; alpha near 0 does not.
  const after = path(ets, 0, 0, 1)[0]!;
  expect(after).toBeGreaterThan(before);
  expect(after).toBeLessThan(99.9);
});

it('replaces the state of a slot that is used again', async () => {
  const feed = new Feed([spec('vm0'), spec('vm1', { userId: 'other' })], 48, HOUR);
  const ets = feed.fleet.register(await Ets.load(etsParams.parse({}), feed, augursRuntime));
  ets.observe(feed.tick([5, 5, 5, 5]));
  feed.fleet.retire('vm0');
  feed.fleet.admit(spec('vm2'), 1);
  expect(path(ets, feed.fleet.slotOf('vm2')!, 0, 1)[0]).toBeNaN();
});
