import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CPU, type ResourceVector, type VmSpec } from '../../core/model.ts';
import { Profiler, profilerParams } from '../../core/profiler.ts';
import { Feed, spec } from './feed.ts';

const HOUR = 12;
const DAY = 24 * HOUR;

function setUp(vms: number | readonly VmSpec[] = 1, params: object = {}) {
  const feed = new Feed(vms, 1);
  const profiler = feed.fleet.register(new Profiler(profilerParams.parse(params), feed.fleet, feed.stepMs));
  /** Feeds ticks that end up to and with `until`; tick t covers the five minutes before t x 5 min. */
  const run = (until: number, usage: (hour: number, slot: number) => ResourceVector): void => {
    for (let t = feed.history.head < 0 ? 1 : feed.history.head + 1; t <= until; t++) {
      profiler.observe(feed.tick((slot) => usage(Math.floor((t - 1) / HOUR), slot), t));
    }
  };
  return { feed, profiler, run };
}

describe('a baseline', () => {
  it('is given after the observation period, to the tick that ends it', () => {
    const { profiler, run } = setUp();
    run(DAY, () => [1, 2, 3, 4]);
    expect(profiler.pair('app', 'user')).toBeUndefined();
    run(DAY + 1, () => [1, 2, 3, 4]);
    expect(profiler.pair('app', 'user')?.hours).toBe(24);
    expect(profiler.pair('app', 'nobody')).toBeUndefined();
    const short = setUp(1, { observationPeriod: 36 });
    short.run(36, () => [1, 2, 3, 4]);
    expect(short.profiler.baseline('user', 'user')).toBeUndefined();
    short.run(37, () => [1, 2, 3, 4]);
    expect(short.profiler.baseline('user', 'user')?.hours).toBe(3);
  });

  it('of a constant is that constant', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e4, noNaN: true }), (c) => {
        const { profiler, run } = setUp(3, { observationPeriod: 1 });
        run(3 * DAY + 1, () => [c, c, c, c]);
        for (const level of ['pair', 'application', 'user', 'global'] as const) {
          const id = { pair: 'app\u001fuser', application: 'app', user: 'user', global: '' }[level];
          const cpu = profiler.baseline(level, id)!.resources.cpu;
          expect(cpu.mean).toBeCloseTo(c, 9);
          expect(cpu.cv).toBeLessThan(1e-9);
          for (const q of Object.values(cpu.quantiles)) expect(q).toBeCloseTo(c, 9);
          for (const ratio of [...cpu.daily, ...cpu.weekly]) expect(ratio).toBeCloseTo(1, 6);
          expect(Math.abs(cpu.trendPerDay)).toBeLessThan(1e-9 * c);
          expect(cpu.samples).toBe(3 * 72);
        }
      }),
      { numRuns: 10 },
    );
  });

  it('has mean and variation of hourly means, and correlations', () => {
    const { profiler, run } = setUp();
    // Hours alternate: cpu 1, 3; memory likewise; disk the other way; network constant. Mean 2, deviation 1.
    run(2 * DAY + 1, (hour) => (hour % 2 === 0 ? [1, 100, 3, 5] : [3, 300, 1, 5]));
    const { resources, correlation } = profiler.pair('app', 'user')!;
    expect(resources.cpu.mean).toBeCloseTo(2, 12);
    expect(resources.cpu.cv).toBeCloseTo(0.5, 12);
    expect(resources.memory.cv).toBeCloseTo(0.5, 12);
    const expected = [
      [1, 1, -1, 0],
      [1, 1, -1, 0],
      [-1, -1, 1, 0],
      [0, 0, 0, 1],
    ];
    correlation.forEach((row, a) => {
      row.forEach((c, b) => {
        expect(c).toBeCloseTo(expected[a]![b]!, 12);
      });
    });
  });

  it('counts an hour once, however many VMs it has', () => {
    const { feed, profiler, run } = setUp(1);
    // One day of one VM at 1, then one day of three at 1, 2, 6: means 1 and 3, so 2 in all.
    run(DAY, () => [1, 1, 1, 1]);
    feed.fleet.admit(spec('b'), DAY);
    feed.fleet.admit(spec('c'), DAY);
    run(2 * DAY + 1, (_, slot) => [[1, 2, 6][slot]!, 1, 1, 1]);
    const cpu = profiler.pair('app', 'user')!.resources.cpu;
    expect(cpu.mean).toBeCloseTo(2, 12);
    // Second moments: 1 and (1 + 4 + 36) / 3; variance (1 + 41 / 3) / 2 - 4 = 3.333.
    expect(cpu.cv).toBeCloseTo(Math.sqrt(10 / 3) / 2, 12);
    expect(cpu.samples).toBe(24 + 72);
  });

  it('has daily and weekly shapes', () => {
    const { profiler, run } = setUp();
    run(14 * DAY + 1, (hour) => [1 + (hour % 24), Math.floor(hour / 24) % 7 === 4 ? 80 : 10, 0, 0]);
    const { cpu, memory, diskIo } = profiler.pair('app', 'user')!.resources;
    for (let h = 0; h < 24; h++) expect(cpu.daily[h]).toBeCloseTo((1 + h) / 12.5, 5);
    // The epoch was a Thursday: four days on is Monday, the start of the week. Mean (80 + 6 x 10) / 7 = 20.
    expect(memory.weekly.slice(0, 24)).toEqual(new Array(24).fill(4));
    expect(memory.weekly.slice(24)).toEqual(new Array(144).fill(0.5));
    expect(diskIo.weekly).toEqual(new Array(168).fill(1));
  });

  it('has the trend of daily means', () => {
    const { profiler, run } = setUp();
    run(6 * DAY + 1, (hour) => [10 + 2 * Math.floor(hour / 24), 5000 - hour, 7, 0]);
    const { cpu, memory, diskIo } = profiler.pair('app', 'user')!.resources;
    expect(cpu.trendPerDay).toBeCloseTo(2, 9);
    expect(memory.trendPerDay).toBeCloseTo(-24, 9);
    expect(diskIo.trendPerDay).toBeCloseTo(0, 9);
  });

  it('has quantiles of the peak of an hour', () => {
    const { profiler, feed } = setUp();
    // Every tenth hour has one sample of 100, the others of 10; all other samples are 1.
    for (let t = 1; t <= 20 * DAY; t++) {
      const hour = Math.floor((t - 1) / HOUR);
      const peak = hour % 10 === 0 ? 100 : 10;
      profiler.observe(feed.tick([t % HOUR === 5 ? peak : 1, 1, 1, 1], t));
    }
    const { quantiles } = profiler.pair('app', 'user')!.resources.cpu;
    expect(quantiles['0.5']).toBeGreaterThanOrEqual(10);
    expect(quantiles['0.5']).toBeLessThan(11);
    expect(quantiles['0.95']).toBe(100);
    expect(profiler.expect(0, CPU, 0.8)).toBe(quantiles['0.5']);
  });

  it('forgets with its half-life', () => {
    const { profiler, run } = setUp(1, { halfLifeDays: 1 });
    run(10 * DAY, () => [8, 8, 8, 8]);
    run(11 * DAY + 1, () => [4, 4, 4, 4]);
    expect(profiler.pair('app', 'user')!.resources.cpu.mean).toBeCloseTo(6, 2);
    run(14 * DAY + 1, () => [4, 4, 4, 4]);
    expect(profiler.expect(0, CPU, 0.9)).toBeLessThan(4.4); // 1/16 of the weight is at 8
    expect(profiler.expect(0, CPU, 0.95)).toBe(8);
  });
});

describe('what to expect of a VM', () => {
  it('is that of its pair, else of its application, else of all, in proportion to its size', () => {
    const { feed, profiler, run } = setUp([spec('a', { applicationId: 'web', userId: 'ann' })]);
    const at = (vmId: string) => profiler.expect(feed.fleet.slotOf(vmId)!, CPU, 0.9);
    expect(at('a')).toBeNaN();
    run(DAY + 1, () => [2, 1, 1, 1]);
    expect(at('a')).toBe(2);
    const big: ResourceVector = [8, 8192, 1e8, 1e8];
    feed.fleet.admit(spec('b', { applicationId: 'web', userId: 'ann', requested: big }), DAY);
    feed.fleet.admit(spec('c', { applicationId: 'web', userId: 'bob', requested: big }), DAY);
    feed.fleet.admit(spec('d', { applicationId: 'batch', userId: 'bob', requested: [1, 1, 1, 1] }), DAY);
    expect(at('b')).toBe(2);
    expect(at('c')).toBe(4);
    expect(at('d')).toBe(0.5);
  });
});

describe('the profiler', () => {
  it('counts the begun hour of a VM that leaves, and starts afresh in its slot', () => {
    const { feed, profiler, run } = setUp(2, { observationPeriod: 1 });
    run(6, () => [1, 1, 1, 1]);
    feed.fleet.retire('vm1');
    feed.fleet.admit(spec('other', { applicationId: 'other' }), 6);
    run(HOUR + 1, () => [5, 5, 5, 5]);
    // app: one VM at 1, the other at 1 for half the hour and 5 after, mean 3: (1 + 3) / 2.
    expect(profiler.baseline('application', 'app')!.resources.cpu.mean).toBeCloseTo(2, 12);
    expect(profiler.baseline('application', 'other')!.resources.cpu.mean).toBe(5);
  });

  it('gives finite numbers for any samples, lost ones too, and the same for any order of slots', () => {
    const sample = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constant(Number.NaN));
    const row = fc.tuple(sample, sample, sample, sample);
    const numbers = (value: unknown): number[] =>
      typeof value === 'number' ? [value] : Object.values(value ?? {}).flatMap(numbers);
    fc.assert(
      fc.property(fc.array(fc.tuple(row, row), { minLength: 1, maxLength: 80 }), (rows) => {
        const run = (swap: boolean): number[] => {
          const { feed, profiler } = setUp(2, { observationPeriod: 1 });
          rows.forEach(([a, b], t) => {
            profiler.observe(feed.tick((slot) => ((slot === 0) !== swap ? a : b), t));
          });
          const baseline = profiler.pair('app', 'user');
          for (const c of numbers(baseline?.correlation)) expect(Math.abs(c)).toBeLessThanOrEqual(1);
          return numbers(baseline?.resources);
        };
        const straight = run(false);
        const swapped = run(true);
        straight.forEach((x, i) => {
          expect(Number.isFinite(x)).toBe(true);
          expect(Math.abs(x - swapped[i]!)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(x)));
        });
      }),
      { numRuns: 30 },
    );
  });
});
