import { describe, expect, it } from 'vitest';
import { DemandEstimate } from '../../core/demand-estimate.ts';
import { Frame } from '../../core/model.ts';
import { fleetOf } from './fleet-of.ts';

function estimate(usage: number[], pressure: number[], oomKills = 0): number[] {
  const fleet = fleetOf(1);
  const frame = fleet.register(new Frame());
  const estimator = new DemandEstimate(fleet);
  frame.usage.set(usage);
  frame.pressure.set(pressure);
  frame.allocation.set(fleet.requested);
  frame.oomKills[0] = oomKills;
  return [...estimator.update(frame).usage.subarray(0, 4)];
}

describe('demand estimate', () => {
  it('is the usage where nothing was held back', () => {
    expect(estimate([1, 100, 5, Number.NaN], [0, 0, 0, 0])).toEqual([1, 100, 5, Number.NaN]);
  });
  it('is usage / (1 - pressure), at most three times the usage', () => {
    expect(estimate([2, 2048, 0, 0], [0.5, 0.2, 0, 0]).slice(0, 2)).toEqual([4, 2560]);
    expect(estimate([2, 0, 0, 0], [0.9, 0, 0, 0])[0]).toBeCloseTo(6, 12);
  });
  it('takes an OOM kill for at least 100 MiB and 20 % more than the allocation: 2048 x 1.2', () => {
    expect(estimate([1, 500, 0, 0], [0, 0, 0, 0], 1)[1]).toBeCloseTo(2457.6, 9);
  });
});
