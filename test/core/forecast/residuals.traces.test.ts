import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { createHoltWinters, holtWintersParams } from '../../../core/forecast/holt-winters.ts';
import { createLastValue } from '../../../core/forecast/last-value.ts';
import { createSeasonalNaive } from '../../../core/forecast/seasonal-naive.ts';
import type { ForecastContext, Forecaster } from '../../../core/forecast/types.ts';
import { tracesDir } from '../../support.ts';
import { Feed } from '../feed.ts';

const dir = tracesDir();
const HORIZON = 12;

/** Share of peaks over the next hour that the .9 quantile covers, from tick `from` on. */
function coverage(
  series: readonly number[][],
  from: number,
  create: (ctx: ForecastContext) => Forecaster,
): number {
  const feed = new Feed(series.length, 288);
  const forecaster = feed.fleet.register(create(feed));
  const out = new Float64Array(feed.frame.usage.length);
  let covered = 0;
  let all = 0;
  const ticks = series[0]!.length - HORIZON;
  for (let t = 0; t < ticks; t++) {
    void forecaster.observe(feed.tick((slot) => [series[slot]![t]!, 0, 0, 0]));
    forecaster.peak(feed.fleet.slots, HORIZON, 0.9, out);
    if (t < from) continue;
    for (const slot of feed.fleet.slots) {
      const peak = Math.max(...series[slot]!.slice(t + 1, t + 1 + HORIZON).filter((u) => !Number.isNaN(u)));
      if (out[slot * 4]! >= peak) covered++;
      all++;
    }
  }
  return covered / all;
}

it.skipIf(!dir)('the .9 quantile of the peak covers nine in ten on a day of PlanetLab', () => {
  const day = join(dir!, 'planetlab/20110303');
  const series = readdirSync(day)
    .sort()
    .slice(0, 150)
    .map((file) => readFileSync(join(day, file), 'utf8').trim().split('\n').map(Number));
  const share = coverage(series, 60, (ctx) => createLastValue({}, ctx));
  expect(share).toBeGreaterThan(0.86);
  expect(share).toBeLessThan(0.94);
});

it.skipIf(!dir)('and on the second week of Azure, for every forecaster', () => {
  const text = gunzipSync(readFileSync(join(dir!, 'azure-v1/max.csv.gz'))).toString();
  const rows = text.split('\n').slice(1, 1 + 14 * 288);
  const series = Array.from({ length: 60 }, (_, vm) =>
    rows.map((row) => {
      const cell = row.split(',')[vm + 1]!;
      return cell === '' ? Number.NaN : Number(cell);
    }),
  );
  const shares = [
    coverage(series, 7 * 288, (ctx) => createLastValue({}, ctx)),
    coverage(series, 7 * 288, (ctx) => createSeasonalNaive({ season: 'day' }, ctx)),
    coverage(series, 7 * 288, (ctx) => createHoltWinters(holtWintersParams.parse({}), ctx)),
  ];
  for (const share of shares) {
    expect(share).toBeGreaterThan(0.86);
    expect(share).toBeLessThan(0.94);
  }
});
