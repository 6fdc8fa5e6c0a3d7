import { describe, expect, it } from 'vitest';
import { CPU } from '../../../core/model.ts';
import { correlation, deviation, generated, mean, record, series } from './streams.ts';

/** CPU of every VM, as logarithms. */
async function logs(apps: readonly object[], intervals: number, more: object) {
  return record(await generated(apps, intervals, more)).map((vm) => ({
    spec: vm.arrival.spec,
    cpu: series(vm, CPU),
    log: series(vm, CPU).map(Math.log),
  }));
}

const noise = { deviation: 0.3, persistence: '1h' };
const app = { sizes: [{ cpu: 64, memory: 1024 }], level: 0.01, noise };

describe('noise', () => {
  it('is log-normal with mean 1 and an exponential autocorrelation', async () => {
    const vms = await logs([{ ...app, users: 1, vmsPerUser: 20 }], 4000, {
      correlation: { application: 0, user: 0 },
    });
    expect(mean(vms.map((vm) => deviation(vm.log)))).toBeCloseTo(0.3, 1);
    // exp(-5 min / 60 min) = 0.920, exp(-1) = 0.368 after an hour
    expect(mean(vms.map((vm) => correlation(vm.log, vm.log, 1)))).toBeCloseTo(0.92, 2);
    expect(mean(vms.map((vm) => correlation(vm.log, vm.log, 12)))).toBeCloseTo(0.368, 1);
    // The mean of e^(s x - s^2 / 2) is 1: mean of the load = exp(mean log + s^2 / 2).
    const ratio = vms.map((vm) => mean(vm.cpu) / Math.exp(mean(vm.log) + 0.045));
    expect(mean(ratio)).toBeCloseTo(1, 2);
    expect(Math.abs(correlation(vms[0]!.log, vms[1]!.log))).toBeLessThan(0.2);
  });

  it('is shared by application and by user as configured', async () => {
    const users = [{ id: 'ana' }, { id: 'bo' }];
    const apps = [
      { ...app, users, vmsPerUser: 2 },
      { ...app, users, vmsPerUser: 2 },
    ];
    const vms = await logs(apps, 40_000, { correlation: { application: 0.5, user: 0.3 } });
    const pairs = vms.flatMap((a, i) => vms.slice(i + 1).map((b) => [a, b] as const));
    const observed = (application: boolean, user: boolean) =>
      mean(
        pairs
          .filter(([a, b]) => (a.spec.applicationId === b.spec.applicationId) === application)
          .filter(([a, b]) => (a.spec.userId === b.spec.userId) === user)
          .map(([a, b]) => correlation(a.log, b.log)),
      );
    // 40,000 intervals hold some 830 independent ones of 4 h: a standard error of about 0.035.
    expect(observed(true, false)).toBeGreaterThan(0.4);
    expect(observed(true, false)).toBeLessThan(0.6);
    expect(observed(false, true)).toBeGreaterThan(0.2);
    expect(observed(false, true)).toBeLessThan(0.4);
    expect(observed(true, true)).toBeGreaterThan(0.72);
    expect(observed(true, true)).toBeLessThan(0.88);
    expect(Math.abs(observed(false, false))).toBeLessThan(0.1);
    // and the deviation is what it was
    expect(mean(vms.map((vm) => deviation(vm.log)))).toBeCloseTo(0.3, 1);
  });
});
