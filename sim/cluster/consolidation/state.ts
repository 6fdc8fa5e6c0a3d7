import { LOAD_HISTORY } from '../overload.ts';

/** The hosts of a consolidation study, one entry a host. */
export interface ServerColumns {
  readonly count: number;
  /** Capacity of one core and of all of them, MIPS. */
  readonly coreMips: Float64Array;
  readonly mips: Float64Array;
  /** MiB. */
  readonly memory: Float64Array;
  /** VMs may be created on it only while their requested rates fit into this, Mbit/s. */
  readonly network: Float64Array;
  /** Table of `power.ts`, by host. */
  readonly watts: readonly (readonly number[])[];
}

export interface VmColumns {
  readonly count: number;
  /** Largest rate, MIPS; MiB; Mbit/s. */
  readonly mips: Float64Array;
  readonly memory: Float64Array;
  readonly network: Float64Array;
  /** Share of `mips` wanted at sample t: load[vm * samples + t]. */
  readonly samples: number;
  readonly load: Float64Array;
}

/**
 * Which VM is where, as columns. Each host keeps its VMs in a doubly linked list in the order they came, because the
 * selection of a VM to move goes by that order.
 */
export class Placement {
  readonly host: Int32Array;
  readonly head: Int32Array;
  readonly next: Int32Array;
  readonly #tail: Int32Array;
  readonly #prev: Int32Array;

  constructor(hosts: number, vms: number) {
    this.host = new Int32Array(vms).fill(-1);
    this.next = new Int32Array(vms).fill(-1);
    this.#prev = new Int32Array(vms).fill(-1);
    this.head = new Int32Array(hosts).fill(-1);
    this.#tail = new Int32Array(hosts).fill(-1);
  }

  /** Puts a VM that is nowhere at the end of a host's list. */
  add(vm: number, host: number): void {
    const last = this.#tail[host]!;
    this.host[vm] = host;
    this.#prev[vm] = last;
    this.next[vm] = -1;
    if (last < 0) this.head[host] = vm;
    else this.next[last] = vm;
    this.#tail[host] = vm;
  }

  remove(vm: number): void {
    const host = this.host[vm]!;
    const before = this.#prev[vm]!;
    const after = this.next[vm]!;
    if (before < 0) this.head[host] = after;
    else this.next[before] = after;
    if (after < 0) this.#tail[host] = before;
    else this.#prev[after] = before;
    this.host[vm] = -1;
  }

  move(vm: number, host: number): void {
    if (this.host[vm]! >= 0) this.remove(vm);
    this.add(vm, host);
  }

  copyFrom(other: Placement): void {
    this.host.set(other.host);
    this.head.set(other.head);
    this.next.set(other.next);
    this.#tail.set(other.#tail);
    this.#prev.set(other.#prev);
  }
}

/** Loads of VMs at the last ticks, the latest first: vm x LOAD_HISTORY. */
export class LoadHistory {
  readonly values: Float64Array;
  readonly #vms: number;
  length = 0;

  constructor(vms: number) {
    this.#vms = vms;
    this.values = new Float64Array(vms * LOAD_HISTORY);
  }

  push(load: Float64Array): void {
    for (let vm = 0; vm < this.#vms; vm++) {
      const from = vm * LOAD_HISTORY;
      this.values.copyWithin(from + 1, from, from + LOAD_HISTORY - 1);
      this.values[from] = load[vm]!;
    }
    this.length = Math.min(LOAD_HISTORY, this.length + 1);
  }
}
