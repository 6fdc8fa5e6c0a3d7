import { ForesizeError } from '../../core/errors.ts';
import { floorKib } from './balloon.ts';
import { diskNames, nicNames } from './devices.ts';
import type { Session } from './session.ts';
import type { RawSample } from './session-types.ts';
import { BANDWIDTH_UNIT, type Reading } from './stats.ts';
import type { Params, TypedParam } from './typed-params.ts';

type Writer = 'setScheduler' | 'setVcpus' | 'setMemory' | 'setBlockTune' | 'setBandwidth';

/** A write to one domain, which comes as the first argument. */
export type Write = {
  [K in Writer]: {
    readonly operation: K;
    readonly args: Parameters<Session[K]> extends [string, ...infer Rest] ? Rest : never;
  };
}[Writer];

export interface Step {
  readonly write: Write;
  /** What takes it back, as far as anything can. */
  readonly undo: Write | undefined;
}

/** How a resize is to be done: steps that can be taken back first, one that cannot last. */
export interface Plan {
  readonly steps: readonly Step[];
  /** What will be granted after it, in core's units; may differ from what was asked for by rounding or a floor. */
  readonly target: number;
  /** By how much the reading afterwards may differ from `target`. */
  readonly tolerance: number;
}

/** The limit of the kernel's bandwidth control, us. */
const MIN_QUOTA = 1000;
const DEFAULT_PERIOD = 100_000;

/**
 * Cores by a quota over the whole VM (not a vCPU's: a guest of one busy thread on two vCPUs would get half), and
 * by more vCPUs where the cores need them. vCPUs are never taken away: guests do not give them back reliably.
 */
export function planCpu(sample: RawSample, cores: number): Plan {
  const vcpus = Number(sample.stats['vcpu.current'] ?? sample.info.vcpus);
  const steps: Step[] = [];
  let target = cores;
  if (sample.scheduler) {
    const period = Number(sample.scheduler['global_period'] ?? DEFAULT_PERIOD) || DEFAULT_PERIOD;
    const before = Number(sample.scheduler['global_quota'] ?? -1) || -1;
    const quota = Math.max(MIN_QUOTA, Math.round(cores * period));
    target = quota / period;
    const set = (value: number): Write => ({
      operation: 'setScheduler',
      args: [[{ name: 'global_quota', type: 'llong', value }]],
    });
    steps.push({ write: set(quota), undo: set(before) });
  } else if (!Number.isInteger(cores) || cores < vcpus) {
    throw refusal(
      'CPU_NO_QUOTA',
      'without a CPU quota only whole vCPUs can be added',
      'enable the cpu cgroup',
    );
  }
  const needed = Math.ceil(target - 1e-9);
  if (needed > vcpus) steps.push({ write: { operation: 'setVcpus', args: [needed] }, undo: undefined });
  return { steps, target, tolerance: 0.001 };
}

/** Memory by balloon, down to the guest's working set and a reserve and no further. */
export function planMemory(reading: Reading, fresh: boolean, mib: number): Plan {
  const { balloon } = reading;
  let kib = Math.round(mib * 1024);
  if (!(balloon.current > 0))
    throw refusal('MEMORY_UNKNOWN', 'the balloon could not be read', 'try again later');
  if (kib < balloon.current) {
    if (!fresh) {
      throw refusal(
        'MEMORY_UNKNOWN',
        'the guest does not report its memory, so that nothing tells how far it can shrink',
        'load virtio_balloon in the guest and set <stats period="5"/> on its <memballoon>',
      );
    }
    const floor = Math.ceil(floorKib(balloon));
    if (floor >= balloon.current) {
      throw refusal(
        'MEMORY_FLOOR',
        `the guest's working set and a reserve take all it has: ${Math.round(floor / 1024)} MiB`,
        'nothing; the guest needs its memory',
      );
    }
    kib = Math.max(kib, floor);
  }
  const set = (value: number): Write => ({ operation: 'setMemory', args: [value] });
  return {
    steps: [{ write: set(kib), undo: set(balloon.current) }],
    target: kib / 1024,
    tolerance: 1,
  };
}

const GROUP = 'foresize';

/** Bytes/s over all disks of the VM; several disks share one limit by a throttle group. */
export function planDisk(sample: RawSample, bytesPerSecond: number): Plan {
  const disks = diskNames(sample.stats);
  if (disks.length === 0)
    throw refusal('NO_DISK', 'the VM has no disk to limit', 'set diskIo max to 0 for it');
  const limit = Math.max(1, Math.round(bytesPerSecond));
  const group = disks.length === 1 ? undefined : commonGroup(disks, sample.tunes);
  const set = (disk: string, value: number): Write => {
    const params: TypedParam[] = [{ name: 'total_bytes_sec', type: 'ullong', value }];
    if (group !== undefined) params.push({ name: 'group_name', type: 'string', value: group });
    return { operation: 'setBlockTune', args: [disk, params] };
  };
  return {
    steps: disks.map((disk) => {
      const before = Number(readable(sample.tunes[disk], disk)['total_bytes_sec'] ?? 0);
      return { write: set(disk, limit), undo: set(disk, before) };
    }),
    target: limit,
    tolerance: 1,
  };
}

/** The group the disks are in already, or ours. */
function commonGroup(disks: readonly string[], tunes: Readonly<Record<string, Params>>): string {
  const names = new Set(disks.map((disk) => tunes[disk]?.['group_name']));
  const [name] = names;
  return names.size === 1 && typeof name === 'string' && name !== '' ? name : GROUP;
}

const BANDWIDTH_FIELDS = ['average', 'peak', 'burst'] as const;

/** Bytes/s in each direction, in equal parts over the interfaces. */
export function planNetwork(sample: RawSample, bytesPerSecond: number): Plan {
  const nics = nicNames(sample.stats);
  if (nics.length === 0) {
    throw refusal(
      'NO_INTERFACE',
      'the VM has no interface with a device on the host',
      'set network max to 0 for it',
    );
  }
  const average = Math.max(1, Math.round(bytesPerSecond / nics.length / BANDWIDTH_UNIT));
  return {
    steps: nics.map((nic) => {
      const before = readable(sample.bandwidths[nic], nic);
      return {
        write: { operation: 'setBandwidth', args: [nic, bandwidthParams(() => average, ['average'])] },
        // Peak and burst fall with the average, so that taking it back means all of them.
        undo: {
          operation: 'setBandwidth',
          args: [nic, bandwidthParams((name) => Number(before[name] ?? 0), BANDWIDTH_FIELDS)],
        },
      };
    }),
    target: average * nics.length * BANDWIDTH_UNIT,
    tolerance: nics.length * BANDWIDTH_UNIT,
  };
}

function bandwidthParams(value: (name: string) => number, fields: readonly string[]): TypedParam[] {
  return ['inbound', 'outbound'].flatMap((direction) =>
    fields.map((field) => {
      const name = `${direction}.${field}`;
      return { name, type: 'uint' as const, value: value(name) };
    }),
  );
}

function readable(params: Params | undefined, device: string): Params {
  if (params) return params;
  throw refusal(
    'LIMIT_UNREADABLE',
    `the limit of ${device} cannot be read, so that it could not be put back`,
    'see the problem logged with it',
  );
}

/** A resize that is not tried at all. */
export function refusal(code: string, what: string, remedy: string): ForesizeError {
  return new ForesizeError({ code, what, remedy });
}
