import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLastValue } from '../../../core/forecast/last-value.ts';
import { ErrorWindows } from '../../../core/forecast/residuals.ts';
import { ForecastBatch } from '../../../core/forecast/types.ts';
import { R } from '../../../core/model.ts';
import { Feed } from '../feed.ts';

describe('a window of errors', () => {
  it('gives the error of rank ceil((n + 1) q), from eight errors on', () => {
    const w = new ErrorWindows();
    w.grow(2);
    for (const e of [5, -3, 1, 4, -1, 2, 3]) w.add(1, e);
    expect(w.offset(1, 0.9)).toBeNaN();
    w.add(1, 8);
    w.add(1, 6); // n = 9, sorted: -3 -1 1 2 3 4 5 6 8
    expect(w.offset(1, 0.5)).toBe(0);
    expect(w.offset(1, 0.6)).toBe(4); // rank 6 of (9 + 1) * .6
    expect(w.offset(1, 0.9)).toBe(8); // rank 9
    expect(w.offset(1, 0.99)).toBe(8); // rank 10 is above n
    expect(w.offset(1, 0.2)).toBe(-1); // mirrored: rank 2
    expect(w.offset(1, 0.1)).toBe(-3);
    expect(w.offset(1, 0.4)).toBe(0); // rank 4 is 2, but a lower quantile never exceeds the forecast
    expect(w.count(0)).toBe(0);
  });

  it('is the sorted newest 64, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 8, maxLength: 300 }), (errors) => {
        const w = new ErrorWindows();
        w.grow(1);
        for (const e of errors) w.add(0, e);
        const newest = errors.slice(-64).sort((a, b) => a - b);
        const n = newest.length;
        for (const q of [0.55, 0.7, 0.9, 0.95, 0.99]) {
          expect(w.offset(0, q)).toBe(Math.max(0, newest[Math.min(n, Math.ceil((n + 1) * q - 1e-9)) - 1]!));
        }
        const offsets = [0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99].map((q) => w.offset(0, q));
        expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
      }),
    );
  });
});

describe('quantiles of a forecaster', () => {
  it('of the peak: what a window rose above the forecast at its start', () => {
    const feed = new Feed(1);
    const forecaster = feed.fleet.register(createLastValue({}, feed));
    const out = new Float64Array(R);
    const peak = (q: number): number => {
      forecaster.peak(feed.fleet.slots, 2, q, out);
      return out[0]!;
    };
    // Horizon 2: windows start at every tick t and compare usage[t] with max(usage[t + 1], usage[t + 2]).
    const usage = [10, 11, 10, 13, 10, 10, 14, 10, 12, 10, 10];
    //   max of next two: 11 13 13 10 14 14 12 12 10
    //   error:            1  2  3 -3  4  4 -2  2 -2  sorted -3 -2 -2 1 2 2 3 4 4
    for (const u of usage) {
      forecaster.observe(feed.tick([u, 0, 0, 0]));
      peak(0.9);
    }
    expect(peak(0.5)).toBe(10);
    expect(peak(0.9)).toBe(14);
    expect(peak(0.6)).toBe(12); // rank 6 of 9
    expect(peak(0.2)).toBe(8); // rank 2
  });

  it('of the path: errors of each step, and none below zero', () => {
    const feed = new Feed(1);
    const forecaster = feed.fleet.register(createLastValue({}, feed));
    const batch = new ForecastBatch(1, 3, [0.1, 0.5, 0.9]);
    // A ramp of 1 a tick: the error of step h is h, at every origin.
    for (let t = 0; t <= 80; t++) {
      forecaster.observe(feed.tick([t, t, 1, 1]));
      forecaster.predict(feed.fleet.slots, batch);
    }
    const path = (r: number, q: number): number[] =>
      [1, 2, 3].map((h) => batch.values[batch.index(0, r, q, h - 1)]!);
    expect(path(0, 1)).toEqual([80, 80, 80]);
    expect(path(0, 2)).toEqual([81, 82, 83]);
    expect(path(0, 0)).toEqual([80, 80, 80]);
    expect(path(2, 2)).toEqual([1, 1, 1]);
  });

  it('are the same when first asked late, from the history, as when asked from the start', () => {
    const early = new Feed(2);
    const late = new Feed(2);
    const a = early.fleet.register(createLastValue({}, early));
    const b = late.fleet.register(createLastValue({}, late));
    const outA = new Float64Array(2 * R);
    const outB = new Float64Array(2 * R);
    for (let t = 0; t < 150; t++) {
      const row = (slot: number) => [(t * 7 + slot) % 11, (t * 5) % 13, Math.fround(t / 3) % 2, 1] as const;
      a.observe(early.tick(row));
      b.observe(late.tick(row));
      a.peak(early.fleet.slots, 12, 0.95, outA);
    }
    b.peak(late.fleet.slots, 12, 0.95, outB);
    expect([...outB]).toEqual([...outA]);
  });

  it('are never NaN for lost samples, never negative, and never cross', () => {
    const sample = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constant(Number.NaN));
    const row = fc.tuple(sample, sample, sample, sample);
    fc.assert(
      fc.property(
        fc.array(row, { minLength: 30, maxLength: 80 }),
        fc.integer({ min: 1, max: 9 }),
        (rows, horizon) => {
          const feed = new Feed(1);
          const forecaster = feed.fleet.register(createLastValue({}, feed));
          const batch = new ForecastBatch(1, horizon, [0.05, 0.5, 0.9, 0.99]);
          const out = new Float64Array(R);
          forecaster.observe(feed.tick([1, 1, 1, 1]));
          for (let t = 0; t < 40; t++) forecaster.observe(feed.tick([1, 1, 1, 1]));
          for (const r of rows) {
            forecaster.observe(feed.tick(r));
            let previous = new Float64Array(R);
            for (const q of [0.05, 0.5, 0.9, 0.99]) {
              forecaster.peak(feed.fleet.slots, horizon, q, out);
              for (let i = 0; i < R; i++) expect(out[i]).toBeGreaterThanOrEqual(previous[i]!);
              previous = out.slice();
            }
            forecaster.predict(feed.fleet.slots, batch);
            for (let i = 0; i < R * 4 * horizon; i++) expect(batch.values[i]).toBeGreaterThanOrEqual(0);
          }
        },
      ),
      { numRuns: 12 },
    );
  });
});
