import type { Fleet } from '../../core/fleet.ts';
import { grown, R } from '../../core/model.ts';
import type { Hosts } from './hosts.ts';
import type { Vms } from './vms.ts';

/**
 * Where VMs are and what is promised to them there. A VM that is being copied holds room on both hosts. What is
 * promised is at least what is allocated: room for growth is taken before the resize, and given back after a shrink.
 */
export class Reservations {
  /** Host the VM runs on, by slot; -1 while it has none. */
  host = new Int32Array(0);
  /** Host it is being copied to, by slot; -1 = none. */
  target = new Int32Array(0);
  /** Promised on `host` and on `target`, slot x R. */
  #here = new Float64Array(0);
  #there = new Float64Array(0);
  readonly #fleet: Fleet;
  readonly #vms: Vms;
  readonly #hosts: Hosts;
  readonly #need = new Float64Array(R);

  constructor(fleet: Fleet, vms: Vms, hosts: Hosts) {
    this.#fleet = fleet;
    this.#vms = vms;
    this.#hosts = hosts;
  }

  grow(capacity: number): void {
    this.host = grown(this.host, capacity);
    this.target = grown(this.target, capacity);
    this.#here = grown(this.#here, capacity * R);
    this.#there = grown(this.#there, capacity * R);
  }

  admit(slot: number): void {
    this.host[slot] = -1;
    this.target[slot] = -1;
  }

  /** What the VM needs of a new host: what it has, or will have once resizes under way are done. Valid until called again. */
  need(slot: number): Float64Array {
    for (let r = 0; r < R; r++) {
      this.#need[r] = Math.max(this.#vms.allocation[slot * R + r]!, this.#vms.pending(slot, r));
    }
    return this.#need;
  }

  place(slot: number, host: number, need: Float64Array): void {
    this.host[slot] = host;
    this.#here.set(need, slot * R);
    this.#commit(host, need, 0);
    this.#count(host, 1);
  }

  /** The VM has left its host, and the one it was being copied to. */
  release(slot: number): void {
    this.cancelMove(slot);
    const host = this.host[slot]!;
    if (host < 0) return;
    this.#uncommit(host, this.#here, slot * R);
    this.#count(host, -1);
    this.host[slot] = -1;
  }

  startMove(slot: number, target: number, need: Float64Array): void {
    this.target[slot] = target;
    this.#there.set(need, slot * R);
    this.#commit(target, need, 0);
    this.#count(target, 1);
  }

  cancelMove(slot: number): void {
    const target = this.target[slot]!;
    if (target < 0) return;
    this.#uncommit(target, this.#there, slot * R);
    this.#count(target, -1);
    this.target[slot] = -1;
    // A resize that only the target had room for is given up.
    for (let r = 0; r < R; r++) {
      if (this.#vms.pending(slot, r) > this.#here[slot * R + r]!) this.#vms.cancelResize(slot, r);
    }
  }

  finishMove(slot: number): void {
    const target = this.target[slot]!;
    const host = this.host[slot]!;
    this.#uncommit(host, this.#here, slot * R);
    this.#count(host, -1);
    this.host[slot] = target;
    this.target[slot] = -1;
    this.#here.set(this.#there.subarray(slot * R, slot * R + R), slot * R);
  }

  /** Takes room for one resource to grow to `to`, everywhere the VM is; false, and nothing changed, if there is none. */
  extend(slot: number, r: number, to: number): boolean {
    const i = slot * R + r;
    const host = this.host[slot]!;
    const target = this.target[slot]!;
    const here = Math.max(0, to - this.#here[i]!);
    const there = target < 0 ? 0 : Math.max(0, to - this.#there[i]!);
    const { committed, limit } = this.#hosts;
    if (here > 0 && committed[host * R + r]! + here > limit[host * R + r]!) return false;
    if (there > 0 && committed[target * R + r]! + there > limit[target * R + r]!) return false;
    if (here > 0) {
      committed[host * R + r] = committed[host * R + r]! + here;
      this.#here[i] = to;
    }
    if (there > 0) {
      committed[target * R + r] = committed[target * R + r]! + there;
      this.#there[i] = to;
    }
    return true;
  }

  /** Takes room where the VM is being copied to only, for a resize that takes effect there. */
  extendThere(slot: number, r: number, to: number): boolean {
    const target = this.target[slot]!;
    const i = slot * R + r;
    const more = Math.max(0, to - this.#there[i]!);
    const { committed, limit } = this.#hosts;
    if (target < 0 || committed[target * R + r]! + more > limit[target * R + r]!) return false;
    committed[target * R + r] = committed[target * R + r]! + more;
    this.#there[i] = Math.max(to, this.#there[i]!);
    return true;
  }

  /** Gives back what shrunken VMs no longer need, and adds everything up afresh, so that rounding does not creep. */
  settle(): void {
    const { committed } = this.#hosts;
    const { allocation } = this.#vms;
    committed.fill(0);
    const slots = this.#fleet.slots;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const host = this.host[slot]!;
      if (host < 0) continue;
      const target = this.target[slot]!;
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        const here = this.#here[i]!;
        if (here > allocation[i]!)
          this.#here[i] = Math.min(here, Math.max(allocation[i]!, this.#vms.pending(slot, r)));
        committed[host * R + r] = committed[host * R + r]! + this.#here[i]!;
        if (target < 0) continue;
        this.#there[i] = Math.min(this.#there[i]!, Math.max(allocation[i]!, this.#vms.pending(slot, r)));
        committed[target * R + r] = committed[target * R + r]! + this.#there[i]!;
      }
    }
  }

  #commit(host: number, need: Float64Array, from: number): void {
    const { committed } = this.#hosts;
    for (let r = 0; r < R; r++) committed[host * R + r] = committed[host * R + r]! + need[from + r]!;
  }

  #uncommit(host: number, need: Float64Array, from: number): void {
    const { committed } = this.#hosts;
    for (let r = 0; r < R; r++) {
      committed[host * R + r] = Math.max(0, committed[host * R + r]! - need[from + r]!);
    }
  }

  #count(host: number, change: number): void {
    this.#hosts.vms[host] = this.#hosts.vms[host]! + change;
  }
}
