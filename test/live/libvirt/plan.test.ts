import { describe, expect, it } from 'vitest';
import { planCpu, planDisk, planMemory, planNetwork } from '../../../live/libvirt/plan.ts';
import { parseSample } from '../../../live/libvirt/stats.ts';
import { rawSample } from './samples.ts';

const quota = (value: number) => ({
  operation: 'setScheduler',
  args: [[{ name: 'global_quota', type: 'llong', value }]],
});

describe('planCpu', () => {
  it('sets a quota over the whole VM: 1.25 cores are 125000 us of each 100000', () => {
    expect(planCpu(rawSample(), 1.25)).toEqual({
      steps: [{ write: quota(125_000), undo: quota(-1) }],
      target: 1.25,
      tolerance: 0.001,
    });
  });

  it('adds vCPUs last, as they cannot be taken back, and never removes any', () => {
    const { steps } = planCpu(rawSample(), 2.5);
    expect(steps).toEqual([
      { write: quota(250_000), undo: quota(-1) },
      { write: { operation: 'setVcpus', args: [3] }, undo: undefined },
    ]);
    expect(planCpu(rawSample(), 0.5).steps).toHaveLength(1);
  });

  it('goes back to the quota there was, and not below what the kernel takes', () => {
    const sample = rawSample({}, { scheduler: { global_quota: 70_000, global_period: 50_000 } });
    const plan = planCpu(sample, 0.001);
    expect(plan.steps).toEqual([{ write: quota(1000), undo: quota(70_000) }]);
    expect(plan.target).toBe(0.02);
  });

  it('without a quota adds whole vCPUs or refuses', () => {
    const sample = rawSample({}, { scheduler: undefined });
    expect(planCpu(sample, 3).steps).toEqual([
      { write: { operation: 'setVcpus', args: [3] }, undo: undefined },
    ]);
    expect(() => planCpu(sample, 2.5)).toThrow('CPU_NO_QUOTA');
    expect(() => planCpu(sample, 1)).toThrow('CPU_NO_QUOTA');
  });
});

describe('planMemory', () => {
  const parsed = parseSample(rawSample());
  const memory = (value: number) => ({ operation: 'setMemory', args: [value] });

  it('sets the balloon, and can put it back', () => {
    expect(planMemory(parsed, true, 200)).toEqual({
      steps: [{ write: memory(204_800), undo: memory(262_144) }],
      target: 200,
      tolerance: 1,
    });
  });

  it('stops at the working set and its reserve: 70740 + 16384 KiB', () => {
    expect(planMemory(parsed, true, 32).steps[0]?.write).toEqual(memory(87_124));
  });

  it('does not shrink a guest that needs all it has, or does not say what it needs', () => {
    const full = parseSample(rawSample({ 'balloon.usable': 10_000 }));
    expect(() => planMemory(full, true, 200)).toThrow('MEMORY_FLOOR');
    expect(() => planMemory(parsed, false, 200)).toThrow('MEMORY_UNKNOWN');
  });

  it('grows a guest whatever it says', () => {
    expect(planMemory(parsed, false, 300).steps[0]?.write).toEqual(memory(307_200));
  });
});

describe('planDisk', () => {
  const tune = (disk: string, value: number, group?: string) => ({
    operation: 'setBlockTune',
    args: [
      disk,
      [
        { name: 'total_bytes_sec', type: 'ullong', value },
        ...(group === undefined ? [] : [{ name: 'group_name', type: 'string', value: group }]),
      ],
    ],
  });

  it('limits one disk by itself', () => {
    const sample = rawSample({ 'block.count': 1 }, { tunes: { vda: { total_bytes_sec: 5000 } } });
    expect(planDisk(sample, 1000.4)).toEqual({
      steps: [{ write: tune('vda', 1000), undo: tune('vda', 5000) }],
      target: 1000,
      tolerance: 1,
    });
  });

  it('lets several disks share one limit, in the group they are in or in ours', () => {
    expect(planDisk(rawSample(), 1000).steps.map(({ write }) => write)).toEqual([
      tune('vda', 1000, 'foresize'),
      tune('vdb', 1000, 'foresize'),
    ]);
    const grouped = { total_bytes_sec: 1, group_name: 'theirs' };
    const sample = rawSample({}, { tunes: { vda: grouped, vdb: grouped } });
    expect(planDisk(sample, 1000).steps[0]?.write).toEqual(tune('vda', 1000, 'theirs'));
  });

  it('refuses what it could not put back, and a VM without disks', () => {
    expect(() => planDisk(rawSample({}, { tunes: {} }), 1000)).toThrow('LIMIT_UNREADABLE');
    expect(() => planDisk(rawSample({ 'block.count': 0 }), 1000)).toThrow('NO_DISK');
  });
});

describe('planNetwork', () => {
  it('limits each direction, and puts back all that the average takes along', () => {
    const before = { 'inbound.average': 7, 'inbound.peak': 9, 'inbound.burst': 3, 'outbound.average': 8 };
    const plan = planNetwork(rawSample({}, { bandwidths: { vnet0: before } }), 123_456);
    expect(plan).toMatchObject({ target: 123_000, tolerance: 1000 });
    const values = (write: unknown) =>
      (write as { args: [string, { name: string; value: number }[]] }).args[1].map(({ name, value }) => [
        name,
        value,
      ]);
    expect(values(plan.steps[0]!.write)).toEqual([
      ['inbound.average', 123],
      ['outbound.average', 123],
    ]);
    expect(values(plan.steps[0]!.undo)).toEqual([
      ['inbound.average', 7],
      ['inbound.peak', 9],
      ['inbound.burst', 3],
      ['outbound.average', 8],
      ['outbound.peak', 0],
      ['outbound.burst', 0],
    ]);
  });

  it('refuses a VM without an interface on the host', () => {
    expect(() => planNetwork(rawSample({ 'net.count': 0 }), 1000)).toThrow('NO_INTERFACE');
  });
});
