import type { RawSample } from '../../../live/libvirt/session-types.ts';
import { parseSample, type Reading } from '../../../live/libvirt/stats.ts';
import type { Params } from '../../../live/libvirt/typed-params.ts';

/** The statistics of a QEMU guest with two disks and a tap, as libvirt 9.0 gives them (shortened). */
export const QEMU_STATS: Params = {
  'state.state': 1,
  'cpu.time': 30_000_000_000,
  'balloon.current': 262_144,
  'balloon.maximum': 262_144,
  'balloon.swap_in': 0,
  'balloon.unused': 188_032,
  'balloon.available': 223_092,
  'balloon.usable': 191_404,
  'balloon.last-update': 1_795_558_908,
  'vcpu.current': 2,
  'vcpu.maximum': 3,
  'vcpu.0.time': 20_000_000_000,
  'vcpu.0.delay': 5_000_000_000,
  'vcpu.2.time': 8_000_000_000,
  'vcpu.2.delay': 1_000_000_000,
  'net.count': 1,
  'net.0.name': 'vnet0',
  'net.0.rx.bytes': 1000,
  'net.0.rx.pkts': 10,
  'net.0.rx.drop': 1,
  'net.0.tx.bytes': 2000,
  'net.0.tx.pkts': 20,
  'net.0.tx.drop': 0,
  'block.count': 3,
  'block.0.name': 'vda',
  'block.0.rd.bytes': 4096,
  'block.0.rd.times': 1000,
  'block.0.wr.bytes': 8192,
  'block.0.wr.times': 2000,
  'block.0.capacity': 67_108_864,
  'block.1.name': 'vdb',
  'block.1.rd.bytes': 1,
  'block.1.rd.times': 2,
  'block.1.wr.bytes': 3,
  'block.1.wr.times': 4,
  'block.1.capacity': 67_108_864,
  // An empty CD-ROM drive.
  'block.2.name': 'sda',
};

const LAST_UPDATE_MS = 1_795_558_908_000;

/** A raw sample: the statistics above with some replaced, and the stamps of a call of 20 ms that ends at `at`. */
export function rawSample(stats: Params = {}, over: Partial<RawSample> = {}, at = LAST_UPDATE_MS): RawSample {
  return {
    uuid: 'c90f3eb3-a987-42f8-8190-0d489f1ee52f',
    id: 1,
    before: { at: at - 20, mono: at - 20 },
    after: { at, mono: at },
    stats: { ...QEMU_STATS, ...stats },
    info: { state: 1, maxMemoryKib: 262_144, memoryKib: 262_144, vcpus: 2 },
    scheduler: { vcpu_period: 100_000, vcpu_quota: -1, global_period: 100_000, global_quota: -1 },
    tunes: { vda: { total_bytes_sec: 0, group_name: '' }, vdb: { total_bytes_sec: 0, group_name: '' } },
    bandwidths: { vnet0: { 'inbound.average': 0, 'outbound.average': 0 } },
    problems: [],
    ...over,
  };
}

export function reading(stats: Params, at: number, over: Partial<RawSample> = {}): Reading {
  return parseSample(rawSample({ 'balloon.last-update': Math.floor(at / 1000), ...stats }, over, at));
}
