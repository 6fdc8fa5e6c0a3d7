import { describe, expect, it } from 'vitest';
import { CPU } from '../../../core/model.ts';
import { weekTable } from '../../../sim/workload/cycles.ts';
import { correlation, generated, mean, record, series } from './streams.ts';

const DAY = 288;
const sine = { amplitude: 0.5, peak: '15h', focus: 0, weekend: 1 };

describe('daily and weekly cycles', () => {
  it('a week has mean 1, and its peak and trough where they should be', () => {
    const table = [...weekTable({ ...sine })].slice(0, 2016);
    expect(mean(table)).toBeCloseTo(1, 12);
    expect(table[15 * 12]).toBeCloseTo(1.5, 10); // 15:00 on Monday: 1 + 0.5
    expect(table[3 * 12]).toBeCloseTo(0.5, 10); // 03:00: 1 - 0.5
    expect(table[9 * 12]).toBeCloseTo(1, 10);
  });

  it('a focused peak is as high, and narrower', () => {
    const half = (focus: number) =>
      [...weekTable({ ...sine, focus })].slice(0, DAY).filter((x) => x > 1.25).length;
    const table = weekTable({ ...sine, focus: 4 });
    expect(table[15 * 12]).toBeCloseTo(1.5, 6);
    // Above half its height a sine is for a third of the day: cos x > 1/2 for |x| < 60 degrees.
    expect(half(0)).toBeCloseTo(DAY / 3, -1);
    expect(half(4)).toBeLessThan(half(0) / 1.5);
    expect(mean([...table].slice(0, 2016))).toBeCloseTo(1, 12);
  });

  it('the weekend is scaled, and the week keeps its mean', () => {
    const table = weekTable({ ...sine, weekend: 0.3 });
    const noon = (day: number) => table[day * DAY + 12 * 12]!;
    expect(noon(5) / noon(2)).toBeCloseTo(0.3, 10);
    expect(noon(6) / noon(2)).toBeCloseTo(0.3, 10);
    // Five days of 1 and two of 0.3 in a mean of 1: a weekday is 7 / 5.6 = 1.25 times the mean.
    expect(mean([...table].slice(DAY, 2 * DAY))).toBeCloseTo(1.25, 2);
    // Half way down at midnight from Friday to Saturday, half way up from Sunday to Monday.
    const friday = 4 * DAY;
    expect(table[friday + DAY]! / table[friday]!).toBeCloseTo(0.65, 10);
    expect(table[0]).toBe(table[2016]);
  });

  it('no cycle is a flat week', () => {
    expect(new Set(weekTable('none'))).toEqual(new Set([1]));
  });

  it('VMs follow it: alike from day to day and week to week', async () => {
    const cycle = { amplitude: 0.5, peak: '15h', focus: 1, weekend: 0.4 };
    const [vm] = record(await generated([{ cycle }], 21 * DAY));
    const cpu = series(vm!, CPU);
    expect(correlation(cpu, cpu, 7 * DAY)).toBeCloseTo(1, 10);
    const workdays = cpu.slice(7 * DAY + DAY / 4, 11 * DAY + DAY / 4); // without the change-over
    expect(correlation(workdays, workdays, DAY)).toBeCloseTo(1, 6);
    expect(correlation(workdays, workdays, DAY / 2)).toBeLessThan(-0.5);
    // Level 0.25 x 4 cores = 1 core on average, but for the VM's own deviation, whose s.d. is 15 %.
    expect(mean(cpu.slice(0, 7 * DAY))).toBeGreaterThan(0.5);
    expect(mean(cpu.slice(0, 7 * DAY))).toBeLessThan(1.6);
  });

  it('a user who is late peaks late, one who swings less swings less', async () => {
    const users = [
      { id: 'usual' },
      { id: 'late', phase: '6h' },
      { id: 'calm', amplitude: 0.5 },
      { id: 'heavy', level: 2 },
    ];
    const apps = [{ cycle: sine, users, vmsPerUser: 40 }];
    const vms = record(await generated(apps, DAY));
    const cpu = (user: string) => {
      const own = vms.filter((vm) => vm.arrival.spec.userId === user).map((vm) => series(vm, CPU));
      return Array.from({ length: DAY }, (_, t) => mean(own.map((x) => x[t]!)));
    };
    const peak = (x: number[]) => x.indexOf(Math.max(...x)) / 12;
    const swing = (x: number[]) => (Math.max(...x) - Math.min(...x)) / 2 / mean(x);
    expect(peak(cpu('usual'))).toBeCloseTo(15, 0);
    expect(peak(cpu('late'))).toBeCloseTo(21, 0);
    expect(swing(cpu('usual'))).toBeCloseTo(0.5, 1);
    expect(swing(cpu('calm'))).toBeCloseTo(0.25, 1);
    // 40 VMs each, deviating by 15 %: the ratio of means has a standard error of 0.15 sqrt(2/40) x 2 = 0.07.
    expect(mean(cpu('heavy')) / mean(cpu('usual'))).toBeGreaterThan(1.75);
    expect(mean(cpu('heavy')) / mean(cpu('usual'))).toBeLessThan(2.25);
  });
});
