import { describe, expect, it } from 'vitest';
import { Fleet } from '../../core/fleet.ts';
import { History } from '../../core/history.ts';
import { Frame, R } from '../../core/model.ts';
import { fleetOf, specOf } from './fleet-of.ts';

function filled(fleet: Fleet, history: History, ticks: number, from = 0): void {
  const frame = new Frame();
  frame.grow(64);
  for (let tick = from; tick < from + ticks; tick++) {
    frame.tick = tick;
    for (let i = 0; i < fleet.rows * R; i++) frame.usage[i] = tick * 100 + i;
    history.append(frame);
  }
}

describe('history', () => {
  it('retains the last `depth` ticks', () => {
    const fleet = fleetOf(2);
    const history = new History(fleet, 3);
    filled(fleet, history, 5);
    expect([history.head, history.first(0), history.available(0)]).toEqual([4, 2, 3]);
    expect([...history.series(1, 2, 0, 6, new Float64Array(6))]).toEqual([
      Number.NaN,
      Number.NaN,
      206,
      306,
      406,
      Number.NaN,
    ]);
    expect([history.at(1, 2, 1), history.at(1, 2, 4)]).toEqual([Number.NaN, 406]);
  });

  it('does not give a newcomer the history of the VM that had its slot before', () => {
    const fleet = fleetOf(1);
    const history = new History(fleet, 10);
    filled(fleet, history, 3);
    fleet.retire('vm0');
    expect(fleet.admit(specOf('other'), 3)).toBe(0);
    filled(fleet, history, 2, 3);
    expect(history.available(0)).toBe(2);
    expect([...history.series(0, 0, 1, 5, new Float64Array(4))]).toEqual([Number.NaN, Number.NaN, 300, 400]);
  });

  it('takes a fleet that grows: a VM has nothing in blocks older than itself', () => {
    const fleet = fleetOf(1);
    const history = new History(fleet, 10);
    filled(fleet, history, 2);
    for (let i = 1; i < 40; i++) fleet.admit(specOf(`vm${i}`), 2);
    filled(fleet, history, 2, 2);
    expect([...history.series(39, 0, 0, 4, new Float64Array(4))]).toEqual([Number.NaN, Number.NaN, 356, 456]);
    expect([...history.series(0, 0, 0, 4, new Float64Array(4))]).toEqual([0, 100, 200, 300]);
  });

  it('refuses a gap', () => {
    const fleet = fleetOf(1);
    const history = new History(fleet, 10);
    filled(fleet, history, 2);
    expect(() => filled(fleet, history, 1, 5)).toThrow('history at tick 1 cannot take tick 5');
  });

  it('costs 16 bytes a VM-tick', () => {
    const fleet = fleetOf(100);
    const history = new History(fleet, 50);
    const frame = new Frame();
    frame.grow(256);
    for (let tick = 0; tick < 50; tick++) history.append(Object.assign(frame, { tick }));
    let bytes = 0;
    for (let tick = 0; tick < 50; tick++) bytes += history.block(tick)!.byteLength;
    expect(bytes / (100 * 50)).toBe(16);
  });
});

describe('fleet', () => {
  it('lists slots ascending, reuses them, and numbers pairs, applications and users', () => {
    const fleet = new Fleet();
    for (const [vm, app, user] of [
      ['a', 'x', 'p'],
      ['b', 'x', 'q'],
      ['c', 'y', 'p'],
    ] as const) {
      fleet.admit({ ...specOf(vm), applicationId: app, userId: user }, 0);
    }
    expect([
      [...fleet.application.subarray(0, 3)],
      [...fleet.user.subarray(0, 3)],
      [...fleet.pair.subarray(0, 3)],
    ]).toEqual([
      [0, 0, 1],
      [0, 1, 0],
      [0, 1, 2],
    ]);
    fleet.retire('b');
    expect([[...fleet.slots], fleet.size, fleet.slotOf('b')]).toEqual([[0, 2], 2, undefined]);
    expect(fleet.admit(specOf('d'), 5)).toBe(1);
    expect([[...fleet.slots], fleet.since[1]]).toEqual([[0, 1, 2], 5]);
  });

  it('keeps the slot of a VM that is admitted again, with its new spec', () => {
    const fleet = fleetOf(2);
    expect(fleet.admit({ ...specOf('vm1'), requested: [4, 1, 1, 1] }, 9)).toBe(1);
    expect([fleet.size, fleet.requested[R], fleet.since[1]]).toEqual([2, 4, 0]);
  });
});
