import { describe, expect, it } from 'vitest';
import { Fleet } from '../../../core/fleet.ts';
import { autoParams, createAuto } from '../../../core/forecast/auto/forecaster.ts';
import { COMPARED, Standings } from '../../../core/forecast/auto/standings.ts';
import { Hierarchy } from '../../../core/forecast/hierarchy.ts';
import { createHoltWinters, holtWintersParams } from '../../../core/forecast/holt-winters.ts';
import { createLastValue } from '../../../core/forecast/last-value.ts';
import {
  createLinearQuantile,
  linearQuantileParams,
} from '../../../core/forecast/linear-quantile/forecaster.ts';
import { createProphetRidge, prophetRidgeParams } from '../../../core/forecast/prophet-ridge/forecaster.ts';
import { createSeasonalNaive } from '../../../core/forecast/seasonal-naive.ts';
import type { ForecastContext, Forecaster } from '../../../core/forecast/types.ts';
import { normalQuantile } from '../../../core/math.ts';
import { CPU } from '../../../core/model.ts';
import { Rng } from '../../../core/rng.ts';
import { checkSane, cpuOnly, DAY_TICKS, Stand } from './harness.ts';

const makers: Record<string, (ctx: ForecastContext) => Forecaster> = {
  'last-value': (ctx) => createLastValue({}, ctx),
  'seasonal-naive': (ctx) => createSeasonalNaive({ season: 'day' }, ctx),
  'holt-winters': (ctx) => createHoltWinters(holtWintersParams.parse({}), ctx),
  'prophet-ridge': (ctx) => createProphetRidge(prophetRidgeParams.parse({}), ctx),
  'linear-quantile': (ctx) => createLinearQuantile(linearQuantileParams.parse({}), ctx),
};

const stand = (names: readonly string[] = Object.keys(makers)) =>
  new Stand((ctx) =>
    createAuto(
      autoParams.parse({ candidates: names }),
      ctx,
      names.map((name) => makers[name]!(ctx)),
    ),
  );

function weightsOf(s: ReturnType<typeof stand>, applicationId?: string, userId?: string) {
  const found = s.forecaster
    .choices()
    .find((c) => c.applicationId === applicationId && c.userId === userId && c.resource === 'cpu');
  return found!.weights;
}

describe('standings', () => {
  function standings() {
    const fleet = new Fleet();
    const rows = fleet.register(new Hierarchy(fleet));
    const zero = [0, 0, 0, 0] as const;
    const spec = { applicationId: 'a', requested: zero, min: zero, max: zero };
    fleet.admit({ ...spec, vmId: '1', userId: 'u' }, 0);
    fleet.admit({ ...spec, vmId: '2', userId: 'v' }, 0);
    const s = new Standings(rows, 2, 1);
    s.grow();
    return s;
  }
  const right = [...COMPARED];

  it('keep to the fallback until the fleet was compared often enough', () => {
    const s = standings();
    for (let k = 0; k < 11; k++) s.add(2, CPU, Float64Array.of(1, 5), 0, right);
    s.decide(0);
    expect(Array.from(s.weights.subarray(0, 2))).toEqual([0, 1]);
    s.add(2, CPU, Float64Array.of(1, 5), 0, right);
    s.decide(0);
    expect(s.weights[0]).toBeCloseTo(1, 9);
  });

  it('weigh by the inverse 16th power of the losses: 1.1 against 1 is 1 to 4.6', () => {
    const s = standings();
    for (let k = 0; k < 50; k++) s.add(2, CPU, Float64Array.of(2.2, 2), 0, right);
    s.decide(0);
    const at = 2 * 4 * 2;
    expect(s.weights[at + 1]! / s.weights[at]!).toBeCloseTo(1.1 ** 16, 3);
  });

  it('count an event as four usual comparisons at most', () => {
    const s = standings();
    for (let k = 0; k < 20; k++) s.add(2, CPU, Float64Array.of(2, 4), 0, right);
    s.add(2, CPU, Float64Array.of(900, 300), 0, right);
    s.decide(0);
    // 20 times (2, 4), and (900, 300) scaled from 1200 to 4 x 6 = 24: (18, 6). In all (58, 86), 144 over 21 comparisons.
    const own = [(21 * 58) / 144, (21 * 86) / 144];
    // The application counts 20 times (2, 4) / 6 and (18, 6) / (144 / 21): (9.292, 14.208) of 23.5, as 6 comparisons.
    const parents = [(6 * 9.2917) / 23.5, (6 * 14.2083) / 23.5];
    const at = 2 * 4 * 2;
    const ratio = (own[1]! + parents[1]!) / (own[0]! + parents[0]!);
    expect(s.weights[at]! / s.weights[at + 1]! / ratio ** 16).toBeCloseTo(1, 3);
  });

  it('lend a pair that was never compared the standings of its application', () => {
    const s = standings();
    for (let k = 0; k < 50; k++) s.add(2, CPU, Float64Array.of(2, 4), 0, right);
    s.decide(0);
    expect(s.weights[3 * 4 * 2]).toBeGreaterThan(0.99);
  });

  it('hold silence against a candidate', () => {
    const s = standings();
    for (let k = 0; k < 50; k++) s.add(2, CPU, Float64Array.of(Number.NaN, 4), 0, right);
    s.decide(0);
    expect(s.weights[2 * 4 * 2 + 1]).toBeGreaterThan(0.99);
  });

  it('lower the level that is asked when too much was covered, and raise it when too little', () => {
    const s = standings();
    const z = normalQuantile(0.9);
    for (let k = 0; k < 10; k++) s.add(2, CPU, Float64Array.of(1, 1), 0, [0.5, 1, 0.95, 0.9]);
    // Ten times 0.05 (0.9 - 1) at .9, ten times 0.05 (0.99 - 0.9) at .99, nothing at .5 and .95.
    expect(s.corrected(2, CPU, z)).toBeCloseTo(z - 0.05, 12);
    expect(s.corrected(2, CPU, 0)).toBe(0);
    expect(s.corrected(2, CPU, normalQuantile(0.99))).toBeCloseTo(normalQuantile(0.99) + 0.045, 12);
  });
});

describe('auto', () => {
  it('begins as last-value', async () => {
    const s = stand();
    const slot = s.admit({ vmId: 'a' });
    await s.run(
      5,
      cpuOnly((t) => 1 + t),
    );
    for (const v of s.path(slot, CPU, 0.5, 3)) expect(Math.abs(v - 5)).toBeLessThan(0.2);
    checkSane(s.predict(), [CPU]);
    expect(weightsOf(s)['last-value']).toBe(1);
  });

  it('finds out who is right for each pair, and tells new pairs of the application', async () => {
    const s = stand(['last-value', 'seasonal-naive']);
    s.admit({ vmId: 'a', applicationId: 'cron', userId: 'u' });
    s.admit({ vmId: 'b', applicationId: 'walk', userId: 'u' });
    const rng = new Rng(1, 'walk');
    let level = 2;
    await s.run(3 * DAY_TICKS, (slot, r, t) => {
      if (r !== CPU) return Number.NaN;
      // A job every two hours at the same minutes of the day; and a random walk.
      if (slot === 0) return t % 24 < 4 ? 3 : 0.5 + 0.01 * (t % 3);
      level = Math.max(0.1, level + 0.05 * rng.normal());
      return level;
    });
    expect(weightsOf(s, 'cron', 'u')['seasonal-naive']).toBeGreaterThan(0.9);
    expect(weightsOf(s, 'walk', 'u')['last-value']).toBeGreaterThan(0.9);
    s.admit({ vmId: 'c', applicationId: 'cron', userId: 'v' });
    expect(weightsOf(s, 'cron', 'v')['seasonal-naive']).toBeGreaterThan(0.9);
  });

  it('stays finite, not negative and ordered, whatever it averages', async () => {
    const s = stand();
    s.admit({ vmId: 'a' });
    const rng = new Rng(3, 'x');
    for (let t = 0; t < 3 * DAY_TICKS; t++) {
      const odd = t > 400 && t < 700 ? Number.NaN : t % 97 === 0 ? 4 : 0.5 * rng.uniform();
      await s.tick(cpuOnly(() => odd));
      if (t > 20 && t % 19 === 0) checkSane(s.predict(), [CPU]);
    }
    checkSane(s.predict(30), [CPU]);
    expect(s.peak(0, CPU, 0.9)).toBeGreaterThan(0);
    expect(s.peak(0, CPU, 0.95, 30)).toBeGreaterThanOrEqual(s.peak(0, CPU, 0.9, 30));
  });

  it.each([
    ['a constant', () => 3],
    ['zeros', () => 0],
    ['one spike', (t: number) => (t === 500 ? 4 : 0)],
    ['a gap of a day', (t: number) => (t > 200 && t <= 488 ? Number.NaN : 1 + (t % 12) / 12)],
    ['NaN after a gap', (t: number) => (t % 50 >= 30 ? Number.NaN : 1 + Math.sin(t / 10))],
    ['a series shorter than a day', (t: number) => (t < 600 ? Number.NaN : 1 + (t % 3))],
    ['a level shift', (t: number) => (t < 400 ? 0.2 : 3.5)],
    ['impossible numbers', (t: number) => [1, -1, Number.POSITIVE_INFINITY, 2][t % 4]!],
  ])('stays finite, not negative and ordered on %s', async (_, value) => {
    const s = stand(['last-value', 'seasonal-naive', 'prophet-ridge', 'linear-quantile']);
    s.admit({ vmId: 'a' });
    let seen = false;
    for (let t = 0; t < 2.3 * DAY_TICKS; t++) {
      await s.tick(cpuOnly(value));
      seen ||= Number.isFinite(value(t)) && value(t) >= 0;
      if (!seen || t % 23 !== 0) continue;
      checkSane(s.predict(), [CPU]);
      for (const h of [1, 3, 12]) {
        const low = s.peak(0, CPU, 0.5, h);
        expect(low).toBeGreaterThanOrEqual(0);
        expect(s.peak(0, CPU, 0.95, h)).toBeGreaterThanOrEqual(low);
        expect(s.peak(0, CPU, 0.95, h)).toBeLessThan(1e6);
      }
    }
  });

  it('gives a new user of a known application its shape from the first sample', async () => {
    const s = stand(['last-value', 'seasonal-naive', 'prophet-ridge', 'linear-quantile']);
    for (const userId of ['u', 'v']) s.admit({ vmId: userId, applicationId: 'shop', userId });
    const shape = (t: number): number => 2 + 1.5 * Math.sin((2 * Math.PI * t) / DAY_TICKS);
    await s.run(5 * DAY_TICKS - 12, cpuOnly(shape));
    const slot = s.admit({ vmId: 'w', applicationId: 'shop', userId: 'w' });
    await s.tick(cpuOnly(shape));
    // An hour ahead 0.39 more: last-value would be off by all of it.
    const truth = shape(s.next + 11);
    expect(truth - shape(s.next - 1)).toBeGreaterThan(0.35);
    expect(Math.abs(s.path(slot, CPU, 0.5)[11]! - truth)).toBeLessThan(0.2);
  });

  it('goes on from saved models, its own and the candidates, bit for bit', async () => {
    const names = ['prophet-ridge', 'linear-quantile'];
    const noise = (seed: number) => {
      const rng = new Rng(seed, 'noise');
      return cpuOnly((t) => 1 + Math.sin(t / 40) + rng.uniform());
    };
    const a = stand(names);
    a.admit({ vmId: 'p' });
    await a.run(3 * DAY_TICKS + 4, noise(1));
    const b = stand(names);
    b.next = a.next;
    b.admit({ vmId: 'p' });
    for (const document of JSON.parse(JSON.stringify(a.forecaster.models()))) b.forecaster.load(document);
    expect(b.predict().values).toEqual(a.predict().values);
    await a.run(100, noise(2));
    await b.run(100, noise(2));
    expect(b.predict().values).toEqual(a.predict().values);
    expect(b.forecaster.choices()).toEqual(a.forecaster.choices());
  });
});
