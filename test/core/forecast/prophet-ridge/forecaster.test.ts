import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ForesizeError } from '../../../../core/errors.ts';
import {
  createProphetRidge,
  prophetRidgeParams,
} from '../../../../core/forecast/prophet-ridge/forecaster.ts';
import { CPU, MEMORY } from '../../../../core/model.ts';
import { Rng } from '../../../../core/rng.ts';
import { checkSane, cpuOnly, DAY_TICKS, Stand } from '../harness.ts';

const stand = (given: Record<string, unknown> = {}) =>
  new Stand((ctx) => createProphetRidge(prophetRidgeParams.parse(given), ctx));

/** A day of work, noise that lasts, and a busier slot 1. */
function busy(seed: number): (slot: number, resource: number, tick: number) => number {
  const rngs = new Map<number, { rng: Rng; level: number }>();
  return (slot, resource, tick) => {
    const i = slot * 4 + resource;
    const series = rngs.get(i) ?? { rng: new Rng(seed, i), level: 0 };
    rngs.set(i, series);
    series.level = 0.8 * series.level + 0.2 * series.rng.normal();
    const day = 1 + 0.6 * Math.sin((2 * Math.PI * tick) / DAY_TICKS);
    return Math.max(0, (1 + slot) * (day + 0.3 * series.level));
  };
}

describe('prophet-ridge', () => {
  it('follows a day it has seen before', async () => {
    const s = stand();
    const slot = s.admit({ vmId: 'a' });
    const usage = cpuOnly((t) => 1 + Math.sin((2 * Math.PI * t) / DAY_TICKS) + 0.01 * ((t * 7919) % 13));
    await s.run(5 * DAY_TICKS, usage);
    const path = s.path(slot, CPU, 0.5);
    path.forEach((v, h) => {
      expect(Math.abs(v - usage(slot, CPU, s.next + h))).toBeLessThan(0.12);
    });
  });

  it('covers what it promises, on every resource, from the first week', async () => {
    const s = stand();
    for (let v = 0; v < 4; v++) s.admit({ vmId: `vm${v}` });
    await s.run(7 * DAY_TICKS, busy(3));
    for (const { level, share, count } of s.forecaster.coverage()) {
      expect(count).toBeGreaterThan(5_000);
      expect(Math.abs(share - level)).toBeLessThan(0.015);
    }
  });

  it('gives a new user of a known application the application shape from the first sample', async () => {
    const s = stand();
    for (const userId of ['u', 'v']) s.admit({ vmId: userId, applicationId: 'shop', userId });
    const shape = (t: number): number => 2 + 1.5 * Math.sin((2 * Math.PI * t) / DAY_TICKS);
    await s.run(6 * DAY_TICKS - 12, cpuOnly(shape));
    const slot = s.admit({ vmId: 'w', applicationId: 'shop', userId: 'w' });
    await s.tick(cpuOnly(shape));
    // An hour ahead at the steepest time of day: 0.39 more. Last-value would be off by all of it.
    const truth = shape(s.next + 11);
    expect(truth - shape(s.next - 1)).toBeGreaterThan(0.35);
    expect(Math.abs(s.path(slot, CPU, 0.5)[11]! - truth)).toBeLessThan(0.15);
  });

  const odd: [string, (t: number) => number][] = [
    ['a constant', () => 3],
    ['zeros', () => 0],
    ['one spike', (t) => (t === 900 ? 4 : 0)],
    ['a gap of a day', (t) => (t > 700 && t <= 988 ? Number.NaN : 1 + (t % 12) / 12)],
    ['NaN after a gap', (t) => (t % 50 >= 30 ? Number.NaN : 1 + Math.sin(t / 10))],
    ['a level shift', (t) => (t < 800 ? 0.2 : 3.5)],
    ['tiny numbers', (t) => (t % 5) * 1e-12],
    ['impossible numbers', (t) => [1, -1, Number.POSITIVE_INFINITY, 2][t % 4]!],
  ];
  it.each(odd)('stays finite, not negative and ordered on %s', async (_, value) => {
    const s = stand({ minDays: 1 });
    const slot = s.admit({ vmId: 'a' });
    for (let t = 0; t < 4 * DAY_TICKS; t++) {
      await s.tick(cpuOnly(value));
      if (t % 17 === 0) checkSane(s.predict(), [CPU]);
    }
    const far = s.predict(40);
    checkSane(far, [CPU]);
    expect(s.peak(slot, CPU, 0.95)).toBeGreaterThanOrEqual(0);
    expect(s.peak(slot, CPU, 0.95, 40)).toBeGreaterThanOrEqual(
      Math.max(...far.values.subarray(far.index(0, CPU, 3, 0), far.index(0, CPU, 3, 40))),
    );
    expect(s.peak(slot, MEMORY, 0.9)).toBeNaN();
  });

  it('says of a shorter series than a season what the last values say', async () => {
    const s = stand();
    const slot = s.admit({ vmId: 'a' });
    await s.run(
      30,
      cpuOnly((t) => 1 + 0.1 * (t % 2)),
    );
    checkSane(s.predict(), [CPU]);
    expect(s.path(slot, CPU, 0.5)[0]).toBeGreaterThan(0.95);
    expect(s.path(slot, CPU, 0.5)[0]).toBeLessThan(1.15);
  });

  it('has a peak not below the largest of its paths, the same for one step, and quantiles that ascend anywhere', async () => {
    const s = stand();
    const slot = s.admit({ vmId: 'a' });
    await s.run(400, busy(5));
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.double({ min: 0.001, max: 0.999, noNaN: true }),
        fc.integer({ min: 1, max: 12 }),
        (a, b, horizon) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)];
          const peak = s.peak(slot, CPU, low, horizon);
          const largest = Math.max(...s.path(slot, CPU, low, horizon));
          expect(peak).toBeGreaterThan(largest - 1e-6);
          if (horizon === 1) expect(peak).toBeCloseTo(largest, 6);
          expect(s.peak(slot, CPU, high, horizon)).toBeGreaterThanOrEqual(peak);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('goes on from saved models with the same forecasts bit for bit', async () => {
    const usage = busy(7);
    const a = stand();
    for (const vmId of ['p', 'q']) a.admit({ vmId, applicationId: 'x' });
    await a.run(4 * DAY_TICKS + 5, usage);
    const documents = JSON.parse(JSON.stringify(a.forecaster.models())) as { userId?: string }[];
    expect(documents.map((d) => d.userId)).toEqual([undefined, undefined, 'p', 'q']);
    expect(documents[2]).toMatchObject({
      format: 'foresize-forecast-model',
      version: 2,
      forecaster: 'prophet-ridge',
      applicationId: 'x',
      training: {
        samples: 288,
        from: expect.stringMatching(/^2024-01-01T/),
        loss: { cpu: expect.any(Number) },
      },
    });

    const b = stand();
    b.next = a.next;
    // One document before its VM is admitted, the others after.
    b.forecaster.load(documents[2]);
    for (const vmId of ['p', 'q']) b.admit({ vmId, applicationId: 'x' });
    for (const k of [0, 1, 3]) b.forecaster.load(documents[k]);
    expect(b.predict().values).toEqual(a.predict().values);
    for (let k = 0; k < DAY_TICKS; k++) {
      const frames: number[] = [];
      await a.tick((slot, r, t) => {
        const v = usage(slot, r, t);
        frames[slot * 4 + r] = v;
        return v;
      });
      await b.tick((slot, r) => frames[slot * 4 + r]!);
    }
    expect(b.predict().values).toEqual(a.predict().values);
    expect(b.forecaster.health().fits).toBeGreaterThan(0);
    expect(b.peak(1, CPU, 0.95)).toBe(a.peak(1, CPU, 0.95));
  });

  it('refuses corrupt and foreign models with a code, and trains anew', async () => {
    const a = stand();
    a.admit({ vmId: 'p' });
    await a.run(3 * DAY_TICKS, busy(9));
    const [, , pair] = JSON.parse(JSON.stringify(a.forecaster.models())) as Record<string, unknown>[];
    const codeOf = (document: unknown, given: Record<string, unknown> = {}): string => {
      try {
        stand(given).forecaster.load(document);
      } catch (error) {
        if (error instanceof ForesizeError) return error.code;
        throw error;
      }
      return 'taken';
    };
    expect(codeOf(pair)).toBe('taken');
    expect(codeOf({ ...pair, tick: 12 })).toBe('MODEL_CORRUPT');
    expect(codeOf({ ...pair, state: {} })).toBe('MODEL_CORRUPT');
    expect(codeOf('nonsense')).toBe('MODEL_CORRUPT');
    expect(codeOf({ hello: 'world' })).toBe('MODEL_CORRUPT');
    expect(codeOf({ ...pair, version: 99 })).toBe('MODEL_FOREIGN');
    expect(codeOf(pair, { windowDays: 7 })).toBe('MODEL_FOREIGN');
    const b = stand();
    b.admit({ vmId: 'p' });
    expect(() => b.forecaster.load({ ...pair, tick: 12 })).toThrow(/trained anew/);
    await b.run(3 * DAY_TICKS, busy(9));
    expect(b.predict().values).toEqual(a.predict().values);
  });
});
