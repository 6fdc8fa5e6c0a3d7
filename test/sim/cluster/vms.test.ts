import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Interval } from '../../../core/interval.ts';
import { CPU, Frame, MEMORY, NETWORK, R } from '../../../core/model.ts';
import { vmModelParams } from '../../../sim/cluster/vm-model.ts';
import { Vms } from '../../../sim/cluster/vms.ts';
import { fleetOf } from '../../core/fleet-of.ts';
import { disturbance } from './disturbance.ts';

const STEP_S = 300;

function world(params: object = {}) {
  const fleet = fleetOf(1);
  const vms = fleet.register(new Vms(fleet, vmModelParams.parse(params), STEP_S * 1000));
  const frame = fleet.register(new Frame());
  const interval = fleet.register(new Interval());
  const run = (demand: number[]) => {
    vms.demand.set(demand);
    vms.settle(frame, interval);
  };
  return { vms, frame, interval, run };
}

describe('the closed loop of a VM (2 cores, 2048 MiB, 1e6 bytes/s each)', () => {
  it('serves what fits and shows it as usage', () => {
    const { frame, interval, run } = world();
    run([1.5, 1024, 5e5, 1e5]);
    expect([...frame.usage.subarray(0, R)]).toEqual([1.5, 1024, 5e5, 1e5]);
    expect([...frame.pressure.subarray(0, R)]).toEqual([0, 0, 0, 0]);
    expect([...interval.allocation.subarray(0, R)]).toEqual([2, 2048, 1e6, 1e6]);
    expect(interval.disturbed.count).toBe(0);
  });

  it('censors usage at the allocation, and lets CPU work wait', () => {
    const { vms, frame, interval, run } = world();
    run([3, 1024, 0, 0]);
    // 300 s x 3 cores wanted = 900 core-s; 2 cores serve 600; 300 wait.
    expect(frame.usage[CPU]).toBe(2);
    expect(frame.pressure[CPU]).toBeCloseTo(1 / 3, 12);
    expect(vms.backlog[CPU]).toBe(300);
    expect([
      disturbance(interval, CPU).starved,
      disturbance(interval, CPU).unmet,
      disturbance(interval, CPU).dropped,
    ]).toEqual([300, 300, 0]);
    expect(disturbance(interval, CPU).stretch).toBeCloseTo(900 / 600, 12);
    // Next: 300 waiting + 300 x 1 = 600 wanted, all served; usage shows 2 cores, demand was 1.
    run([1, 1024, 0, 0]);
    expect([frame.usage[CPU], vms.backlog[CPU], frame.pressure[CPU]]).toEqual([2, 0, 0]);
    expect(disturbance(interval, CPU).starved).toBe(0);
  });

  it('drops work beyond the bound of the backlog and counts it', () => {
    const { vms, interval, run } = world({ backlogS: 60 });
    run([3, 0, 0, 0]);
    // 300 core-s are left over; the bound is 60 s x 2 cores = 120.
    expect([vms.backlog[CPU], disturbance(interval, CPU).dropped]).toEqual([120, 180]);
  });

  it('shapes network as a queue of bytes', () => {
    const { vms, frame, run } = world();
    run([0, 0, 0, 1.5e6]);
    expect([frame.usage[NETWORK], vms.backlog[NETWORK]]).toEqual([1e6, 0.5e6 * 300]);
  });

  it('kills on memory above the allocation and restarts', () => {
    const { vms, frame, interval, run } = world({ restartS: 60, graceS: 0 });
    run([1, 4096, 0, 0]);
    expect(frame.oomKills[0]).toBe(1);
    expect(disturbance(interval, MEMORY).oomKills).toBe(1);
    expect([disturbance(interval, MEMORY).starved, disturbance(interval, MEMORY).unmet]).toEqual([
      300,
      2048 * 300,
    ]);
    // Down for 60 of 300 s: 2048 MiB for the other 240. The killed guest tells nothing of what it wanted.
    expect(frame.usage[MEMORY]).toBeCloseTo((2048 * 240) / 300, 9);
    expect(frame.pressure[MEMORY]).toBe(0);
    // CPU: 300 wanted, 240 s x 2 cores could serve 480: all of it.
    expect([frame.usage[CPU], vms.backlog[CPU]]).toEqual([1, 0]);
    run([1, 1024, 0, 0]);
    expect([frame.oomKills[0], disturbance(interval, MEMORY).oomKills]).toEqual([0, 0]);
  });

  it('does not kill for a shortage shorter than the grace', () => {
    const { vms, frame, interval, run } = world({ graceS: 5 });
    vms.resize(0, MEMORY, 4096, 4);
    run([1, 3000, 0, 0]);
    expect([
      frame.oomKills[0],
      disturbance(interval, MEMORY).starved,
      disturbance(interval, MEMORY).unmet,
    ]).toEqual([0, 4, 952 * 4]);
    expect(frame.usage[MEMORY]).toBeCloseTo((2048 * 4 + 3000 * 296) / 300, 9);
    const late = world({ graceS: 5, restartS: 60 });
    late.vms.resize(0, MEMORY, 4096, 100);
    late.run([1, 3000, 0, 0]);
    // Killed at 5 s, back at 65 s: 2048 for 5 s and from 65 to 100 s, 3000 for the last 200 s.
    expect(late.frame.oomKills[0]).toBe(1);
    expect(late.frame.usage[MEMORY]).toBeCloseTo((2048 * 40 + 3000 * 200) / 300, 9);
  });

  it('swaps instead, slows the CPU down and tells by pressure', () => {
    const { frame, run } = world({ memoryShort: 'swap', swapPenalty: 4 });
    run([2, 4096, 0, 0]);
    expect(frame.oomKills[0]).toBe(0);
    expect([frame.usage[MEMORY], frame.pressure[MEMORY]]).toEqual([2048, 0.5]);
    // Half is swapped out: speed 1 / (1 + 4 x 0.5) = 1/3 of 2 cores.
    expect(frame.usage[CPU]).toBeCloseTo(2 / 3, 12);
  });

  it('brings a resize into effect at its time within the interval', () => {
    const { vms, frame, interval, run } = world();
    vms.resize(0, CPU, 4, 100);
    run([3, 0, 0, 0]);
    // 100 s at 2 cores: 200 of 300 served, 100 wait. 200 s at 4: 800 possible, 600 + 100 wanted: all served.
    expect(vms.backlog[CPU]).toBe(0);
    expect(frame.usage[CPU]).toBeCloseTo(900 / 300, 12);
    expect(disturbance(interval, CPU).starved).toBe(100);
    expect(interval.allocation[CPU]).toBeCloseTo((100 * 2 + 200 * 4) / 300, 12);
    expect(vms.allocation[CPU]).toBe(4);
  });

  it('carries a slow resize over to a later interval, and a newer one replaces it', () => {
    const { vms, run } = world();
    vms.resize(0, MEMORY, 1024, 700);
    run([0, 512, 0, 0]);
    run([0, 512, 0, 0]);
    expect(vms.allocation[MEMORY]).toBe(2048);
    run([0, 512, 0, 0]);
    expect(vms.allocation[MEMORY]).toBe(1024);
    vms.resize(0, MEMORY, 512, 400);
    vms.resize(0, MEMORY, 4096, 10);
    run([0, 512, 0, 0]);
    run([0, 512, 0, 0]);
    expect(vms.allocation[MEMORY]).toBe(4096);
  });

  it('conserves work: demand + waiting before = served + waiting after + dropped', () => {
    const amount = fc.double({ min: 0, max: 6, noNaN: true });
    const interval = fc.record({
      demand: amount,
      resize: fc.option(amount),
      after: fc.double({ min: 0, max: 299, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(interval, { maxLength: 30 }), fc.boolean(), (intervals, swap) => {
        const w = world({ backlogS: 120, memoryShort: swap ? 'swap' : 'oom' });
        for (const step of intervals) {
          const before = w.vms.backlog[CPU]!;
          if (step.resize !== null) w.vms.resize(0, CPU, step.resize, step.after);
          w.run([step.demand, step.demand * 700, 0, 0]);
          const served = w.frame.usage[CPU]! * STEP_S;
          const balance =
            step.demand * STEP_S +
            before -
            served -
            w.vms.backlog[CPU]! -
            disturbance(w.interval, CPU).dropped;
          expect(Math.abs(balance)).toBeLessThan(1e-6);
          expect(w.frame.usage[CPU]!).toBeLessThanOrEqual(6.000001);
          expect(w.frame.pressure[CPU]).toBeGreaterThanOrEqual(0);
          expect(w.frame.pressure[CPU]).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
