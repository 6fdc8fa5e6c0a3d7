import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type HostGroup, pack } from '../../../core/cost/consolidate.ts';
import type { FleetHistory, VmHistory } from '../../../core/cost/history.ts';
import { advisorParams } from '../../../core/cost/params.ts';
import { reservedAmount } from '../../../core/cost/reserve.ts';
import { retireIdle } from '../../../core/cost/retire.ts';
import { rightSize } from '../../../core/cost/right-size.ts';
import { cheapestWindow, shiftOffPeak } from '../../../core/cost/shift.ts';

const HOUR = 3_600_000;

describe('reserved capacity', () => {
  it('is the quantile of the load at the discount', () => {
    const load = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    const flat = load.map(() => 1);
    // A unit costs 0.7 an hour: it pays while at least 7 of 10 hours need it. 4 is needed in 7 hours, 5 in 6.
    expect(reservedAmount(load, flat, 0.3)).toBe(4);
    // At 0.5 an hour: 6 is needed in 5 hours.
    expect(reservedAmount(load, flat, 0.5)).toBe(6);
  });

  it('counts an hour at half price half', () => {
    // Two hours at price 1 and load 5, two at 0.5 and load 1: a unit spares 2 for 5 units, 3 for 1; it costs 4 x 0.6.
    expect(reservedAmount([5, 5, 1, 1], [1, 1, 0.5, 0.5], 0.4)).toBe(1);
    // At 0.5 an hour it costs 2, which the two hours spare.
    expect(reservedAmount([5, 5, 1, 1], [1, 1, 0.5, 0.5], 0.5)).toBe(5);
  });

  it('is the cheapest amount of all', () => {
    const cost = (x: number, load: readonly number[], price: readonly number[], discount: number) =>
      x * (1 - discount) * load.length + load.reduce((sum, l, i) => sum + Math.max(0, l - x) * price[i]!, 0);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.constantFrom(0.25, 0.5, 1)), { minLength: 1 }),
        fc.constantFrom(0.125, 0.25, 0.5, 0.75),
        (hours, discount) => {
          const load = hours.map(([l]) => l);
          const price = hours.map(([, p]) => p);
          const best = cost(reservedAmount(load, price, discount), load, price, discount);
          for (let x = 0; x <= 20; x++)
            expect(cost(x, load, price, discount)).toBeGreaterThanOrEqual(best - 1e-9);
        },
      ),
    );
  });
});

describe('packing', () => {
  const group: HostGroup = { count: 3, limit: [8, 16384, Infinity, Infinity], cores: 8 };
  const vm = (cores: number) => [cores, 1024, 0, 0];

  it('fills the first hosts first, the largest VMs first', () => {
    // 6 + 2 and 5 + 3 fill two hosts.
    expect(pack([2, 3, 5, 6].map(vm), [group])).toEqual({ hosts: [2], tooLarge: 0, left: 0 });
  });

  it('counts a VM larger than any host, and goes on', () => {
    expect(pack([9, 8].map(vm), [group])).toEqual({ hosts: [1], tooLarge: 1, left: 0 });
    expect(pack([8, 8, 8, 8].map(vm), [group]).left).toBe(1);
  });
});

describe('the cheapest window', () => {
  const night = Array.from({ length: 24 }, (_, h) => (h >= 22 || h < 6 ? 0.5 : 1));
  it('is the first after the work comes', () => {
    expect(cheapestWindow(night, 3, 9)).toEqual([22, 23, 0]);
    expect(cheapestWindow(night, 3, 23)).toEqual([23, 0, 1]);
    expect(cheapestWindow(night, 24, 5)).toHaveLength(24);
  });
});

/** A VM with the same use and allocation in every tick of an hour. */
function history(days: number, vms: Record<string, { usage: number[]; allocation: number[] }>): FleetHistory {
  const ticks = days * 24;
  const rows = (row: readonly number[]) => Float32Array.from({ length: ticks * 4 }, (_, i) => row[i % 4]!);
  return {
    epochMs: 0,
    stepMs: HOUR,
    ticks,
    vms: Object.entries(vms).map(
      ([vmId, { usage, allocation }]): VmHistory => ({
        vmId,
        applicationId: 'app',
        userId: 'u',
        start: 0,
        usage: rows(usage),
        allocation: rows(allocation),
      }),
    ),
  };
}

describe('idle VMs', () => {
  const allocation = [4, 8192, 1e8, 1e8];
  const params = advisorParams.parse({});

  it('are idle by all four resources', () => {
    const fleet = history(6, {
      idle: { usage: [0.05, 1000, 1e4, 1e4], allocation },
      cpu: { usage: [0.5, 1000, 1e4, 1e4], allocation },
      disk: { usage: [0.05, 1000, 1e6, 1e4], allocation },
      network: { usage: [0.05, 1000, 1e4, 1e6], allocation },
    });
    // Memory that varies: a quarter of the allocation in half of the time.
    const swing = history(6, { swing: { usage: [0.05, 1000, 1e4, 1e4], allocation } }).vms[0]!;
    for (let t = 0; t < 72; t++) swing.usage[t * 4 + 1] = 3048;
    for (let t = 72; t < 144; t += 2) swing.usage[t * 4 + 1] = 3048;
    const found = retireIdle({ ...fleet, vms: [...fleet.vms, swing] }, params);
    expect(found.flatMap(({ vms }) => vms)).toEqual(['idle']);
    expect(found[0]!.reason).toMatch(/1 VM of app used at most 0.05 cores/);
  });

  it('have been so for the stated time', () => {
    const usage = [0, 1000, 0, 0];
    expect(retireIdle(history(4, { young: { usage, allocation } }), params)).toEqual([]);
    expect(retireIdle({ ...history(6, {}), vms: [] }, params)).toEqual([]);
  });
});

describe('right-size', () => {
  const rules = { unit: [1, 0.001, 0, 0], quantum: [0.1, 4, 1, 1] };
  it('holds the quantile and the margin, and leaves alone what is free', () => {
    const fleet = history(2, { vm: { usage: [1, 1000, 5, 5], allocation: [8, 8192, 100, 100] } });
    const [advice] = rightSize(fleet, advisorParams.parse({ margin: 0.15 }), rules, () => true);
    // 1 x 1.15 up to a multiple of 0.1; 1000 x 1.15 = 1150 up to a multiple of 4.
    const { vm } = advice!.change.kind === 'right-size' ? advice!.change.vms : {};
    expect(vm!.cpu).toBeCloseTo(1.2, 12);
    expect(vm).toMatchObject({ memory: 1152, diskIo: 100, network: 100 });
  });

  it('never makes a VM larger, and does not bother for little', () => {
    const fleet = history(2, { full: { usage: [8, 8192, 0, 0], allocation: [8, 8192, 0, 0] } });
    expect(rightSize(fleet, advisorParams.parse({}), rules, () => true)).toEqual([]);
    expect(rightSize({ ...fleet, vms: [] }, advisorParams.parse({}), rules, () => true)).toEqual([]);
  });
});

describe('off-peak', () => {
  it('needs a price that varies and work above the base', () => {
    const fleet = history(2, { vm: { usage: [1, 100, 0, 0], allocation: [4, 1000, 0, 0] } });
    const factors = Array.from({ length: 24 }, (_, h) => (h < 6 ? 0.5 : 1));
    expect(shiftOffPeak(fleet, new Array(24).fill(1), () => true)).toEqual([]);
    expect(shiftOffPeak(fleet, factors, () => true)).toEqual([]);
    for (let day = 0; day < 2; day++) fleet.vms[0]!.usage[(day * 24 + 13) * 4] = 3;
    const [advice] = shiftOffPeak(fleet, factors, () => true);
    // Row 13 covers 12:00 to 13:00. Two core-hours on two cores need an hour, and one is added.
    expect(advice!.change).toMatchObject({ hours: [0, 1] });
    expect(advice!.change.kind === 'shift' && advice!.change.vms['vm']!.most.cpu).toBe(2);
  });
});
