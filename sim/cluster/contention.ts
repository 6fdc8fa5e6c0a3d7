import type { Fleet } from '../../core/fleet.ts';
import { CPU, grown, MEMORY, R } from '../../core/model.ts';
import type { Hosts } from './hosts.ts';
import type { Vms } from './vms.ts';

/**
 * Weighted max-min shares: nobody gets more than it wants, nothing is left over while somebody wants more, and those
 * who get less than they want get alike in proportion to their weights (water-filling). At most n rounds.
 * @param want what each of n wants, > 0 only where its weight is
 * @param share receives what each gets
 */
export function shareOut(
  n: number,
  want: Float64Array,
  weight: Float64Array,
  capacity: number,
  share: Float64Array,
): void {
  share.fill(-1, 0, n);
  let left = capacity;
  let weights = 0;
  for (let i = 0; i < n; i++) weights += weight[i]!;
  for (let changed = true; changed; ) {
    changed = false;
    const level = Math.max(0, left) / weights;
    for (let i = 0; i < n; i++) {
      if (share[i]! >= 0 || want[i]! > level * weight[i]!) continue;
      share[i] = want[i]!;
      left -= want[i]!;
      weights -= weight[i]!;
      changed = true;
    }
  }
  let rest = 0;
  for (let i = 0; i < n; i++) if (share[i]! < 0) rest += weight[i]!;
  const level = rest > 0 ? Math.max(0, left) / rest : 0;
  for (let i = 0; i < n; i++) if (share[i]! < 0) share[i] = level * weight[i]!;
}

/**
 * What co-located VMs make of a host that was promised more than once: CPU, disk and network by weight (the size the
 * owner requested) up to the quota (the allocation). Memory nobody uses is ballooned away first, at no cost; when what
 * is used does not fit, the guests above their share are short, and swap or are killed by the VM model's rule.
 */
export class Contention {
  /** What VMs want of each host in the interval, host x R; at most their allocations. */
  readonly load: Float64Array;
  /**
   * What each VM on a host wants, waiting work included, as a rate over the interval: at most the largest size it has in
   * it. Slot x R.
   */
  wanted = new Float64Array(0);
  readonly #fleet: Fleet;
  readonly #vms: Vms;
  readonly #hosts: Hosts;
  readonly #stepS: number;
  #first = new Int32Array(0);
  #members = new Int32Array(0);
  #want = new Float64Array(64);
  #weight = new Float64Array(64);
  #share = new Float64Array(64);

  constructor(fleet: Fleet, vms: Vms, hosts: Hosts, stepMs: number) {
    this.#fleet = fleet;
    this.#vms = vms;
    this.#hosts = hosts;
    this.#stepS = stepMs / 1000;
    this.load = new Float64Array(hosts.count * R);
  }

  /** Holds VMs back where a host has less than they want. @param hostOf host by slot, -1 = none */
  apply(hostOf: Int32Array): void {
    const { load } = this;
    const { capacity, count } = this.#hosts;
    const { demand, backlog } = this.#vms;
    const slots = this.#fleet.slots;
    this.wanted = grown(this.wanted, this.#fleet.rows * R);
    const wanted = this.wanted;
    load.fill(0);
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const host = hostOf[slot]!;
      if (host < 0) continue;
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        const rate = r === MEMORY ? demand[i]! : demand[i]! + backlog[i]! / this.#stepS;
        const want = Math.min(rate, this.#vms.largest(slot, r));
        wanted[i] = want;
        load[host * R + r] = load[host * R + r]! + want;
      }
    }
    let grouped = false;
    for (let h = 0; h < count; h++) {
      for (let r = 0; r < R; r++) {
        if (load[h * R + r]! <= capacity[h * R + r]!) continue;
        if (!grouped) this.#group(hostOf);
        grouped = true;
        this.#divide(h, r);
      }
    }
  }

  #divide(host: number, r: number): void {
    const from = this.#first[host]!;
    const n = this.#first[host + 1]! - from;
    if (n > this.#want.length) {
      this.#want = new Float64Array(n * 2);
      this.#weight = new Float64Array(n * 2);
      this.#share = new Float64Array(n * 2);
    }
    for (let k = 0; k < n; k++) {
      const slot = this.#members[from + k]!;
      this.#want[k] = this.wanted[slot * R + r]!;
      this.#weight[k] = this.#fleet.requested[slot * R + r]!;
    }
    shareOut(n, this.#want, this.#weight, this.#hosts.capacity[host * R + r]!, this.#share);
    for (let k = 0; k < n; k++) {
      if (this.#share[k]! < this.#want[k]!) this.#vms.hold(this.#members[from + k]!, r, this.#share[k]!, 1);
    }
  }

  /** Counting sort of the slots by host: members[first[h]..first[h + 1]). */
  #group(hostOf: Int32Array): void {
    const slots = this.#fleet.slots;
    const first = new Int32Array(this.#hosts.count + 2);
    for (const slot of slots) first[hostOf[slot]! + 2] = first[hostOf[slot]! + 2]! + 1;
    for (let h = 1; h < first.length; h++) first[h] = first[h]! + first[h - 1]!;
    if (this.#members.length < slots.length) this.#members = new Int32Array(slots.length * 2);
    const at = first.slice();
    for (const slot of slots) {
      const h = hostOf[slot]! + 1;
      this.#members[at[h]!] = slot;
      at[h] = at[h]! + 1;
    }
    this.#first = first.subarray(1);
  }

  /** Whether the host's CPUs had no time to spare. */
  full(host: number): boolean {
    return this.load[host * R + CPU]! >= this.#hosts.capacity[host * R + CPU]!;
  }
}
