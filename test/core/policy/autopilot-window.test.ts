import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CPU, MEMORY, R, type ResourceVector } from '../../../core/model.ts';
import {
  type AutopilotWindowParams,
  autopilotWindowParams,
  createAutopilotWindow,
} from '../../../core/policy/autopilot-window.ts';
import { usageGrids } from '../../../core/policy/grids.ts';
import { Feed, spec } from '../feed.ts';

const cpuGrid = usageGrids(1.05)[CPU]!;
const memoryGrid = usageGrids(1.05)[MEMORY]!;
const cpuEnd = (cores: number): number => cpuGrid.ends[cpuGrid.find(cores)]!;

function setUp(params: Partial<AutopilotWindowParams> = {}, vms: ConstructorParameters<typeof Feed>[0] = 1) {
  const feed = new Feed(vms, 1);
  const policy = feed.fleet.register(
    createAutopilotWindow(autopilotWindowParams.parse({ margin: 0, ...params }), {
      fleet: feed.fleet,
      stepMs: feed.stepMs,
      forecaster: undefined,
    }),
  );
  feed.frame.allocation.set(feed.fleet.requested);
  const step = (usage: ResourceVector): Float64Array => {
    const head = feed.history.head;
    feed.tick(usage, head < 0 ? 1 : head + 1);
    const desired = feed.frame.allocation.slice();
    policy.decide(feed.frame, feed.fleet.slots, desired);
    return desired;
  };
  return { feed, policy, step };
}

describe('autopilot-window', () => {
  it('acts when it has seen an hour, with its margin', () => {
    const { step } = setUp({ cpu: 'average', memory: 'max', margin: 0.15 });
    for (let t = 0; t < 11; t++)
      expect([...step([2, 1000, 1e6, 1e6]).subarray(0, R)]).toEqual([4, 8192, 1e8, 1e8]);
    const desired = step([2, 1000, 1e6, 1e6]);
    expect(desired[CPU]).toBeCloseTo(2.3, 12);
    expect(desired[MEMORY]).toBeCloseTo(1150, 9);
  });

  it('takes the weighted average, and the largest of the last hour', () => {
    const { step } = setUp({ cpu: 'average' });
    // Half a day of 4 cores, then 1: the average sinks, and the result is that of eleven ticks before.
    const w = 0.5 ** (1 / 144);
    const average = (fours: number, ones: number): number => {
      const older = (w ** ones * (1 - w ** fours)) / (1 - w);
      const newer = (1 - w ** ones) / (1 - w);
      return (4 * older + newer) / (older + newer);
    };
    for (let t = 0; t < 144; t++) step([4, 1, 1, 1]);
    for (let t = 1; t <= 144; t++) {
      expect(step([1, 1, 1, 1])[CPU]).toBeCloseTo(t <= 11 ? 4 : average(144, t - 11), 9);
    }
    // After as long again the older half weighs half: (4 x .5 + 1) / 1.5 = 2.
    expect(average(144, 144)).toBeCloseTo(2, 9);
  });

  it('takes percentiles of load, not of time', () => {
    // In time 4 cores are 1 of 12 samples, 8 %; in load about 4 / (4 + 11) = 27 %. So p90 of load is 4.
    const { step } = setUp({ cpu: 'p90' });
    for (let t = 0; t < 11; t++) step([1, 1, 1, 1]);
    expect(step([4, 1, 1, 1])[CPU]).toBe(cpuEnd(4));
    // With 40 samples of 1 it is 4.15 / (4.15 + 41), 9.2 %, less for its age: p90 leaves it, p95 does not.
    const p90 = setUp({ cpu: 'p90' });
    const p95 = setUp({ cpu: 'p95' });
    for (const { step } of [p90, p95]) {
      step([4, 1, 1, 1]);
      for (let t = 0; t < 51; t++) step([1, 1, 1, 1]);
    }
    expect(p90.step([1, 1, 1, 1])[CPU]).toBe(cpuEnd(1));
    expect(p95.step([1, 1, 1, 1])[CPU]).toBe(cpuEnd(4));
  });

  it('remembers the maximum of memory for its hours', () => {
    const { step } = setUp({ memory: 'max', maxHours: 2 });
    for (let t = 0; t < 12; t++) step([1, t === 5 ? 3000 : 1000, 1, 1]);
    // Hours of two: at 3000 until the hour after next begins, and for eleven ticks more as a result of the last hour.
    const seen = Array.from({ length: 36 }, () => step([1, 1000, 1, 1])[MEMORY]);
    expect(seen.filter((m) => m === 3000).length).toBe(12 + 11);
    expect(seen.at(-1)).toBe(1000);
  });

  it('halves the maximum for memory that tolerates kills', () => {
    const { step } = setUp({ memory: 'p60-half-max' });
    step([1, 3000, 1, 1]);
    let desired = step([1, 500, 1, 1]);
    for (let t = 1; t < 40; t++) desired = step([1, 500, 1, 1]);
    expect(desired[MEMORY]).toBe(1500);
    for (let t = 0; t < 40; t++) desired = step([1, 2000, 1, 1]);
    expect(desired[MEMORY]).toBe(memoryGrid.ends[memoryGrid.find(2000)]);
  });

  it('does not notice that weights are scaled down', () => {
    const { step } = setUp({ cpuHalfLifeHours: 1, memoryHalfLifeHours: 1, memory: 'p98' });
    let before: Float64Array | undefined;
    for (let t = 0; t < 12 * 90; t++) {
      const desired = step([1 + (t % 3), 1000 * (1 + (t % 2)), 1e6, 2e6]);
      if (t % 6 !== 0 || t < 360) continue;
      expect([...desired]).toEqual([...(before ?? desired)]);
      before = desired;
    }
  });

  it('keeps the allocation over lost samples and of unmanaged resources', () => {
    const { step } = setUp({}, [
      spec('a', { requested: [4, 8192, 0, 1e8], min: [0.1, 128, 0, 1e4], max: [64, 65_536, 0, 1e10] }),
    ]);
    for (let t = 0; t < 20; t++) expect(step([1, 1000, 5e6, 1e6])[2]).toBe(0);
    const none = Number.NaN;
    expect([...step([none, none, none, none]).subarray(0, R)]).toEqual([4, 8192, 0, 1e8]);
  });

  it('gives finite positive allocations, whatever the order of slots', () => {
    const sample = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constant(Number.NaN));
    const row = fc.tuple(sample, sample, sample, sample);
    const statistics = fc.record({
      cpu: fc.constantFrom('average' as const, 'p90' as const, 'p95' as const),
      memory: fc.constantFrom('p98' as const, 'max' as const, 'p60-half-max' as const),
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(row, row, row), { minLength: 12, maxLength: 60 }),
        statistics,
        (rows, params) => {
          const run = (order: readonly number[]): number[] => {
            const { feed, policy } = setUp(params, 3);
            const desired = feed.frame.allocation.slice();
            for (const three of rows) {
              feed.tick((slot) => three[slot]!);
              policy.decide(feed.frame, Int32Array.from(order), desired);
              for (const d of desired.subarray(0, 3 * R)) expect(d > 0 && d < 1e12).toBe(true);
            }
            return [...desired];
          };
          expect(run([2, 0, 1])).toEqual(run([0, 1, 2]));
        },
      ),
      { numRuns: 30 },
    );
  });
});
