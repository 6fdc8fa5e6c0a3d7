import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CPU, R, type ResourceVector } from '../../../core/model.ts';
import {
  type AutopilotMlParams,
  autopilotMlParams,
  createAutopilotMl,
} from '../../../core/policy/autopilot-ml.ts';
import { usageGrids } from '../../../core/policy/grids.ts';
import { Feed, STEP_MS, spec } from '../feed.ts';

const grid = usageGrids(1.05)[CPU]!;
const HOUR = 3_600_000;

function setUp(
  params: Partial<AutopilotMlParams> = {},
  vms: ConstructorParameters<typeof Feed>[0] = 1,
  step = STEP_MS,
) {
  const feed = new Feed(vms, 1, step);
  const policy = feed.fleet.register(
    createAutopilotMl(autopilotMlParams.parse(params), {
      fleet: feed.fleet,
      stepMs: step,
      forecaster: undefined,
    }),
  );
  feed.frame.allocation.set(feed.fleet.requested);
  const next = (usage: ResourceVector): Float64Array => {
    feed.tick(usage);
    const desired = feed.frame.allocation.slice();
    policy.decide(feed.frame, feed.fleet.slots, desired);
    return desired;
  };
  return { feed, policy, next };
}

/** Ticks of an hour and half-lives of an hour: d_m = d = .5. Samples and limits as buckets of CPU. */
function inBuckets(params: Partial<AutopilotMlParams>) {
  const { next } = setUp({ halfLivesHours: [1], costHalfLifeHours: 1, ...params }, 1, HOUR);
  return (bucket: number): number => {
    const desired = next([(grid.starts[bucket]! + grid.ends[bucket]!) / 2, 1, 1, 1])[CPU]!;
    return grid.ends.indexOf(desired);
  };
}

describe('autopilot-ml', () => {
  it('takes the limit that would have cost least, a change included', () => {
    const next = inBuckets({ margins: [0], overrun: 3, underrun: 1, limitChange: 0.2 });
    expect(next(40)).toBe(40);
    // Weights .25 and .5. Limit 40: 3 x .5 = 1.5; limit 60: .25 + .2.
    expect(next(60)).toBe(60);
    // .625 and .25. Limit 40: .75 + .2; limit 60: .625.
    expect(next(40)).toBe(60);
    // .8125 and .125. Limit 40: .375 + .2; limit 60: .8125.
    expect(next(40)).toBe(40);
  });

  it('follows the model whose limits have cost least, a change included', () => {
    const next = inBuckets({ margins: [0, 1], overrun: 3, underrun: 1, limitChange: 0.2, modelChange: 0.1 });
    expect(next(40)).toBe(40); // models at 40 and 41, no cost yet: the first
    expect(next(60)).toBe(60); // both were overrun and changed: 3.2 / 2 = 1.6
    expect(next(40)).toBe(60); // both underrun: (1.6 + 1) / 2 = 1.3
    expect(next(40)).toBe(40); // both underrun and changed: (1.3 + 1.2) / 2 = 1.25
    // At 41 the first is overrun and changes, (1.25 + 3.2) / 2 = 2.225; the second is met exactly and changes,
    // (1.25 + .2) / 2 = .725. With changes 2.225 + .2 against .725 + .2 + .1. Limits: 41, so 41 + 1.
    expect(next(41)).toBe(42);
  });

  it('acts when it has seen an hour', () => {
    const { next } = setUp({ margins: [0] });
    for (let t = 0; t < 11; t++) expect(next([1, 1000, 1e6, 1e6])[CPU]).toBe(4);
    expect(next([1, 1000, 1e6, 1e6])[CPU]).toBe(grid.ends[grid.find(1)]);
  });

  it('does not notice that weights are scaled down', () => {
    const { next } = setUp({ halfLivesHours: [1, 2], costHalfLifeHours: 2 });
    const seen: number[][] = [];
    for (let t = 0; t < 12 * 100; t++) {
      seen.push([...next([1 + (t % 3), 1000 * (1 + (t % 2)), 1e6, 2e6])]);
      if (t > 300) expect(seen[t]).toEqual(seen[t - 6]);
    }
  });

  it('keeps the allocation over lost samples and of unmanaged resources', () => {
    const { next } = setUp({}, [
      spec('a', { requested: [4, 8192, 0, 1e8], min: [0.1, 128, 0, 1e4], max: [64, 65_536, 0, 1e10] }),
    ]);
    for (let t = 0; t < 20; t++) expect(next([1, 1000, 5e6, 1e6])[2]).toBe(0);
    const none = Number.NaN;
    expect([...next([none, none, none, none]).subarray(0, R)]).toEqual([4, 8192, 0, 1e8]);
  });

  it('gives finite positive allocations, whatever the order of slots', () => {
    const sample = fc.oneof(fc.double({ min: 0, max: 1e9, noNaN: true }), fc.constant(Number.NaN));
    const row = fc.tuple(sample, sample, sample, sample);
    fc.assert(
      fc.property(fc.array(fc.tuple(row, row, row), { minLength: 12, maxLength: 40 }), (rows) => {
        const run = (order: readonly number[]): number[] => {
          const { feed, policy } = setUp({}, 3);
          const desired = feed.frame.allocation.slice();
          for (const three of rows) {
            feed.tick((slot) => three[slot]!);
            policy.decide(feed.frame, Int32Array.from(order), desired);
            for (const d of desired.subarray(0, 3 * R)) expect(d > 0 && d < 1e12).toBe(true);
          }
          return [...desired];
        };
        expect(run([2, 0, 1])).toEqual(run([0, 1, 2]));
      }),
      { numRuns: 30 },
    );
  });
});
