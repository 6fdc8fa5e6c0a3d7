import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CPU, Frame, MEMORY, R } from '../../../core/model.ts';
import { Guards, guardParams } from '../../../core/policy/guards.ts';
import { fleetOf } from '../fleet-of.ts';

const STEP = 300_000;

function world(count: number, params: object = {}) {
  const fleet = fleetOf(count);
  const guards = fleet.register(new Guards(guardParams.parse(params), fleet, STEP));
  const frame = fleet.register(new Frame());
  frame.allocation.set(fleet.requested);
  frame.usage.fill(0);
  frame.sampledAt.fill(0);
  const wish = (change: (desired: Float64Array) => void) => {
    const desired = Float64Array.from(frame.allocation);
    change(desired);
    const emitted: [number, number, number][] = [];
    guards.pass(frame, fleet.slots, desired, (...intent) => void emitted.push(intent));
    return emitted;
  };
  return { fleet, guards, frame, wish };
}

describe('guards (allocation 2 cores, 2048 MiB, bounds 0.1..8 cores, 64..16384 MiB)', () => {
  it('lets a plain wish pass and says nothing of the rest', () => {
    expect(world(2).wish((d) => void (d[R + CPU] = 3))).toEqual([[R + CPU, 2, 3]]);
  });
  it('bounds the step and then the value', () => {
    expect(world(1, { maxStepUp: 4 }).wish((d) => void (d[CPU] = 100))).toEqual([[CPU, 2, 8]]);
    expect(world(1, { maxStepUp: 2 }).wish((d) => void (d[CPU] = 100))).toEqual([[CPU, 2, 4]]);
    expect(world(1).wish((d) => void (d[CPU] = 0.01))).toEqual([[CPU, 2, 1]]);
  });
  it('rounds up to the grain: 3.001 cores become 3.01', () => {
    expect(world(1).wish((d) => void (d[CPU] = 3.001))).toEqual([[CPU, 2, 301 * 0.01]]);
  });
  it('never shrinks under pressure, but grows', () => {
    const w = world(1);
    w.frame.pressure[CPU] = 0.2;
    expect(w.wish((d) => void (d[CPU] = 1))).toEqual([]);
    expect(w.wish((d) => void (d[CPU] = 3))).toEqual([[CPU, 2, 3]]);
  });
  it('keeps memory above what is in use: 1500 MiB x 1.05 = 1575, to the grain of 4: 1576', () => {
    const w = world(1);
    w.frame.usage[MEMORY] = 1500;
    expect(w.wish((d) => void (d[MEMORY] = 1100))).toEqual([[MEMORY, 2048, 1576]]);
  });
  it('freezes a VM whose telemetry is stale, and counts it', () => {
    const w = world(2, { staleAfter: 3 });
    w.frame.at = 3 * STEP;
    w.frame.sampledAt[1] = 1;
    expect(w.wish((d) => void d.fill(1, 0, 1 + R))).toHaveLength(1);
    expect(w.guards.frozen).toBe(1);
  });
  it('cools down by direction', () => {
    const w = world(1, { cooldownDown: 2, cooldownUp: 0 });
    w.frame.tick = 10;
    expect(w.wish((d) => void (d[CPU] = 3))).toHaveLength(1);
    w.frame.allocation[CPU] = 3;
    for (const [tick, passes] of [
      [11, 0],
      [12, 1],
    ] as const) {
      w.frame.tick = tick;
      expect(w.wish((d) => void (d[CPU] = 2))).toHaveLength(passes);
    }
    w.frame.tick = 13;
    expect(w.wish((d) => void (d[CPU] = 4))).toHaveLength(1);
  });
  it('spends a budget on the most urgent wishes first', () => {
    const w = world(3, { actionsPerTick: 2 });
    const emitted = w.wish((d) => {
      d[CPU] = 3; // x 1.5
      d[R + CPU] = 6; // x 3
      d[2 * R + CPU] = 1; // shrinks
    });
    expect(emitted.map(([i]) => i)).toEqual([CPU, R + CPU]);
  });
  it('keeps every allocation within its bounds, whatever is wished', () => {
    const wishes = fc.array(fc.double({ min: -1e9, max: 1e9 }), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(
        wishes,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        (wish, pressure) => {
          const w = world(2);
          w.frame.pressure.set(pressure);
          for (const [i, , to] of w.wish((d) => d.set(wish))) {
            expect(to).toBeGreaterThanOrEqual(w.fleet.min[i]!);
            expect(to).toBeLessThanOrEqual(w.fleet.max[i]!);
          }
        },
      ),
    );
  });
});
