import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BucketGrid } from '../../../core/histogram.ts';
import { CPU, MEMORY, R, type ResourceVector } from '../../../core/model.ts';
import { createVpa, type VpaParams, vpaParams } from '../../../core/policy/vpa.ts';
import { Feed, spec } from '../feed.ts';

const MIB = 1_048_576;
const memory = new BucketGrid(1e7 / MIB, 1e12 / MIB, 1.05);
const end = (mib: number): number => memory.ends[memory.find(mib)]!;

/** A policy with its feed; `step` gives a tick's usage and returns what is desired, which is then granted. */
function setUp(params: Partial<VpaParams> = {}, vms: ConstructorParameters<typeof Feed>[0] = 1) {
  const feed = new Feed(vms, 2);
  const policy = feed.fleet.register(
    createVpa(vpaParams.parse(params), { fleet: feed.fleet, stepMs: feed.stepMs, forecaster: undefined }),
  );
  feed.frame.allocation.set(feed.fleet.requested);
  const step = (usage: ResourceVector | ((slot: number) => ResourceVector), grant = true): Float64Array => {
    feed.tick(usage);
    const desired = feed.frame.allocation.slice();
    policy.decide(feed.frame, feed.fleet.slots, desired);
    if (grant) feed.frame.allocation.set(desired);
    feed.frame.oomKills.fill(0);
    return desired;
  };
  return { feed, policy, step };
}

describe('vpa on CPU', () => {
  it('leaves an allocation within wide early bounds, and moves it to 1.15 x p90 after 12 hours', () => {
    const { step } = setUp();
    // 1 core lies in bucket 36: .2 x (1.05^36 - 1) = .958 to .2 x (1.05^37 - 1) = 1.0163; x 1.15 = 1.1687.
    for (let t = 0; t < 144; t++) expect(step([1, 4000, 1e6, 1e6])[CPU]).toBe(4);
    expect(step([1, 4000, 1e6, 1e6])[CPU]).toBeCloseTo(0.2 * (1.05 ** 37 - 1) * 1.15, 9);
  });

  it('acts at once below the lower bound, which confidence raises', () => {
    // Lower: 1.1687 x (1 + .001 / c)^-2 with c = samples / 1440. After 2 samples .395, after 3 .534.
    const { step } = setUp({}, [spec('a', { requested: [0.5, 8192, 1e8, 1e8] })]);
    expect(step([1, 1, 1, 1])[CPU]).toBe(0.5);
    expect(step([1, 1, 1, 1])[CPU]).toBe(0.5);
    expect(step([1, 1, 1, 1])[CPU]).toBeCloseTo(1.1687, 4);
  });

  it('acts above the upper bound, which confidence lowers', () => {
    // 4 > 1.1687 x (1 + 1 / c) from c = .4128 on: 595 samples of 1/1440 (days passed: 594 / 288, more).
    const { step } = setUp({ settledHours: 1e6 });
    let changed = 0;
    for (let t = 1; changed === 0; t++) if (step([1, 1, 1, 1])[CPU] !== 4) changed = t;
    expect(changed).toBe(595);
  });

  it('forgets with a half-life: a level of two days ago weighs a quarter', () => {
    const { step, feed } = setUp({ changeThreshold: 0, settledHours: 0 });
    for (let t = 0; t < 288; t++) step([2, 1, 1, 1]);
    let ticks = 0;
    while (step([1, 1, 1, 1])[CPU]! > 1.5) ticks++;
    // p90 leaves 2 when its weight is a tenth: of what was before, W / 2 (one day), 2^-d W/2 <= .1 x total,
    // total = W (1 - 2^-(1 + d)): with x = 2^-d, x / 2 <= .1 - .05 x, x <= .1818, d = 2.459 days = 708.2 ticks.
    expect(ticks).toBeGreaterThan(705);
    expect(ticks).toBeLessThan(712);
    expect(feed.frame.tick).toBe(288 + ticks);
  });
});

describe('vpa on memory', () => {
  it('counts one peak a day, which a higher value replaces', () => {
    const { step } = setUp({ changeThreshold: 0, settledHours: 0 });
    const at = (mib: number) => step([1, mib, 1, 1])[MEMORY]!;
    expect(at(1000)).toBeCloseTo(end(1000) * 1.15, 9);
    expect(at(2000)).toBeCloseTo(end(2000) * 1.15, 9);
    for (let t = 2; t < 288; t++) expect(at(1500)).toBeCloseTo(end(2000) * 1.15, 9);
    // Second day: 500 weighs 2, 2000 weighs 1. p90 is still 2000: .9 x 3 = 2.7.
    for (let t = 0; t < 288; t++) expect(at(500)).toBeCloseTo(end(2000) * 1.15, 9);
    // Day n: 2000 weighs 1 of 2^n - 1; at most a tenth when 2^n - 1 >= 10, n = 4.
    for (let t = 0; t < 288; t++) expect(at(500)).toBeCloseTo(end(2000) * 1.15, 9);
    expect(at(500)).toBeCloseTo(end(500) * 1.15, 9);
  });

  it('takes an OOM kill for a peak of the larger of 1.2 x and 100 MiB more than was used', () => {
    const { feed, step } = setUp({}, [
      spec('a', { requested: [4, 1000, 1e8, 1e8] }),
      spec('b', { requested: [4, 200, 1e8, 1e8] }),
    ]);
    step([1, 150, 1, 1]);
    step([1, 150, 1, 1]);
    feed.frame.oomKills.fill(1);
    const desired = step([1, 150, 1, 1]);
    // Killed at 1000 and 200 MiB: 1200 and 300. Three samples make a lower bound of 1.15 x .456 x end: below both.
    expect(desired[MEMORY]).toBe(1000);
    expect(desired[R + MEMORY]).toBe(200);
    // Lower (1 + .001 / c)^-2: at 8 samples .718; 1.15 x end(1200) x .718 = 1031, so 1000 goes then.
    for (let t = 4; t < 8; t++) step([1, 150, 1, 1]);
    expect(step([1, 150, 1, 1])[MEMORY]).toBeCloseTo(end(1200) * 1.15, 9);
  });
});

describe('vpa', () => {
  it('learns nothing from lost samples, keeps the allocation then, and leaves unmanaged resources alone', () => {
    const { step } = setUp({ changeThreshold: 0, settledHours: 0 }, [
      spec('a', { requested: [4, 8192, 0, 1e8], min: [0.1, 128, 0, 1e4], max: [64, 65_536, 0, 1e10] }),
    ]);
    expect([...step([1, 1000, 5e6, 1e6]).subarray(2, 3)]).toEqual([0]);
    const before = step([1, 1000, 5e6, 1e6]).slice();
    const lost = step([Number.NaN, Number.NaN, Number.NaN, Number.NaN]);
    expect([...lost]).toEqual([...before]);
  });

  it('keeps within the bounds of the VM', () => {
    const { step } = setUp({ settledHours: 0 }, [
      spec('a', { min: [2, 4096, 1e6, 1e6], max: [3, 6000, 2e6, 2e6], requested: [2.5, 5000, 1.5e6, 1.5e6] }),
    ]);
    expect([...step([1, 9000, 1e9, 0]).subarray(0, R)]).toEqual([2, 6000, 2e6, 1e6]);
  });

  it('decides the same when weights were scaled down in between', () => {
    // The half-life of one hour moves the reference every 100 hours; a slot's answer must not notice.
    const long = setUp({ halfLifeHours: 1, changeThreshold: 0, settledHours: 0 });
    const level = (t: number): ResourceVector => [
      1 + (t % 7) / 7,
      1000 + 100 * (t % 5),
      1e6 * (1 + (t % 3)),
      2e6,
    ];
    const first = long.step(level(0)).slice();
    expect(first[CPU]).toBeGreaterThan(0);
    const seen: number[][] = [];
    for (let t = 1; t < 12 * 330; t++) {
      const desired = long.step(level(t));
      // The pattern repeats every 105 ticks; once warm, so do the decisions on CPU, disk and network.
      if (t > 300) {
        const now = [desired[0]!, desired[2]!, desired[3]!];
        seen.push(now);
        if (seen.length > 105) expect(now).toEqual(seen.at(-106));
      }
    }
  });

  it('gives finite positive allocations, whatever the order of slots', () => {
    const sample = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constant(Number.NaN));
    const row = fc.tuple(sample, sample, sample, sample);
    fc.assert(
      fc.property(fc.array(fc.tuple(row, row, row), { maxLength: 60 }), (rows) => {
        const run = (order: readonly number[]): number[] => {
          const { feed, policy } = setUp({ settledHours: 0.2 }, 3);
          const desired = feed.frame.allocation.slice();
          for (const three of rows) {
            feed.tick((slot) => three[slot]!);
            desired.set(feed.frame.allocation);
            policy.decide(feed.frame, Int32Array.from(order), desired);
            for (const d of desired.subarray(0, 3 * R)) expect(d > 0 && d < 1e12).toBe(true);
            feed.frame.allocation.set(desired);
          }
          return [...desired];
        };
        expect(run([2, 0, 1])).toEqual(run([0, 1, 2]));
      }),
      { numRuns: 30 },
    );
  });
});
