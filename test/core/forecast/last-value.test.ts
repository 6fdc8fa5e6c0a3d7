import { expect, it } from 'vitest';
import { createLastValue } from '../../../core/forecast/last-value.ts';
import { ForecastBatch } from '../../../core/forecast/types.ts';
import { R } from '../../../core/model.ts';
import { Feed, spec } from '../feed.ts';

it('repeats the last sample of each resource, also over lost samples', () => {
  const feed = new Feed(2);
  const forecaster = feed.fleet.register(createLastValue({}, feed));
  const out = new Float64Array(2 * R);
  forecaster.peak(feed.fleet.slots, 12, 0.5, out);
  expect([...out]).toEqual(new Array(8).fill(Number.NaN));

  forecaster.observe(feed.tick((slot) => (slot === 0 ? [1, 2, 3, 4] : [5, 6, 7, 8])));
  forecaster.observe(feed.tick([Number.NaN, 20, Number.POSITIVE_INFINITY, -1]));
  forecaster.peak(feed.fleet.slots, 12, 0.5, out);
  expect([...out]).toEqual([1, 20, 3, 4, 5, 20, 7, 8]);

  const batch = new ForecastBatch(1, 3, [0.5]);
  forecaster.predict(Int32Array.of(1), batch);
  expect([...batch.values]).toEqual([5, 5, 5, 20, 20, 20, 7, 7, 7, 8, 8, 8]);
});

it('knows nothing of a VM that took over a slot', () => {
  const feed = new Feed(1);
  const forecaster = feed.fleet.register(createLastValue({}, feed));
  forecaster.observe(feed.tick([1, 2, 3, 4]));
  feed.fleet.retire('vm0');
  feed.fleet.admit(spec('later'), 1);
  const out = new Float64Array(R);
  forecaster.peak(feed.fleet.slots, 1, 0.5, out);
  expect(out[0]).toBeNaN();
});
