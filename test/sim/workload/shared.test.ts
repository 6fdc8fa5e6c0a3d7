import { describe, expect, it } from 'vitest';
import { CPU } from '../../../core/model.ts';
import { crowdAt } from '../../../sim/workload/flash-crowd.ts';
import { generated, mean, record, series } from './streams.ts';

const DAY = 288;
const relative = (x: readonly number[]) => x.map((v) => v / x[0]!);

describe('flash crowds', () => {
  const shape = { riseMs: 20, holdMs: 40, decayMs: 60 };

  it('rise, hold and fall', () => {
    expect([-1, 0, 5, 20, 40, 60].map((ms) => crowdAt(ms, shape))).toEqual([0, 0, 0.25, 1, 1, 1]);
    expect(crowdAt(120, shape)).toBeCloseTo(1 / Math.E, 12);
    expect(crowdAt(60 + 8 * 60, shape)).toBe(0);
  });

  it('hit all VMs of the application at once, and no others', async () => {
    const flashCrowds = { every: '2d', peak: 4, rise: '20m', hold: '1h', decay: '1h' };
    const apps = [{ flashCrowds, level: 0.05, users: 3, vmsPerUser: 2 }, { level: 0.05 }];
    const vms = record(await generated(apps, 60 * DAY));
    const struck = vms.filter((vm) => vm.arrival.spec.applicationId === 'app1').map((vm) => series(vm, CPU));
    const first = relative(struck[0]!);
    for (const cpu of struck) {
      const off = relative(cpu).map((x, t) => Math.abs(x / first[t]! - 1));
      expect(Math.max(...off)).toBeLessThan(1e-9);
    }
    expect(new Set(series(vms.at(-1)!, CPU)).size).toBe(1);
    // 60 days at one crowd in 2 days: 30 crowds, with a standard deviation of 5.5. A crowd takes 8 h to be gone, so
    // that some melt into one; a mean one is 1 + 3 high, from 1 + 3 x 0.6 to 1 + 3 x 1.4.
    const peaks = first.filter((x, t) => x > 2 && !(first[t - 1]! > 2)).length;
    expect(peaks).toBeGreaterThan(12);
    expect(peaks).toBeLessThan(45);
    expect(Math.max(...first)).toBeGreaterThan(2.8);
    // Area of a mean crowd: 3 x (20 / 2 + 60 + 60) min = 390 min; 30 of them in 60 days add 13.5 %.
    expect(mean(first)).toBeGreaterThan(1.06);
    expect(mean(first)).toBeLessThan(1.25);
  });
});

describe('trends', () => {
  it('grow by their share a week, and never fall below nothing', async () => {
    const apps = [{ trend: { perWeek: 0.2 } }, { trend: { perWeek: -1 } }];
    const [up, down] = record(await generated(apps, 15 * DAY)).map((vm) => series(vm, CPU));
    // (1 + 0.2 x 1) / 1 after a week, both seen half an interval late: (t + 0.5) / 2016 weeks
    expect(up![2016]! / up![0]!).toBeCloseTo((1 + 0.2 * (2016.5 / 2016)) / (1 + 0.2 * (0.5 / 2016)), 12);
    expect(down![1008]! / down![0]!).toBeCloseTo(0.5, 3);
    expect(down![2017]).toBe(0);
  });
});

describe('regimes', () => {
  it('jump now and then to a level of mean 1, and stay there', async () => {
    const regimes = { every: '12h', deviation: 0.4 };
    const days = 400;
    const app = { regimes, level: 0.02, vmsPerUser: 2 };
    const vms = record(await generated([app], days * DAY)).map((vm) => relative(series(vm, CPU)));
    const [a, b] = vms;
    expect(a!.every((x, t) => Math.abs(x - b![t]!) < 1e-9)).toBe(true);
    const jumps = a!.filter((x, t) => t > 0 && x !== a![t - 1]).length;
    // 400 days at 2 a day: 800, s.d. 28; those within one interval of each other count once (0.7 %).
    expect(jumps).toBeGreaterThan(700);
    expect(jumps).toBeLessThan(900);
    // log-normal with s.d. 0.4: the level's s.d. is sqrt(e^0.16 - 1) = 0.417, that of the mean of 800 exponential
    // stretches 0.417 x sqrt(2 / 800) = 0.02.
    expect(mean(a!)).toBeGreaterThan(0.92);
    expect(mean(a!)).toBeLessThan(1.08);
  });
});
