import { expect, test } from 'vitest';
import { Fleet } from '../../../../core/fleet.ts';
import { Samples } from '../../../../core/forecast/lstm/samples.ts';
import { Statistics } from '../../../../core/forecast/lstm/statistics.ts';
import { History } from '../../../../core/history.ts';
import { Rng } from '../../../../core/rng.ts';

const none = [0, 0, 0, 0] as const;

function pool(vms: number): { fleet: Fleet; samples: Samples } {
  const fleet = new Fleet();
  const statistics = fleet.register(new Statistics(fleet, new History(fleet, 10), 300_000, 12));
  for (let i = 0; i < vms; i++) {
    const vmId = `vm${i}`;
    fleet.admit({ vmId, applicationId: 'a', userId: 'u', requested: none, min: none, max: none }, 0);
  }
  return { fleet, samples: new Samples(fleet, statistics, 1) };
}

test('holds back whole quarters of days, about an eighth, and never trains on them', () => {
  const { samples } = pool(20);
  for (let tick = 12; tick < 2016; tick += 12) {
    for (let slot = 0; slot < 20; slot++) samples.add(slot, tick, 2016);
  }
  const training = samples.select(0, 2016, false);
  const heldBack = samples.select(0, 2016, true);
  expect(training.length + heldBack.length).toBe(20 * 167);
  expect(heldBack.length / (20 * 167)).toBeGreaterThan(0.08);
  expect(heldBack.length / (20 * 167)).toBeLessThan(0.17);
  expect(new Set([...training, ...heldBack]).size).toBe(20 * 167);
  const quarter = (i: number) => `${samples.slot(i)}:${Math.floor(samples.origin(i, new Rng(0)) / 72)}`;
  const apart = new Set([...heldBack].map(quarter));
  expect([...training].filter((i) => apart.has(quarter(i)))).toEqual([]);
});

test('draws from the window asked for, and only VMs that are still here', () => {
  const { fleet, samples } = pool(2);
  for (let tick = 12; tick < 600; tick += 12) for (const slot of [0, 1]) samples.add(slot, tick, 2016);
  const all = () => [...samples.select(100, 300, false), ...samples.select(100, 300, true)];
  // Ticks 108, 120, ... 300: 17 a slot.
  expect(all()).toHaveLength(34);
  fleet.retire('vm1');
  expect(all()).toHaveLength(17);
  const spec = { applicationId: 'a', userId: 'u', requested: none, min: none, max: none };
  expect(fleet.admit({ ...spec, vmId: 'other' }, 600)).toBe(1);
  expect(all()).toHaveLength(17);
});

test('leaves out the first hour of a VM, whose statistics say little', () => {
  const { samples } = pool(1);
  for (let tick = 0; tick < 14; tick++) samples.add(0, tick, 2016);
  expect(samples.select(0, 100, false).length + samples.select(0, 100, true).length).toBe(2);
});

test('thins a large fleet evenly, so that the pool spans the window', () => {
  const { samples } = pool(400);
  for (let tick = 12; tick < 2016; tick += 12) {
    for (let slot = 0; slot < 400; slot++) samples.add(slot, tick, 2016);
  }
  const chosen = [...samples.select(0, 2016, false), ...samples.select(0, 2016, true)];
  expect(chosen.length).toBeGreaterThan(15_500);
  const oldest = chosen.filter((i) => samples.origin(i, new Rng(0)) < 200).length;
  expect(oldest / chosen.length).toBeGreaterThan(0.06);
});
