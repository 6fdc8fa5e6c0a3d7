import { describe, expect, it } from 'vitest';
import type { Forecaster } from '../../../core/forecast/types.ts';
import { Frame, R } from '../../../core/model.ts';
import { createQuantile, quantileParams } from '../../../core/policy/quantile.ts';
import { createThreshold, thresholdParams } from '../../../core/policy/threshold.ts';
import { fleetOf } from '../fleet-of.ts';

/** Forecasts the same row for every VM, whatever is asked. */
function constant(row: readonly number[]): Forecaster {
  return {
    name: 'constant',
    grow() {},
    admit() {},
    observe() {},
    peak(slots, _horizon, _quantile, out) {
      for (const slot of slots) out.set(row, slot * R);
    },
    predict() {},
  };
}

function decide(
  kind: 'threshold' | 'quantile',
  params: object,
  need: readonly number[],
  allocation: readonly number[],
): number[] {
  const fleet = fleetOf(1);
  const ctx = { fleet, stepMs: 300_000, forecaster: constant(need) };
  const policy = fleet.register(
    kind === 'threshold'
      ? createThreshold(thresholdParams.parse(params), ctx)
      : createQuantile(quantileParams.parse(params), ctx),
  );
  const desired = Float64Array.from(allocation);
  policy.decide(fleet.register(new Frame()), fleet.slots, desired);
  return [...desired];
}

describe('the seed policy', () => {
  it('moves to the need above 1.2 x or below 0.8 x the allocation, and else leaves it', () => {
    // Allocation 10: 12 is not above 12, 12.1 is; 8 is not below 8, 7.9 is.
    expect(decide('threshold', {}, [12, 12.1, 8, 7.9], [10, 10, 10, 10])).toEqual([10, 12.1, 10, 7.9]);
  });
  it('takes other factors', () => {
    expect(decide('threshold', { up: 1, down: 0.5 }, [10.1, 10, 4.9, 5], [10, 10, 10, 10])).toEqual([
      10.1, 10, 4.9, 10,
    ]);
  });
  it('leaves a VM of which nothing is known', () => {
    expect(decide('threshold', {}, [Number.NaN, 1, 1, 1], [10, 1, 1, 1])).toEqual([10, 1, 1, 1]);
  });
  it('refuses thresholds that cross', () => {
    expect(thresholdParams.safeParse({ up: 0.7, down: 0.8 }).error?.issues[0]).toMatchObject({
      path: ['down'],
      message: 'the thresholds cross: down must be below up',
    });
  });
});

describe('the quantile policy', () => {
  it('provides for the need and a margin, outside its bands', () => {
    // Need 10 with 10 % margin: 11. Bands: up 0, down 10 %: 11 < 12.2 x 0.9 = 10.98 is false, 11 < 12.3 x .9 = 11.07 is true.
    const params = { margin: 0.1, downBand: 0.1, memory: { margin: 0.1 } };
    const target = 10 * 1.1;
    expect(decide('quantile', params, [10, 10, 10, 10], [10.9, 11.5, 12.2, 12.3])).toEqual([
      target,
      11.5,
      12.2,
      target,
    ]);
  });

  it('keeps memory at the highest usage of the last day, with the margin', () => {
    const fleet = fleetOf(1);
    const need = [1, 100, 1, 1];
    const ctx = { fleet, stepMs: 300_000, forecaster: constant(need) };
    const policy = fleet.register(createQuantile(quantileParams.parse({ memory: { margin: 0.1 } }), ctx));
    const frame = fleet.register(new Frame());
    const memoryAt = (tick: number, usage: number, oomKills = 0): number => {
      frame.tick = tick;
      frame.usage.set([1, usage, 1, 1]);
      frame.allocation.set([1, 500, 1, 1]);
      frame.oomKills[0] = oomKills;
      const desired = Float64Array.of(1, 500, 1, 1);
      policy.decide(frame, fleet.slots, desired);
      return desired[1]!;
    };
    expect(memoryAt(0, 80)).toBeCloseTo(110, 9);
    expect(memoryAt(1, 300)).toBeCloseTo(330, 9);
    expect(memoryAt(12 * 24, 80)).toBeCloseTo(330, 9);
    // The hour of tick 1 is the first; it leaves after 24 more.
    expect(memoryAt(12 * 25, 80)).toBeCloseTo(110, 9);
    // Killed at 500: 100 more, or 20 %. Demand was at least 600.
    expect(memoryAt(12 * 25 + 1, 0, 1)).toBeCloseTo(660, 9);
    expect(memoryAt(12 * 25 + 2, Number.NaN)).toBeCloseTo(660, 9);
  });
});
