import { expect, it } from 'vitest';
import { createSeasonalNaive, seasonalNaiveDepth } from '../../../core/forecast/seasonal-naive.ts';
import { ForecastBatch } from '../../../core/forecast/types.ts';
import { R } from '../../../core/model.ts';
import { Feed, spec } from '../feed.ts';

const SIX_HOURS = 6 * 3_600_000; // four ticks a day

function path(
  feed: Feed,
  forecaster: ReturnType<typeof createSeasonalNaive>,
  vm: string,
  horizon: number,
): number[] {
  const batch = new ForecastBatch(1, horizon, [0.5]);
  const slots = Int32Array.of(feed.fleet.slotOf(vm)!);
  forecaster.predict(slots, batch);
  const values = Array.from({ length: horizon }, (_, h) => batch.values[batch.index(0, 0, 0, h)]!);
  const out = new Float64Array(R * 16);
  forecaster.peak(slots, horizon, 0.5, out);
  expect(out[slots[0]! * R]).toBe(Math.max(...values));
  return values;
}

it('repeats the day before, and the last value until there is one', () => {
  const feed = new Feed(1, 4, SIX_HOURS);
  const forecaster = feed.fleet.register(createSeasonalNaive({ season: 'day' }, feed));
  const next = (u: number): number[] => {
    forecaster.observe(feed.tick([u, 0, 0, 0]));
    return path(feed, forecaster, 'vm0', 6);
  };
  expect(next(1)).toEqual([1, 1, 1, 1, 1, 1]);
  next(2);
  expect(next(3)).toEqual([3, 3, 3, 3, 3, 3]);
  expect(next(4)).toEqual([1, 2, 3, 4, 1, 2]);
  expect(next(9)).toEqual([2, 3, 4, 9, 2, 3]);
  expect(next(Number.NaN)).toEqual([3, 4, 9, 9, 3, 4]); // a day after the lost sample: last seen, 9
  expect(next(5)).toEqual([4, 9, 5, 5, 4, 9]);
});

it('uses the history of the VM that is in the slot now', () => {
  const feed = new Feed(1, 8, SIX_HOURS);
  const forecaster = feed.fleet.register(createSeasonalNaive({ season: 'day' }, feed));
  for (let t = 0; t < 6; t++) forecaster.observe(feed.tick([50, 0, 0, 0]));
  feed.fleet.retire('vm0');
  feed.fleet.admit(spec('new'), 6);
  forecaster.observe(feed.tick([1, 0, 0, 0]));
  expect(path(feed, forecaster, 'new', 5)).toEqual([1, 1, 1, 1, 1]);
});

it('says how much history it needs', () => {
  expect(seasonalNaiveDepth({ season: 'day' }, 300_000)).toBe(288);
  expect(seasonalNaiveDepth({ season: 'week' }, 300_000)).toBe(2016);
  expect(() => createSeasonalNaive({ season: 'week' }, new Feed(1, 2015))).toThrow(/HISTORY_TOO_SHORT.*2016/);
});
