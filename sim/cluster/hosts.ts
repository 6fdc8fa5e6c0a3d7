import { R } from '../../core/model.ts';
import type { HostsParams } from './hosts-model.ts';
import { wattsOf } from './power-model.ts';

/** The hosts as columns, host x R: what they have, what may be promised of it, and what is. */
export class Hosts {
  readonly count: number;
  /** In the units of the model; Infinity where it is not limited. */
  readonly capacity: Float64Array;
  /** Capacity x overcommit: allocations never add up to more. */
  readonly limit: Float64Array;
  readonly committed: Float64Array;
  /** VMs that run on the host or are being copied to it. */
  readonly vms: Int32Array;
  /** 1 while the host takes no VMs: it has failed or is in maintenance. */
  readonly barred: Uint8Array;
  /** 1 for a host of the quarantine pool. */
  readonly pool: Uint8Array;
  /** SPECpower table by host. */
  readonly watts: readonly (readonly number[])[];
  /** The largest limit of any host, by resource. */
  readonly largest = new Float64Array(R);

  constructor({ groups }: Pick<HostsParams, 'groups'>) {
    this.count = groups.reduce((sum, { count }) => sum + count, 0);
    this.capacity = new Float64Array(this.count * R);
    this.limit = new Float64Array(this.count * R);
    this.committed = new Float64Array(this.count * R);
    this.vms = new Int32Array(this.count);
    this.barred = new Uint8Array(this.count);
    this.pool = new Uint8Array(this.count);
    const watts: (readonly number[])[] = [];
    for (const group of groups) {
      const { overcommit } = group;
      const capacity = [
        group.cores,
        group.memoryMiB,
        group.diskBytesPerS ?? Number.POSITIVE_INFINITY,
        group.networkBytesPerS ?? Number.POSITIVE_INFINITY,
      ];
      const times = [overcommit.cpu, overcommit.memory, overcommit.diskIo, overcommit.network];
      for (let i = 0; i < group.count; i++) {
        const from = watts.length * R;
        for (let r = 0; r < R; r++) {
          this.capacity[from + r] = capacity[r]!;
          this.limit[from + r] = capacity[r]! * times[r]!;
          this.largest[r] = Math.max(this.largest[r]!, capacity[r]! * times[r]!);
        }
        this.pool[watts.length] = group.quarantine ? 1 : 0;
        watts.push(wattsOf(group.power));
      }
    }
    this.watts = watts;
  }

  /** Whether so much more can be promised. A host that takes no VMs may still grow those it has. */
  hasRoom(host: number, need: Float64Array): boolean {
    const from = host * R;
    for (let r = 0; r < R; r++) {
      if (this.committed[from + r]! + need[r]! > this.limit[from + r]!) return false;
    }
    return true;
  }

  /** Whether any host of the pool, empty, could hold it. @param pool 1 = quarantine */
  couldHold(need: Float64Array, pool: number): boolean {
    for (let h = 0; h < this.count; h++) {
      let fits = this.pool[h] === pool;
      for (let r = 0; r < R; r++) fits &&= need[r]! <= this.limit[h * R + r]!;
      if (fits) return true;
    }
    return false;
  }
}
