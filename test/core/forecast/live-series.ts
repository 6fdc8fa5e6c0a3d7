import { expect } from 'vitest';
import { ForecastBatch, type Forecaster } from '../../../core/forecast/types.ts';
import { R, type ResourceVector } from '../../../core/model.ts';
import type { Feed } from '../feed.ts';

const QUANTILES = [0.05, 0.5, 0.9, 0.99];

/** Feeds ticks and asserts at some of them what holds of every forecaster: finite, >= 0, never crossing. */
export async function feedChecked(
  feed: Feed,
  forecaster: Forecaster,
  ticks: number,
  usage: (tick: number, slot: number) => ResourceVector,
): Promise<void> {
  const horizon = 30;
  const seen = new Set<number>();
  for (let t = 0; t < ticks; t++) {
    const tick = feed.history.head + 1;
    await forecaster.observe(feed.tick((slot) => usage(tick, slot)));
    for (const slot of feed.fleet.slots) {
      for (let r = 0; r < R; r++) if (!Number.isNaN(feed.history.at(slot, r, tick))) seen.add(slot * R + r);
    }
    if (t % 5 !== 4) continue;
    const batch = new ForecastBatch(feed.fleet.size, horizon, QUANTILES);
    forecaster.predict(feed.fleet.slots, batch);
    const peak = new Float64Array(feed.fleet.rows * R);
    forecaster.peak(feed.fleet.slots, 12, 0.9, peak);
    let bad = '';
    feed.fleet.slots.forEach((slot, k) => {
      for (let r = 0; r < R; r++) {
        // Of what was never sampled nothing may be said, or what others like it taught.
        if (!seen.has(slot * R + r) && Number.isNaN(batch.values[batch.index(k, r, 1, 0)]!)) continue;
        if (!(peak[slot * R + r]! >= 0 && Number.isFinite(peak[slot * R + r]!)))
          bad = `peak ${slot} ${r} at ${tick}`;
        for (let h = 0; h < horizon; h++) {
          let last = 0;
          for (let q = 0; q < QUANTILES.length; q++) {
            const v = batch.values[batch.index(k, r, q, h)]!;
            if (!(v >= last && Number.isFinite(v)))
              bad = `${v} after ${last}: slot ${slot} ${r} step ${h} at ${tick}`;
            last = v;
          }
        }
      }
    });
    expect(bad).toBe('');
  }
}

/** Point forecasts of one slot and resource. */
export function path(forecaster: Forecaster, slot: number, r: number, horizon: number): number[] {
  const batch = new ForecastBatch(1, horizon, [0.5]);
  forecaster.predict(Int32Array.of(slot), batch);
  return [...batch.values.subarray(batch.index(0, r, 0, 0), batch.index(0, r, 0, 0) + horizon)];
}
