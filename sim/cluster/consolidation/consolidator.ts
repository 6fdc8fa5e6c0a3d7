import { LOAD_HISTORY, type OverloadRule, overloaded } from '../overload.ts';
import { powerAt } from '../power.ts';
import { type LoadHistory, Placement, type ServerColumns, type VmColumns } from './state.ts';

/** VM `vm` is to go to `host`. */
export interface Move {
  readonly vm: number;
  readonly host: number;
}

/** Copies use half of a host's network, and the other half is left to its VMs; seconds for so many MiB. */
export function copySeconds(memory: number, networkMbit: number): number {
  return memory / (networkMbit / 2 / 8);
}

/**
 * Plans migrations once a tick (Beloglazov and Buyya, CCPE 2012, section 6): VMs leave overloaded hosts, the one that is
 * copied fastest first, until the host is no longer overloaded; they go, the busiest first, to the host whose power
 * rises least (power-aware best fit decreasing); then the least loaded hosts are emptied one by one if all their VMs
 * find a place.
 */
export class Consolidator {
  readonly #servers: ServerColumns;
  readonly #vms: VmColumns;
  readonly #rule: OverloadRule;
  readonly #history: LoadHistory;
  readonly #stepS: number;
  /** MIPS each VM wants now. */
  readonly #wanted: Float64Array;
  /** The plan so far: what the hosts will hold. */
  readonly #plan: Placement;
  /** By host of the plan: sum of wanted, of what is granted and of what is left, MIPS; loads of the past. */
  readonly #wantedOn: Float64Array;
  readonly #grantedOn: Float64Array;
  readonly #freeOn: Float64Array;
  readonly #pastOn: Float64Array;
  readonly #largestOn: Float64Array;
  /** Power now, before the plan, W. */
  readonly #power: Float64Array;
  readonly #barred: Uint8Array;
  readonly #past = new Float64Array(LOAD_HISTORY);

  constructor(
    servers: ServerColumns,
    vms: VmColumns,
    rule: OverloadRule,
    history: LoadHistory,
    wanted: Float64Array,
    stepS: number,
  ) {
    this.#servers = servers;
    this.#vms = vms;
    this.#rule = rule;
    this.#history = history;
    this.#wanted = wanted;
    this.#stepS = stepS;
    const n = servers.count;
    this.#plan = new Placement(n, vms.count);
    this.#wantedOn = new Float64Array(n);
    this.#grantedOn = new Float64Array(n);
    this.#freeOn = new Float64Array(n);
    this.#pastOn = new Float64Array(n * LOAD_HISTORY);
    this.#largestOn = new Float64Array(n);
    this.#power = new Float64Array(n);
    this.#barred = new Uint8Array(n);
  }

  /** @param utilization measured now, by host; 0 = switched off */
  plan(placement: Placement, utilization: Float64Array): Move[] {
    const { count, watts } = this.#servers;
    const plan = this.#plan;
    const barred = this.#barred;
    plan.copyFrom(placement);
    for (let h = 0; h < count; h++) {
      this.#refresh(h);
      this.#power[h] = powerAt(watts[h]!, utilization[h]!);
    }
    const overloads: number[] = [];
    barred.fill(0);
    for (let h = 0; h < count; h++) {
      if (!this.#overloaded(h)) continue;
      overloads.push(h);
      barred[h] = 1;
    }
    const evicted: number[] = [];
    for (const h of overloads) {
      do {
        const vm = this.#fastest(h);
        if (vm < 0) break;
        evicted.push(vm);
        plan.remove(vm);
        this.#refresh(h);
      } while (this.#overloaded(h));
    }
    const moves: Move[] = [];
    this.#byLoad(evicted);
    for (const vm of evicted) {
      const host = this.#hostFor(vm, utilization);
      if (host >= 0) moves.push(this.#put(vm, host));
    }
    // Emptying hosts must not switch on others.
    for (let h = 0; h < count; h++) if (utilization[h] === 0) barred[h] = 1;
    this.#empty(utilization, moves);
    return moves;
  }

  /** Plans to empty hosts from the least loaded up. A host that was given a VM of an emptied one is left alone. */
  #empty(utilization: Float64Array, moves: Move[]): void {
    const { count } = this.#servers;
    const settled = Uint8Array.from(this.#barred);
    for (;;) {
      let least = -1;
      for (let h = 0; h < count; h++) {
        const load = utilization[h]!;
        if (settled[h] === 0 && load > 0 && load < (least < 0 ? 1 : utilization[least]!)) least = h;
      }
      if (least < 0) return;
      settled[least] = 1;
      this.#barred[least] = 1;
      const vms: number[] = [];
      for (let vm = this.#plan.head[least]!; vm >= 0; vm = this.#plan.next[vm]!) vms.push(vm);
      this.#byLoad(vms);
      const placed: Move[] = [];
      for (const vm of vms) {
        const host = this.#hostFor(vm, utilization);
        if (host < 0) break;
        placed.push(this.#put(vm, host));
      }
      if (placed.length === vms.length) {
        for (const move of placed) {
          settled[move.host] = 1;
          moves.push(move);
        }
      } else {
        for (const { vm } of placed) this.#put(vm, least);
      }
    }
  }

  #put(vm: number, host: number): Move {
    const from = this.#plan.host[vm]!;
    this.#plan.move(vm, host);
    this.#refresh(host);
    if (from >= 0) this.#refresh(from);
    return { vm, host };
  }

  /** The busiest first; equals stay in order. */
  #byLoad(vms: number[]): void {
    vms.sort((a, b) => this.#wanted[b]! - this.#wanted[a]!);
  }

  /** Minimum migration time: the smallest memory, the earliest to come among equals. */
  #fastest(host: number): number {
    let best = -1;
    for (let vm = this.#plan.head[host]!; vm >= 0; vm = this.#plan.next[vm]!) {
      if (best < 0 || this.#vms.memory[vm]! < this.#vms.memory[best]!) best = vm;
    }
    return best;
  }

  /** The host whose power rises least, or -1. */
  #hostFor(vm: number, utilization: Float64Array): number {
    const { count, coreMips, mips, watts } = this.#servers;
    const wanted = this.#wanted[vm]!;
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let h = 0; h < count; h++) {
      if (this.#barred[h] === 1 || coreMips[h]! < wanted || this.#freeOn[h]! < wanted) continue;
      const load = (this.#grantedOn[h]! + wanted) / mips[h]!;
      if (load > 1) continue;
      const rise = powerAt(watts[h]!, load) - this.#power[h]!;
      if (rise >= least) continue;
      if (utilization[h] !== 0 && this.#overloadedWith(h, vm)) continue;
      least = rise;
      best = h;
    }
    return best;
  }

  #overloaded(host: number): boolean {
    const load = this.#wantedOn[host]! / this.#servers.mips[host]!;
    const ahead = this.#ahead(host, this.#largestOn[host]!);
    return overloaded(this.#rule, load, this.#pastOn, host * LOAD_HISTORY, this.#history.length, ahead);
  }

  #overloadedWith(host: number, vm: number): boolean {
    const mips = this.#servers.mips[host]!;
    const load = (this.#wantedOn[host]! + this.#wanted[vm]!) / mips;
    const past = this.#past;
    const n = this.#history.length;
    if (this.#rule.kind !== 'thr') {
      const size = this.#vms.mips[vm]!;
      for (let i = 0; i < n; i++) {
        past[i] =
          this.#pastOn[host * LOAD_HISTORY + i]! +
          (this.#history.values[vm * LOAD_HISTORY + i]! * size) / mips;
      }
    }
    const ahead = this.#ahead(host, Math.max(this.#largestOn[host]!, this.#vms.memory[vm]!));
    return overloaded(this.#rule, load, past, 0, n, ahead);
  }

  #ahead(host: number, memory: number): number {
    return Math.ceil(copySeconds(memory, this.#servers.network[host]!) / this.#stepS);
  }

  /** Works out the sums of a host whose VMs in the plan have changed. */
  #refresh(host: number): void {
    const { coreMips, mips } = this.#servers;
    const capacity = mips[host]!;
    const core = coreMips[host]!;
    const { head, next } = this.#plan;
    let wanted = 0;
    let capped = 0;
    let largest = 0;
    for (let vm = head[host]!; vm >= 0; vm = next[vm]!) {
      wanted += this.#wanted[vm]!;
      capped += Math.min(this.#wanted[vm]!, core);
      largest = Math.max(largest, this.#vms.memory[vm]!);
    }
    this.#wantedOn[host] = wanted;
    this.#largestOn[host] = largest;
    this.#freeOn[host] = Math.max(0, capacity - capped);
    this.#grantedOn[host] = Math.min(capped, capacity);
    if (this.#rule.kind === 'thr') return;
    const past = this.#pastOn;
    const from = host * LOAD_HISTORY;
    const n = this.#history.length;
    past.fill(0, from, from + n);
    for (let vm = head[host]!; vm >= 0; vm = next[vm]!) {
      const size = this.#vms.mips[vm]!;
      for (let i = 0; i < n; i++) {
        past[from + i] = past[from + i]! + (this.#history.values[vm * LOAD_HISTORY + i]! * size) / capacity;
      }
    }
  }
}
