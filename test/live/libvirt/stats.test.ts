import { describe, expect, it } from 'vitest';
import { grantedCores, grantedDisk, grantedNetwork, parseSample } from '../../../live/libvirt/stats.ts';
import { rawSample } from './samples.ts';

describe('parseSample', () => {
  const parsed = parseSample(rawSample());

  it('sorts counters by device, past vCPUs that are offline', () => {
    expect(parsed.counters.cpuTime).toEqual({ '': 30e9 });
    expect(parsed.counters.vcpuTime).toEqual({ '0 time': 20e9, '2 time': 8e9 });
    expect(parsed.counters.vcpuDelay).toEqual({ '0 delay': 5e9, '2 delay': 1e9 });
    expect(parsed.counters.diskBytes).toEqual({
      'vda rd.bytes': 4096,
      'vda wr.bytes': 8192,
      'vdb rd.bytes': 1,
      'vdb wr.bytes': 3,
    });
    expect(parsed.counters.rxBytes).toEqual({ 'vnet0 rx.bytes': 1000 });
    expect(parsed.counters.drops).toEqual({ 'vnet0 rx.drop': 1, 'vnet0 tx.drop': 0 });
  });

  it('dates the counters to the middle of the call, and the sample to its end', () => {
    const sample = rawSample({}, { before: { at: 100, mono: 1000 }, after: { at: 150, mono: 1050 } });
    expect(parseSample(sample)).toMatchObject({ at: 150, mono: 1025 });
  });

  it('reads what is granted: 2 vCPUs without a quota, 256 MiB, no limits', () => {
    expect(parsed.granted).toEqual({
      cpu: 2,
      memory: 256,
      diskIo: Number.POSITIVE_INFINITY,
      network: Number.POSITIVE_INFINITY,
    });
  });

  it('falls back on what every driver knows', () => {
    const info = { state: 1, maxMemoryKib: 8_388_608, memoryKib: 2_097_152, vcpus: 2 };
    const { granted, counters, balloon } = parseSample({
      ...rawSample({}, { info, scheduler: undefined, tunes: {}, bandwidths: {} }),
      stats: { 'state.state': 1 },
    });
    expect(granted).toEqual({ cpu: 2, memory: 2048, diskIo: Number.NaN, network: Number.NaN });
    expect(counters.cpuTime).toEqual({});
    expect(balloon.usable).toBeNaN();
  });
});

describe('what is granted', () => {
  it('cores: the tightest of vCPUs, a quota each and a quota in all', () => {
    expect(grantedCores(4, undefined)).toBe(4);
    // 30000 us of each 100000 us on 4 vCPUs: 1.2 cores.
    expect(grantedCores(4, { vcpu_quota: 30_000, vcpu_period: 100_000 })).toBeCloseTo(1.2, 12);
    expect(grantedCores(4, { vcpu_quota: 30_000, global_quota: 25_000, global_period: 50_000 })).toBe(0.5);
    expect(grantedCores(4, { vcpu_quota: -1, global_quota: 900_000 })).toBe(4);
    expect(grantedCores(0, {})).toBeNaN();
  });

  it('disk: the sum of the disks, disks of one group once, and no limit if one disk has none', () => {
    const tune = (total: number, group = '') => ({ total_bytes_sec: total, group_name: group });
    expect(grantedDisk(['a', 'b'], { a: tune(100), b: tune(50) })).toBe(150);
    expect(grantedDisk(['a', 'b'], { a: tune(100, 'g'), b: tune(100, 'g') })).toBe(100);
    expect(grantedDisk(['a', 'b'], { a: tune(100), b: tune(0) })).toBe(Number.POSITIVE_INFINITY);
    expect(grantedDisk(['a'], { a: { read_bytes_sec: 30, write_bytes_sec: 12 } })).toBe(42);
    expect(grantedDisk(['a'], { a: { read_bytes_sec: 30, write_bytes_sec: 0 } })).toBe(
      Number.POSITIVE_INFINITY,
    );
    expect(grantedDisk(['a', 'b'], { a: tune(100) })).toBeNaN();
    expect(grantedDisk([], {})).toBeNaN();
  });

  it('network: kilobytes of 1000, in the tighter direction', () => {
    const limit = (inbound: number, outbound: number) => ({
      'inbound.average': inbound,
      'outbound.average': outbound,
    });
    expect(grantedNetwork(['n'], { n: limit(500, 300) })).toBe(300_000);
    expect(grantedNetwork(['n'], { n: limit(0, 300) })).toBe(300_000);
    expect(grantedNetwork(['n', 'm'], { n: limit(1, 2), m: limit(4, 3) })).toBe(4000);
    expect(grantedNetwork(['n'], { n: limit(0, 0) })).toBe(Number.POSITIVE_INFINITY);
  });
});
