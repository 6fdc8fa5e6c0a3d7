import { expect, test } from 'vitest';
import { Fleet } from '../../../../core/fleet.ts';
import { QUANTILES } from '../../../../core/forecast/lstm/sizes.ts';
import { STAT, Statistics } from '../../../../core/forecast/lstm/statistics.ts';
import { History } from '../../../../core/history.ts';
import { Frame, R } from '../../../../core/model.ts';

const Q = QUANTILES.length;
const [MEDIAN, NINETY] = [QUANTILES.indexOf(0.5), QUANTILES.indexOf(0.9)];

/** Ticks of six hours, so that a day has four; horizons 1, 1, 2, 3. */
function seen(values: readonly number[]): { statistics: Statistics; row(r: number): Float32Array } {
  const fleet = new Fleet();
  const frame = fleet.register(new Frame());
  const history = new History(fleet, 100);
  const statistics = fleet.register(new Statistics(fleet, history, 6 * 3_600_000, 3));
  const none = [0, 0, 0, 0] as const;
  fleet.admit({ vmId: 'a', applicationId: 'a', userId: 'u', requested: none, min: none, max: none }, 0);
  for (const [tick, value] of values.entries()) {
    frame.tick = tick;
    frame.usage[0] = value;
    history.append(frame);
    if (tick === values.length - 1 || tick === values.length - 2) statistics.refresh(0, tick);
  }
  return {
    statistics,
    row: (r) => statistics.rows.subarray(r * STAT.width, (r + 1) * STAT.width),
  };
}

test('quantiles of level, residuals and the day before, by hand', () => {
  const { statistics, row } = seen([1, 2, 3, 4, 11, 12, 13, 14]);
  expect(statistics.knots).toEqual([1, 1, 2, 3]);
  const s = row(0);
  // Level 11 12 13 14: the median lies half way, .9 at 0.9 x 3 = 2.7 steps: 13 + 0.7.
  expect(s[STAT.level + MEDIAN]).toBeCloseTo(12.5, 5);
  expect(s[STAT.level + NINETY]).toBeCloseTo(13.7, 5);
  // Residuals of one tick: 7 1 1 1. Four of them weigh as much as the prior, N(0, 0.1 x 12.5).
  expect(s[STAT.residual + MEDIAN]).toBeCloseTo(0.5 * 1, 5);
  // .9: 1 + 0.7 x 6 = 5.2; of the prior 1.281552 x 0.1 x the level of 12.5, 1.60194.
  expect(s[STAT.residual + NINETY]).toBeCloseTo(0.5 * 5.2 + 0.5 * 1.60194, 4);
  // Against the day before: 10 four times.
  expect(s[STAT.seasonal + MEDIAN]).toBeCloseTo(0.5 * 10, 5);
  // Distances from 12.5 are 1.5 .5 .5 1.5, mean 1; over three ticks: 9 9 9 3, mean 7.5.
  expect(s[STAT.recentScale]).toBeCloseTo(1 + 7.5, 5);
  expect(s[STAT.scale]).toBeCloseTo(8.5, 5);
});

test('slow means start at the first refresh and then move as a running mean', () => {
  // Refreshed at ticks 6 and 7, whose days have medians (4 + 11 + 12 + 13)/.. = 11.5 and 12.5.
  const { row } = seen([1, 2, 3, 4, 11, 12, 13, 14]);
  expect(row(0)[STAT.slowLevel + MEDIAN]).toBeCloseTo((11.5 + 12.5) / 2, 5);
});

test('what was never seen stays NaN, and a series without a day before has no such residuals', () => {
  const { row } = seen([5, 6, Number.NaN]);
  expect(row(1).every(Number.isNaN)).toBe(true);
  expect(row(0)[STAT.level + MEDIAN]).toBeCloseTo(5.5, 5);
  expect(
    row(0)
      .subarray(STAT.seasonal, STAT.seasonal + Q)
      .every(Number.isNaN),
  ).toBe(true);
});

test('a slot is due each tick in its first hour, then once an hour', () => {
  const fleet = new Fleet();
  const history = new History(fleet, 10);
  const statistics = fleet.register(new Statistics(fleet, history, 300_000, 12));
  const one = Array.from({ length: R }, () => 1) as unknown as [number, number, number, number];
  const spec = { applicationId: 'a', userId: 'u', requested: one, min: one, max: one };
  const slots = ['a', 'b'].map((vmId) => fleet.admit({ ...spec, vmId }, 100));
  const due = (slot: number) =>
    Array.from({ length: 48 }, (_, i) => 100 + i).filter((t) => statistics.due(slot, t));
  expect(due(slots[0]!)).toEqual([100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 120, 132, 144]);
  // Slot 1 is five ticks apart: 12 divides t + 5 at 115, 127 and 139.
  expect(due(slots[1]!).slice(12)).toEqual([115, 127, 139]);
});
