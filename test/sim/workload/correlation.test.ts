import { describe, expect, it } from 'vitest';
import { CPU, DISK_IO, MEMORY, NETWORK } from '../../../core/model.ts';
import { correlation, generated, mean, record, series } from './streams.ts';

const DAY = 288;
const memory = { base: 0.4, load: 0.5, lag: '0s', creep: 0, period: '1d' };
const io = { idle: 1000, perCore: 1_000_000, lag: '0s', deviation: 0 };
const busy = { cycle: { amplitude: 0.6, peak: '14h', focus: 0, weekend: 1 } };

describe('four resources', () => {
  it('follow CPU by their coefficients', async () => {
    const [vm] = record(
      await generated([{ ...busy, memory, diskIo: io, network: { ...io, perCore: 5e6 } }], DAY),
    );
    const cpu = series(vm!, CPU);
    series(vm!, DISK_IO).forEach((x, t) => {
      expect(x).toBeCloseTo(1000 + 1e6 * cpu[t]!, 3);
    });
    series(vm!, NETWORK).forEach((x, t) => {
      expect(x).toBeCloseTo(1000 + 5e6 * cpu[t]!, 3);
    });
    // 8,192 MiB and 4 cores: base + 0.5 x 8192 x cpu / 4, whatever the VM's own base is.
    const used = series(vm!, MEMORY);
    expect(used[100]! - used[0]!).toBeCloseTo(1024 * (cpu[100]! - cpu[0]!), 3);
    expect(used[0]! - 1024 * cpu[0]!).toBeGreaterThan(0.25 * 8192);
    expect(used[0]! - 1024 * cpu[0]!).toBeLessThan(0.55 * 8192);
  });

  it('follow it late by their lags', async () => {
    const lagging = { ...io, lag: '30m' };
    const noise = { deviation: 0.4, persistence: '20m' };
    const [vm] = record(
      await generated([{ noise, memory: { ...memory, lag: '3h' }, diskIo: lagging, network: io }], 8000),
    );
    const [cpu, used, disk, net] = [CPU, MEMORY, DISK_IO, NETWORK].map((r) => series(vm!, r));
    const lagOf = (y: number[]) => {
      const by = Array.from({ length: 30 }, (_, lag) => correlation(cpu!, y, lag));
      return by.indexOf(Math.max(...by));
    };
    expect(lagOf(net!)).toBe(0);
    expect(lagOf(disk!)).toBeGreaterThanOrEqual(2);
    expect(lagOf(used!)).toBeGreaterThan(lagOf(disk!));
    expect(correlation(cpu!, net!)).toBeCloseTo(1, 9);
    expect(correlation(cpu!, disk!)).toBeGreaterThan(0.4);
    expect(correlation(cpu!, used!)).toBeGreaterThan(0.1);
    // Lagging changes neither mean: 1000 + 1e6 x mean CPU.
    expect(mean(disk!) / mean(net!)).toBeCloseTo(1, 2);
  });

  it('their own noise has mean 1', async () => {
    const noisy = { ...io, deviation: 0.5 };
    const [vm] = record(await generated([{ diskIo: noisy, network: noisy }], 20_000));
    const expected = 1000 + 1e6 * series(vm!, CPU)[0]!;
    // s.d. of a factor sqrt(e^0.25 - 1) = 0.53, of its mean over 20,000 0.004
    expect(mean(series(vm!, DISK_IO)) / expected).toBeCloseTo(1, 1);
    expect(Math.abs(mean(series(vm!, DISK_IO)) / expected - 1)).toBeLessThan(0.015);
    expect(Math.abs(correlation(series(vm!, DISK_IO), series(vm!, NETWORK)))).toBeLessThan(0.03);
  });

  it('memory creeps up and is freed, by a tooth of its own period', async () => {
    const [vm] = record(await generated([{ memory: { ...memory, creep: 0.2, period: '6h' } }], 10 * DAY));
    const used = series(vm!, MEMORY);
    const falls = used.flatMap((x, t) => (t > 0 && x < used[t - 1]! ? [t] : []));
    const periods = falls.slice(1).map((t, i) => t - falls[i]!);
    // 6 h are 72 intervals, up to a fifth more or less for this VM
    expect(mean(periods)).toBeGreaterThan(57);
    expect(mean(periods)).toBeLessThan(87);
    expect(Math.max(...periods) - Math.min(...periods)).toBeLessThanOrEqual(1);
    expect(Math.max(...used) / Math.min(...used)).toBeCloseTo(1.2, 1);
  });

  it('a VM that comes later fills its memory first', async () => {
    const filling = { ...memory, lag: '1h' };
    const apps = [{ memory: filling, vmsPerUser: 0 }];
    const arrivals = { pattern: 'poisson', perDay: 40, lifetime: '2d' };
    const vms = record(await generated(apps, 2 * DAY, { arrivals }));
    const later = vms.find((vm) => vm.at > 0 && vm.demand.length > 4 * 100)!;
    const used = series(later, MEMORY);
    expect(used.every((x, i) => i === 0 || x >= used[i - 1]!)).toBe(true);
    expect(used[99]! - used[0]!).toBeGreaterThan(0.5 * 8192 * 0.25 * 0.5);
  });
});
