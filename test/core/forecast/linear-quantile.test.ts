import { describe, expect, it } from 'vitest';
import {
  createLinearQuantile,
  linearQuantileParams,
} from '../../../core/forecast/linear-quantile/forecaster.ts';
import { QuantileTerms } from '../../../core/forecast/linear-quantile/terms.ts';
import { CPU, MEMORY, R } from '../../../core/model.ts';
import { Rng } from '../../../core/rng.ts';
import { checkSane, cpuOnly, DAY_TICKS, Stand } from './harness.ts';

const stand = () => new Stand((ctx) => createLinearQuantile(linearQuantileParams.parse({}), ctx));

describe('terms', () => {
  it('are differences from the last value in units of the spread of steps', () => {
    const terms = new QuantileTerms(4);
    terms.grow(1);
    terms.clear(0);
    [1, 3, 2, 4, 6].forEach((y, t) => {
      terms.past.begin(t);
      terms.take(0, y);
    });
    // Steps 2, 1, 2, 2. After five samples every rate is still 1 / count: both mean steps are 7 / 4.
    const unit = terms.fromOrigin(0, 4);
    expect(unit).toBeCloseTo(Math.sqrt(1.03) * 1.75, 9);
    const x = terms.x;
    expect(x[1]! * unit).toBeCloseTo(1.75, 5);
    const near = (d: number): number => d / unit / (1 + Math.abs(d) / unit / 30);
    // Mean of all 3.2 less the last value 6; the high of the hour is 6, its low 1.
    expect(x[2]).toBeCloseTo(near(3.2 - 6), 5);
    expect(x[5]).toBe(0);
    expect(x[6]).toBeCloseTo(near(1 - 6), 5);
    // One step ahead is tick 5, time of day 1 of 4: last seen 3, at tick 1; the high around it is 6, at tick 4.
    terms.ofTarget(0, 4, 1, 1, unit);
    expect(x[10]).toBeCloseTo(near(3 - 6), 5);
    expect(x[12]).toBe(0);
    // Two steps ahead of tick 4 no minute of the hour was seen yet: as the last value.
    terms.ofTarget(0, 4, 2, 2, unit);
    expect(x[13]).toBe(0);
    expect(x[17]).toBeCloseTo(2 / 12, 12);
  });
});

describe('linear-quantile', () => {
  it('learns quantiles that are not those of the last value', async () => {
    // Usage is 1, and 3 in the tick after each quarter of an hour: known a tick, an hour and a day ahead.
    const s = stand();
    const slot = s.admit({ vmId: 'a' });
    for (let v = 1; v < 4; v++) s.admit({ vmId: `more${v}` });
    const rng = new Rng(1, 'noise');
    const usage = cpuOnly((t) => (t % 3 === 0 ? 3 : 1) + 0.1 * rng.uniform());
    await s.run(8 * DAY_TICKS, usage);
    const path = s.path(slot, CPU, 0.9);
    path.forEach((v, h) => {
      if ((s.next + h) % 3 === 0) expect(v).toBeGreaterThan(2.5);
      else expect(v).toBeLessThan(2);
    });
  });

  it('covers what it promises when the spread depends on the time of day', async () => {
    const s = stand();
    for (let v = 0; v < 4; v++) s.admit({ vmId: `vm${v}` });
    const rng = new Rng(2, 'noise');
    const noon = (t: number): number => 0.1 + 0.9 * Math.max(0, Math.sin((2 * Math.PI * t) / DAY_TICKS));
    await s.run(
      8 * DAY_TICKS,
      cpuOnly((t) => Math.max(0, 2 + noon(t) * rng.normal())),
    );
    for (const { level, share } of s.forecaster.coverage())
      expect(Math.abs(share - level)).toBeLessThan(0.02);
    // At night the band is narrow, at noon wide.
    const widths: number[] = [];
    for (let k = 0; k < 8; k++) {
      await s.run(
        DAY_TICKS / 8,
        cpuOnly((t) => Math.max(0, 2 + noon(t) * rng.normal())),
      );
      widths.push(s.path(0, CPU, 0.95, 1)[0]! - s.path(0, CPU, 0.5, 1)[0]!);
    }
    expect(Math.max(...widths)).toBeGreaterThan(2.5 * Math.min(...widths));
  });

  it('follows a series that only climbs, as a counter does', async () => {
    const s = stand();
    const slot = s.admit({ vmId: 'a' });
    const rng = new Rng(5, 'noise');
    let total = 1000;
    await s.run(
      4 * DAY_TICKS,
      cpuOnly(() => {
        total += 0.5 + rng.uniform();
        return total;
      }),
    );
    // Twelve steps of 1 on average.
    expect(Math.abs(s.path(slot, CPU, 0.5)[11]! - (total + 12))).toBeLessThan(8);
    expect(s.path(slot, CPU, 0.95)[11]! - total).toBeLessThan(40);
  });

  it.each([
    ['a constant', () => 3],
    ['zeros', () => 0],
    ['one spike', (t: number) => (t === 500 ? 4 : 0)],
    ['a gap of a day', (t: number) => (t > 300 && t <= 588 ? Number.NaN : 1 + (t % 12) / 12)],
    ['NaN after a gap', (t: number) => (t % 50 >= 30 ? Number.NaN : 1 + Math.sin(t / 10))],
    ['a level shift', (t: number) => (t < 400 ? 0.2 : 3.5)],
    ['impossible numbers', (t: number) => [1, -1, Number.POSITIVE_INFINITY, 2][t % 4]!],
  ])('stays finite, not negative and ordered on %s', async (_, value) => {
    const s = stand();
    const slot = s.admit({ vmId: 'a' });
    for (let t = 0; t < 3 * DAY_TICKS; t++) {
      await s.tick(cpuOnly(value));
      if (t % 17 === 0) checkSane(s.predict(), [CPU]);
    }
    checkSane(s.predict(40), [CPU]);
    expect(s.peak(slot, MEMORY, 0.9)).toBeNaN();
    expect(s.peak(slot, CPU, 0.9)).toBeGreaterThan(Math.max(...s.path(slot, CPU, 0.9)) - 1e-6);
    expect(s.peak(slot, CPU, 0.9, 1)).toBeCloseTo(s.path(slot, CPU, 0.9)[0]!, 6);
    expect(s.peak(slot, CPU, 0.5)).toBeLessThanOrEqual(s.peak(slot, CPU, 0.9));
  });

  it('says of a shorter series than a season what the last values say', async () => {
    const s = stand();
    const slot = s.admit({ vmId: 'a' });
    await s.run(
      30,
      cpuOnly((t) => 1 + 0.1 * (t % 2)),
    );
    checkSane(s.predict(), [CPU]);
    const first = s.path(slot, CPU, 0.5)[0]!;
    expect(first).toBeGreaterThan(0.95);
    expect(first).toBeLessThan(1.2);
  });

  it('gives a new user of a known application its last value at first, and never more than it has reason to', async () => {
    const s = stand();
    for (const userId of ['u', 'v', 'w']) s.admit({ vmId: userId, applicationId: 'shop', userId });
    const rng = new Rng(6, 'noise');
    const usage = cpuOnly((t) => (t % 10 === 0 ? 3 : 1) + 0.1 * rng.uniform());
    await s.run(3 * DAY_TICKS + 40, usage);
    const slot = s.admit({ vmId: 'x', applicationId: 'shop', userId: 'x' });
    let highest = 0;
    for (let k = 0; k < 30; k++) {
      await s.tick(usage);
      const last = s.frame.usage[slot * R + CPU]!;
      highest = Math.max(highest, last);
      checkSane(s.predict(), [CPU]);
      const path = s.path(slot, CPU, 0.5);
      if (k === 0) for (const v of path) expect(v).toBeCloseTo(last, 1);
      // Half as much again as the highest of late, and what calibration adds.
      for (const v of path) expect(v).toBeLessThan(2 * highest);
    }
  });

  it('goes on from saved models with the same forecasts bit for bit', async () => {
    const usage = (seed: number) => {
      const rng = new Rng(seed, 'noise');
      return cpuOnly(() => 1 + rng.uniform());
    };
    const a = stand();
    a.admit({ vmId: 'p' });
    await a.run(2 * DAY_TICKS + 7, usage(1));
    const b = stand();
    b.next = a.next;
    b.admit({ vmId: 'p' });
    const documents = JSON.parse(JSON.stringify(a.forecaster.models()));
    expect(documents[2]).toMatchObject({
      forecaster: 'linear-quantile',
      training: { samples: expect.any(Number), loss: { cpu: expect.any(Number) } },
    });
    for (const document of documents) b.forecaster.load(document);
    expect(b.predict().values).toEqual(a.predict().values);
    await a.run(DAY_TICKS, usage(2));
    await b.run(DAY_TICKS, usage(2));
    expect(b.predict().values).toEqual(a.predict().values);
  });
});
