import { expect, it } from 'vitest';
import { createProphet, ProphetShapes, prophetParams } from '../../../core/forecast/prophet.ts';
import { Retrained } from '../../../core/forecast/retrained.ts';
import type { FittedShape } from '../../../core/forecast/shape-model.ts';
import { R } from '../../../core/model.ts';
import { augursRuntime } from '../../../sim/augurs.ts';
import { Feed, spec } from '../feed.ts';
import { awkward, clean, daily, HOUR } from './hourly.ts';
import { feedChecked, path } from './live-series.ts';

const EPOCH = Date.UTC(2024, 0, 1);

const load = (params: object = {}) =>
  ProphetShapes.load(prophetParams.parse(params), 24, { stepMs: HOUR, epochMs: EPOCH }, augursRuntime);

const batchOf = (values: Float64Array) => ({ count: 1, length: values.length, values, from: 0, every: 1 });

async function fitted(values: Float64Array, params: object = {}): Promise<FittedShape> {
  const [shape] = (await load(params)).fit(batchOf(values));
  if (!shape || 'failed' in shape) throw new Error(shape?.failed);
  return shape;
}

it('continues a daily season through noise, for days past the table', async () => {
  const n = 7 * 24;
  const shape = await fitted(daily(n, 0.03), { weeklyOrder: 0 });
  let squares = 0;
  for (let h = 0; h < 96; h++) squares += (shape.at(n + h) - clean(n + h)) ** 2;
  expect(Math.sqrt(squares / 96)).toBeLessThan(0.05);
  expect(shape.loss).toBeGreaterThan(0.01);
  expect(shape.loss).toBeLessThan(0.06);
});

it('knows the weekend from two weeks with a gap, in which `auto` would drop the weekly season', async () => {
  const n = 14 * 24;
  const values = daily(n, 0.01, true);
  values.fill(Number.NaN, 0, 6);
  values.fill(Number.NaN, 100, 110);
  const weekly = await fitted(values);
  const without = await fitted(values, { weeklyOrder: 0 });
  const rmse = (shape: FittedShape): number => {
    let squares = 0;
    for (let h = 0; h < 7 * 24; h++) squares += (shape.at(n + h) - clean(n + h, true)) ** 2;
    return Math.sqrt(squares / (7 * 24));
  };
  expect(rmse(weekly)).toBeLessThan(0.7 * rmse(without));
});

it('saves its curve: JSON and back gives the same values bit for bit, and a second fit the same', async () => {
  const values = daily(72, 0.05);
  const model = await load();
  const shape = await fitted(values);
  const back = model.parse(JSON.parse(JSON.stringify(shape.save())));
  const again = await fitted(values);
  for (let t = 40; t < 400; t++) {
    expect(back.at(t)).toBe(shape.at(t));
    expect(again.at(t)).toBe(shape.at(t));
  }
  expect(back.loss).toBe(shape.loss);
  expect(() => model.parse({ values: [1] })).toThrow();
});

it('says of a series that cannot be fitted why, and fits the others of the batch', async () => {
  const model = await load();
  for (const [name, values] of Object.entries(awkward(72))) {
    const [shape] = model.fit(batchOf(values));
    if (name === 'lost' || name === 'mostly lost') expect(shape, name).toHaveProperty('failed');
    else {
      const at = [60, 72, 80.5, 96, 1000].map((t) => (shape as FittedShape).at(t));
      expect(at.every(Number.isFinite), name).toBe(true);
      if (name === 'constant') expect(at).toEqual(new Array(5).fill(0.3));
    }
  }
  const [short] = model.fit(batchOf(Float64Array.of(1)));
  expect(short).toHaveProperty('failed');
});

it('forecasts finite numbers that do not cross, before and after training, whatever the series', async () => {
  const ticks = 96;
  const series = Object.values(awkward(ticks));
  const specs = series.map((_, k) => spec(`vm${k}`, { userId: `user${k}`, requested: [1, 1, 1, 1] }));
  const feed = new Feed(specs, 24, HOUR);
  const params = prophetParams.parse({ fitsPerTick: 4, retrainHours: 12 });
  const forecaster = feed.fleet.register(await createProphet(params, feed, augursRuntime));
  await feedChecked(feed, forecaster, ticks, (t, slot) => [series[slot]![t]!, 0, 0.5, (t % 24) / 24]);
  // The constant one is forecast as it is.
  expect(path(forecaster, 0, 0, 3)).toEqual([0.3, 0.3, 0.3].map((v) => expect.closeTo(v, 6)));
});

it('keeps the last good model when a fit fails', async () => {
  const feed = new Feed([spec('vm0', { requested: [1, 1, 1, 1] })], 24, HOUR);
  const options = { sampleTicks: 1, windowDays: 3, minDays: 2, retrainTicks: 24, fitsPerTick: 1 };
  const retrained = feed.fleet.register(new Retrained(await load(), options, feed));
  const values = daily(72, 0.02);
  for (let t = 0; t < 72; t++) await retrained.observe(feed.tick([values[t]!, 0, 0, 0]));
  const row = retrained.rows.row[0]!;
  let good = (retrained.saveRow(row)['shapes'] as unknown[])[0];
  expect(good).not.toBeNull();
  expect(retrained.health().failures).toBe(0);
  // All but one in four samples are lost for longer than the window.
  for (let t = 0; t < 96; t++) {
    if (retrained.health().failures === 0) good = (retrained.saveRow(row)['shapes'] as unknown[])[0];
    await retrained.observe(feed.tick([t % 4 === 0 ? 0.5 : Number.NaN, 0, 0, 0]));
  }
  expect(retrained.health().recent[0]).toMatchObject({
    resource: 'cpu',
    reason: expect.stringContaining('samples'),
  });
  expect((retrained.saveRow(row)['shapes'] as unknown[])[0]).toEqual(good);
  const out = new Float64Array(R);
  retrained.peak(feed.fleet.slots, 12, 0.5, out);
  expect(out.every((v) => v >= 0 && Number.isFinite(v))).toBe(true);
});

it('learns the effect of a holiday and expects it again', async () => {
  const n = 7 * 24;
  const values = daily(n, 0.01);
  // Up by .4 for 10 hours twice, and once more after the window.
  const starts = [40, 100, n + 20];
  for (const start of starts.slice(0, 2)) for (let i = start; i < start + 10; i++) values[i]! += 0.4;
  const at = (i: number): string => new Date(EPOCH + i * HOUR).toISOString();
  const occurrences = starts.map((i) => ({ start: at(i), end: at(i + 10) }));
  const shape = await fitted(values, { weeklyOrder: 0, holidays: [{ name: 'release', occurrences }] });
  expect(shape.at(n + 24) - clean(n + 24)).toBeCloseTo(0.4, 1);
  expect(shape.at(n + 36) - clean(n + 36)).toBeCloseTo(0, 1);
});
