import { deviceNames, diskNames, nicNames } from './devices.ts';
import type { RawSample, Stamp } from './session-types.ts';
import type { Params } from './typed-params.ts';

/** Counters of one kind, by device or vCPU; only ever larger while the device lives. */
export type Counters = Readonly<Record<string, number>>;

/** The counters kept of a VM. Those of a group that was not read are empty. */
export const COUNTERS = [
  /** ns of CPU, of the vCPUs and the emulator around them. */
  'cpuTime',
  /** ns the vCPUs ran, and ns they were ready to run but had to wait: for the host, or for their quota. */
  'vcpuTime',
  'vcpuDelay',
  /** Bytes read and written, and ns the requests took, queueing included. */
  'diskBytes',
  'diskTime',
  /** As the guest sees them. */
  'rxBytes',
  'txBytes',
  'packets',
  'drops',
  /** KiB the guest read back from its swap. */
  'swapIn',
] as const;
export type CounterName = (typeof COUNTERS)[number];

export interface BalloonStats {
  /** KiB the guest has now. */
  readonly current: number;
  /** KiB the guest could hand out without swapping; NaN if the guest does not say. */
  readonly usable: number;
  /** Seconds since the epoch at which the guest last reported; 0 if never. */
  readonly lastUpdate: number;
}

/** A sample in the words of Foresize. */
export interface Reading {
  readonly bootId: number;
  /** Wall clock at the end of the reading, so that it is never dated before what it saw. */
  readonly at: number;
  /** Monotonic ms at its middle, the best single stamp for counters read somewhere in between. */
  readonly mono: number;
  readonly counters: Readonly<Record<CounterName, Counters>>;
  readonly balloon: BalloonStats;
  /** What is granted, in core's units: Infinity without a limit, NaN where it could not be read. */
  readonly granted: Granted;
}

export interface Granted {
  readonly cpu: number;
  readonly memory: number;
  readonly diskIo: number;
  readonly network: number;
}

export function parseSample(sample: RawSample): Reading {
  const { stats, info } = sample;
  const disks = deviceNames(stats, 'block');
  const nics = deviceNames(stats, 'net');
  const vcpus = vcpuIndices(stats);
  const vcpuCount = number(stats['vcpu.current']) || info.vcpus;
  const balloon: BalloonStats = {
    current: number(stats['balloon.current']) || info.memoryKib,
    // Without the guest's estimate, memory on no list at all: less, so on the safe side.
    usable: number(stats['balloon.usable'] ?? stats['balloon.unused']),
    lastUpdate: number(stats['balloon.last-update']) || 0,
  };
  return {
    bootId: sample.id,
    at: sample.after.at,
    mono: middle(sample.before, sample.after),
    balloon,
    counters: {
      cpuTime: pick(stats, { '': 'cpu.time' }),
      vcpuTime: perDevice(stats, 'vcpu', vcpus, ['time']),
      vcpuDelay: perDevice(stats, 'vcpu', vcpus, ['delay']),
      diskBytes: perDevice(stats, 'block', disks, ['rd.bytes', 'wr.bytes']),
      diskTime: perDevice(stats, 'block', disks, ['rd.times', 'wr.times']),
      rxBytes: perDevice(stats, 'net', nics, ['rx.bytes']),
      txBytes: perDevice(stats, 'net', nics, ['tx.bytes']),
      packets: perDevice(stats, 'net', nics, ['rx.pkts', 'tx.pkts']),
      drops: perDevice(stats, 'net', nics, ['rx.drop', 'tx.drop']),
      swapIn: pick(stats, { '': 'balloon.swap_in' }),
    },
    granted: {
      cpu: grantedCores(vcpuCount, sample.scheduler),
      memory: balloon.current / 1024,
      diskIo: grantedDisk(diskNames(stats), sample.tunes),
      network: grantedNetwork(nicNames(stats), sample.bandwidths),
    },
  };
}

/** Cores a domain of `vcpus` vCPUs may use: the tightest of the count, the quota a vCPU and the quota in all. */
export function grantedCores(vcpus: number, scheduler: Params | undefined): number {
  if (!(vcpus > 0)) return Number.NaN;
  if (!scheduler) return vcpus;
  const each = quotaCores(scheduler['vcpu_quota'], scheduler['vcpu_period']);
  const all = quotaCores(scheduler['global_quota'], scheduler['global_period']);
  return Math.min(vcpus, vcpus * each, all);
}

function quotaCores(quota: Params[string] | undefined, period: Params[string] | undefined): number {
  const us = number(quota);
  return us > 0 ? us / (number(period) || 100_000) : Number.POSITIVE_INFINITY;
}

/** Bytes/s over all disks; disks of one group share one limit. */
export function grantedDisk(disks: readonly string[], tunes: Readonly<Record<string, Params>>): number {
  const limits = new Map<string, number>();
  for (const disk of disks) {
    const tune = tunes[disk];
    if (!tune) return Number.NaN;
    const total = number(tune['total_bytes_sec']);
    const read = number(tune['read_bytes_sec']);
    const write = number(tune['write_bytes_sec']);
    // One direction alone limits nothing in all.
    const limit = total > 0 ? total : read > 0 && write > 0 ? read + write : Number.POSITIVE_INFINITY;
    const group = tune['group_name'];
    limits.set(group ? `group ${group}` : disk, limit);
  }
  return sum(limits.values());
}

/** libvirt hands its kilobytes to `tc` as `kbps`, which are 1000 bytes. */
export const BANDWIDTH_UNIT = 1000;

/** Bytes/s in the tighter direction, over all interfaces. */
export function grantedNetwork(
  nics: readonly string[],
  bandwidths: Readonly<Record<string, Params>>,
): number {
  const limits: number[] = [];
  for (const nic of nics) {
    const bandwidth = bandwidths[nic];
    if (!bandwidth) return Number.NaN;
    const inbound = number(bandwidth['inbound.average']);
    const outbound = number(bandwidth['outbound.average']);
    limits.push(Math.min(inbound || Number.POSITIVE_INFINITY, outbound || Number.POSITIVE_INFINITY));
  }
  return sum(limits) * BANDWIDTH_UNIT;
}

/** No device: nothing that could be granted. */
function sum(limits: Iterable<number>): number {
  let total = Number.NaN;
  for (const limit of limits) total = (Number.isNaN(total) ? 0 : total) + limit;
  return total;
}

function middle(before: Stamp, after: Stamp): number {
  return (before.mono + after.mono) / 2;
}

function number(value: Params[string] | undefined): number {
  return typeof value === 'number' ? value : Number.NaN;
}

function pick(stats: Params, keys: Readonly<Record<string, string>>): Counters {
  const counters: Record<string, number> = {};
  for (const [name, key] of Object.entries(keys)) {
    const value = number(stats[key]);
    if (!Number.isNaN(value)) counters[name] = value;
  }
  return counters;
}

/** Fields of every device, by the device's own name: indices shift when one is removed. */
function perDevice(
  stats: Params,
  group: string,
  devices: readonly [name: string, index: number][],
  fields: readonly string[],
): Counters {
  const keys: Record<string, string> = {};
  for (const [name, index] of devices) {
    for (const field of fields) keys[`${name} ${field}`] = `${group}.${index}.${field}`;
  }
  return pick(stats, keys);
}

/** A vCPU that is offline has no entry, so that the indices may have gaps. */
function vcpuIndices(stats: Params): [name: string, index: number][] {
  const maximum = number(stats['vcpu.maximum']) || 0;
  return Array.from({ length: maximum }, (_, i) => [String(i), i]);
}
