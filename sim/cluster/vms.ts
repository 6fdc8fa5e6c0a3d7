import type { Fleet } from '../../core/fleet.ts';
import type { Disturbances, Interval } from '../../core/interval.ts';
import { CPU, DISK_IO, type Frame, grown, MEMORY, NETWORK, type PerSlot, R } from '../../core/model.ts';
import type { VmModelParams } from './vm-model.ts';

/** Rounding of the pieces leaves a trace of pressure where there was none. */
const ROUNDING = 1e-12;

/**
 * The closed loop: what VMs make of their demand under their allocation. CPU work, disk and network bytes that
 * are not served wait in a bounded backlog; memory above the allocation kills or swaps. Demand is constant over
 * an interval; allocations may change within it, and a VM is integrated piece by piece between its resizes. Conservation: demand + backlog before = served + backlog after + dropped.
 */
export class Vms implements PerSlot {
  readonly #fleet: Fleet;
  readonly #params: VmModelParams;
  readonly #stepS: number;
  /** Demand of the running interval, slot x R. Written by the workload. */
  demand = new Float64Array(0);
  /** Granted now, slot x R. */
  allocation = new Float64Array(0);
  /** Waiting work at the end of what was integrated, unit x seconds. */
  backlog = new Float64Array(0);

  /** Seconds of the interval integrated so far: 0 for most, as few VMs are resized in an interval. */
  #elapsed = new Float64Array(0);
  /** Sums over the integrated part: served (memory: usage x s), allocation x s, starved s, unmet, dropped. */
  #served = new Float64Array(0);
  #granted = new Float64Array(0);
  #starved = new Float64Array(0);
  #unmet = new Float64Array(0);
  #dropped = new Float64Array(0);
  /** Backlog at the start of the interval. */
  #carried = new Float64Array(0);
  /** Whether a VM has a resize under way, an outage or a backlog: 1, and it needs the long way. */
  #busy = new Uint8Array(0);
  /** Room for the VMs that need the long way. */
  #special = new Int32Array(0);
  /** Resizes under way: which resources (bit r), their target and the second of the interval they take effect. */
  #moving = new Uint8Array(0);
  #target = new Float64Array(0);
  #due = new Float64Array(0);
  /** What the host lets a VM have at most, mean over this interval, and for which share of it; Infinity at rest. */
  #ceiling = new Float64Array(0);
  #heldShare = new Float64Array(0);
  /** VMs that are held back or suspended in this interval. */
  #held: number[] = [];
  #isHeld = new Uint8Array(0);
  #suspended = new Uint8Array(0);
  /** Seconds of outage left. */
  #down = new Float64Array(0);
  #killed = new Uint8Array(0);

  constructor(fleet: Fleet, params: VmModelParams, stepMs: number) {
    this.#fleet = fleet;
    this.#params = params;
    this.#stepS = stepMs / 1000;
  }

  grow(capacity: number): void {
    for (const key of ['demand', 'allocation', 'backlog'] as const)
      this[key] = grown(this[key], capacity * R);
    this.#served = grown(this.#served, capacity * R);
    this.#granted = grown(this.#granted, capacity * R);
    this.#starved = grown(this.#starved, capacity * R);
    this.#unmet = grown(this.#unmet, capacity * R);
    this.#dropped = grown(this.#dropped, capacity * R);
    this.#carried = grown(this.#carried, capacity * R);
    this.#target = grown(this.#target, capacity * R);
    this.#due = grown(this.#due, capacity * R);
    this.#ceiling = grown(this.#ceiling, capacity * R);
    this.#heldShare = grown(this.#heldShare, capacity * R);
    this.#suspended = grown(this.#suspended, capacity);
    this.#isHeld = grown(this.#isHeld, capacity);
    this.#moving = grown(this.#moving, capacity);
    this.#busy = grown(this.#busy, capacity);
    this.#special = grown(this.#special, capacity + 1);
    this.#elapsed = grown(this.#elapsed, capacity);
    this.#down = grown(this.#down, capacity);
    this.#killed = grown(this.#killed, capacity);
  }

  admit(slot: number): void {
    const from = slot * R;
    for (let i = from; i < from + R; i++) {
      this.demand[i] = 0;
      this.allocation[i] = this.#fleet.requested[i]!;
      this.backlog[i] = 0;
      this.#carried[i] = 0;
      this.#ceiling[i] = Number.POSITIVE_INFINITY;
    }
    this.#reset(slot);
    this.#suspended[slot] = 0;
    this.#isHeld[slot] = 0;
    this.#moving[slot] = 0;
    this.#busy[slot] = 0;
    this.#down[slot] = 0;
    this.#killed[slot] = 0;
  }

  /**
   * Starts a resize that takes effect `seconds` after the start of the interval that begins now; it may lie
   * beyond its end. It replaces a resize of the same resource that is still under way.
   */
  resize(slot: number, resource: number, to: number, seconds: number): void {
    this.#moving[slot] = this.#moving[slot]! | (1 << resource);
    this.#busy[slot] = 1;
    this.#target[slot * R + resource] = to;
    this.#due[slot * R + resource] = seconds;
  }

  /** The size a resource will have once its resize is done; what it has where none is under way. */
  pending(slot: number, resource: number): number {
    const i = slot * R + resource;
    return (this.#moving[slot]! & (1 << resource)) === 0 ? this.allocation[i]! : this.#target[i]!;
  }

  /** The largest size a resource has in this interval. */
  largest(slot: number, resource: number): number {
    const i = slot * R + resource;
    const allocation = this.allocation[i]!;
    if ((this.#moving[slot]! & (1 << resource)) === 0 || this.#due[i]! >= this.#stepS) return allocation;
    return Math.max(allocation, this.#target[i]!);
  }

  /** Gives up a resize under way. */
  cancelResize(slot: number, resource: number): void {
    this.#moving[slot] = this.#moving[slot]! & ~(1 << resource);
  }

  /** The host gives no more than `rate` on average over the interval that ends; less than asked for `share` of it. */
  hold(slot: number, resource: number, rate: number, share: number): void {
    const i = slot * R + resource;
    if (this.#isHeld[slot] === 0) {
      this.#isHeld[slot] = 1;
      this.#heldShare.fill(0, slot * R, slot * R + R);
      this.#held.push(slot);
    }
    this.#ceiling[i] = Math.min(this.#ceiling[i]!, rate);
    this.#heldShare[i] = Math.max(this.#heldShare[i]!, share);
    this.#busy[slot] = 1;
  }

  /** The VM has no host in the interval that ends: it is not there, and nobody is charged for it. */
  suspend(slot: number): void {
    this.#suspended[slot] = 1;
    this.#down[slot] = Math.max(this.#down[slot]!, this.#stepS);
    for (const r of [CPU, DISK_IO, NETWORK]) this.hold(slot, r, 0, 1);
  }

  /** The guest has crashed and needs `restartS` to come back. */
  crash(slot: number): void {
    this.#down[slot] = this.#params.restartS;
    this.#busy[slot] = 1;
  }

  /**
   * Ends the interval: integrates what is left of it for every VM, writes what became of it to `interval` and
   * what can be observed of it (usage and pressure, never demand) to `frame`.
   */
  settle(frame: Frame, interval: Interval): void {
    const { demand, allocation } = this;
    const length = this.#fleet.rows * R;
    this.#rest(frame, interval.disturbed);
    // What most VMs come to: all they asked for, of an allocation that stayed.
    frame.usage.set(demand.subarray(0, length));
    interval.allocation.set(allocation.subarray(0, length));
    const special = this.#special;
    const count = this.#findSpecial(special);
    for (let k = 0; k < count; k++) {
      const slot = special[k]!;
      if (this.#coupled(slot)) this.#settleCoupled(slot, frame, interval);
      else this.#settleFree(slot, frame, interval);
    }
    interval.demand.set(demand.subarray(0, length));
    interval.usage.set(frame.usage.subarray(0, length));
    if (this.#held.length > 0) this.#release(frame, interval);
  }

  /** Lists the VMs with a resize, an outage, a backlog, or a demand above its allocation. @returns how many */
  #findSpecial(special: Int32Array): number {
    const slots = this.#fleet.slots;
    const { demand, allocation } = this;
    const busy = this.#busy;
    let count = 0;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const i = slot * R;
      // Without branches: no processor could foresee which VM is short.
      special[count] = slot;
      const fits =
        +(demand[i]! <= allocation[i]!) &
        +(demand[i + 1]! <= allocation[i + 1]!) &
        +(demand[i + 2]! <= allocation[i + 2]!) &
        +(demand[i + 3]! <= allocation[i + 3]!);
      count += busy[slot]! | (1 - fits);
    }
    return count;
  }

  /** Lifts what held for this interval only. Of a VM without a host nothing can be observed. */
  #release(frame: Frame, interval: Interval): void {
    for (const slot of this.#held) {
      const from = slot * R;
      this.#ceiling.fill(Number.POSITIVE_INFINITY, from, from + R);
      this.#isHeld[slot] = 0;
      if (this.#suspended[slot] === 0) continue;
      this.#suspended[slot] = 0;
      frame.usage.fill(Number.NaN, from, from + R);
      frame.pressure.fill(0, from, from + R);
      interval.allocation.fill(0, from, from + R);
    }
    this.#held.length = 0;
  }

  /** Wipes from the frame what the last interval wrote to it beside usage. */
  #rest({ pressure, oomKills }: Frame, disturbed: Disturbances): void {
    for (let k = 0; k < disturbed.count; k++) {
      const i = disturbed.index[k]!;
      pressure[i] = 0;
      if (i % R === MEMORY) oomKills[(i - MEMORY) / R] = 0;
    }
    disturbed.count = 0;
  }

  /** Whether memory takes part: an outage or a shortage of it holds the other resources back too; or the host does. */
  #coupled(slot: number): boolean {
    const memory = slot * R + MEMORY;
    const demand = this.demand[memory]!;
    const moving = (this.#moving[slot]! & (1 << MEMORY)) !== 0;
    return (
      this.#down[slot]! > 0 ||
      demand > this.allocation[memory]! ||
      this.#isHeld[slot] === 1 ||
      (moving && this.#due[memory]! < this.#stepS && demand > this.#target[memory]!)
    );
  }

  /** Without a shortage of memory each resource goes its own way: at most two pieces, around its resize. */
  #settleFree(slot: number, frame: Frame, interval: Interval): void {
    const { disturbed } = interval;
    const { demand: demands, allocation: allocations, backlog: backlogs } = this;
    const step = this.#stepS;
    const backlogS = this.#params.backlogS;
    const from = slot * R;
    let moving = this.#moving[slot]!;
    let waiting = false;
    // The resources with something to do: the rest have what was written for all.
    let left = moving;
    left |= +(backlogs[from]! > 0) | +(demands[from]! > allocations[from]!);
    left |= (+(backlogs[from + 1]! > 0) | +(demands[from + 1]! > allocations[from + 1]!)) << 1;
    left |= (+(backlogs[from + 2]! > 0) | +(demands[from + 2]! > allocations[from + 2]!)) << 2;
    left |= (+(backlogs[from + 3]! > 0) | +(demands[from + 3]! > allocations[from + 3]!)) << 3;
    for (; left !== 0; left &= left - 1) {
      const r = 31 - Math.clz32(left & -left);
      const i = from + r;
      const demand = demands[i]!;
      let allocation = allocations[i]!;
      let first = step;
      let second = 0;
      let target = allocation;
      if ((moving & (1 << r)) !== 0) {
        const due = this.#due[i]!;
        if (due < step) {
          moving &= ~(1 << r);
          target = this.#target[i]!;
          allocations[i] = target;
          interval.allocation[i] = (allocation * due + target * (step - due)) / step;
          first = due;
          second = step - due;
        } else {
          this.#due[i] = due - step;
        }
      }
      const before = backlogs[i]!;
      if (before === 0 && demand <= allocation && demand <= target) continue;
      let served = 0;
      let backlog = before;
      let starved = 0;
      let unmet = 0;
      let dropped = 0;
      for (let seconds = first; ; seconds = second, second = 0, allocation = target) {
        const wanted = backlog + demand * seconds;
        const possible = allocation * seconds;
        const done = Math.min(wanted, possible);
        const bound = allocation * backlogS;
        served += done;
        backlog = wanted - done;
        if (backlog > bound) {
          dropped += backlog - bound;
          backlog = bound;
        }
        if (demand > allocation) {
          starved += seconds;
          unmet += (demand - allocation) * seconds;
        }
        if (second === 0) break;
      }
      backlogs[i] = backlog;
      this.#carried[i] = backlog;
      frame.usage[i] = served / step;
      const wanted = before + demand * step;
      const held = wanted > served ? 1 - served / wanted : 0;
      waiting ||= backlog > 0;
      if (held > ROUNDING || starved > 0) {
        frame.pressure[i] = held;
        const k = disturbed.count++;
        disturbed.index[k] = i;
        disturbed.starved[k] = starved;
        disturbed.unmet[k] = unmet;
        disturbed.dropped[k] = dropped;
        disturbed.backlog[k] = backlog;
        disturbed.stretch[k] = stretchOf(held);
        disturbed.oomKills[k] = 0;
      }
    }
    this.#moving[slot] = moving;
    this.#busy[slot] = waiting || moving !== 0 ? 1 : 0;
  }

  #settleCoupled(slot: number, frame: Frame, interval: Interval): void {
    const { disturbed } = interval;
    const step = this.#stepS;
    if (this.#moving[slot] !== 0) this.#move(slot);
    this.#advance(slot, step - this.#elapsed[slot]!);
    const from = slot * R;
    let waiting = false;
    for (let r = 0; r < R; r++) {
      const i = from + r;
      const used = this.#served[i]! / step;
      const wanted = r === MEMORY ? this.demand[i]! * step : this.#carried[i]! + this.demand[i]! * step;
      const held = wanted > 0 ? Math.min(1, Math.max(0, 1 - this.#served[i]! / wanted)) : 0;
      frame.usage[i] = used;
      interval.allocation[i] = this.#granted[i]! / step;
      this.#carried[i] = this.backlog[i]!;
      waiting ||= this.backlog[i]! > 0;
      if (held > ROUNDING || this.#starved[i]! > 0) {
        frame.pressure[i] = held;
        const k = disturbed.count++;
        disturbed.index[k] = i;
        disturbed.starved[k] = this.#starved[i]!;
        disturbed.unmet[k] = this.#unmet[i]!;
        disturbed.dropped[k] = this.#dropped[i]!;
        disturbed.backlog[k] = this.backlog[i]!;
        disturbed.stretch[k] = stretchOf(held);
        disturbed.oomKills[k] = r === MEMORY ? this.#killed[slot]! : 0;
      }
    }
    if (this.#killed[slot] === 1) {
      frame.oomKills[slot] = 1;
      // A guest that was killed tells nothing of how much memory it wanted.
      frame.pressure[from + MEMORY] = 0;
    }
    this.#busy[slot] = waiting || this.#moving[slot] !== 0 || this.#down[slot]! > 0 ? 1 : 0;
    this.#reset(slot);
  }

  /** Carries out the resizes due in this interval, in order of time, and moves the others one interval closer. */
  #move(slot: number): void {
    const from = slot * R;
    for (;;) {
      let next = -1;
      for (let r = 0; r < R; r++) {
        if ((this.#moving[slot]! & (1 << r)) === 0 || this.#due[from + r]! >= this.#stepS) continue;
        if (next < 0 || this.#due[from + r]! < this.#due[from + next]!) next = r;
      }
      if (next < 0) break;
      this.#advance(slot, this.#due[from + next]! - this.#elapsed[slot]!);
      this.allocation[from + next] = this.#target[from + next]!;
      this.#moving[slot] = this.#moving[slot]! & ~(1 << next);
    }
    for (let r = 0; r < R; r++) this.#due[from + r] = this.#due[from + r]! - this.#stepS;
  }

  /** Integrates `seconds` under the present allocation. */
  #advance(slot: number, seconds: number): void {
    if (seconds <= 0) return;
    const memory = slot * R + MEMORY;
    const short = this.demand[memory]! > Math.min(this.allocation[memory]!, this.#ceiling[memory]!);
    if (short && this.#params.memoryShort === 'oom' && this.#down[slot] === 0 && this.#killed[slot] === 0) {
      const grace = this.#params.graceS - this.#starved[memory]!;
      if (seconds > grace) {
        this.#integrate(slot, grace, short);
        seconds -= grace;
        this.#killed[slot] = 1;
        this.#down[slot] = this.#params.restartS;
      }
    }
    this.#integrate(slot, seconds, short);
  }

  #integrate(slot: number, seconds: number, short: boolean): void {
    const memory = slot * R + MEMORY;
    this.#elapsed[slot] = this.#elapsed[slot]! + seconds;
    this.#account(memory, seconds);
    const out = Math.min(this.#down[slot]!, seconds);
    const up = seconds - out;
    this.#down[slot] = this.#down[slot]! - out;
    const fits = Math.min(this.demand[memory]!, this.allocation[memory]!, this.#ceiling[memory]!);
    this.#served[memory] = this.#served[memory]! + fits * up;
    let speed = 1;
    if (short && this.#params.memoryShort === 'swap') {
      const swapped = 1 - fits / this.demand[memory]!;
      speed = 1 / (1 + this.#params.swapPenalty * swapped);
    }
    this.#serve(slot * R + CPU, seconds, up * speed);
    this.#serve(slot * R + DISK_IO, seconds, up);
    this.#serve(slot * R + NETWORK, seconds, up);
  }

  /** Serves demand and backlog of a queueing resource for `seconds`, of which it works `up`. */
  #serve(i: number, seconds: number, up: number): void {
    const allocation = this.allocation[i]!;
    this.#account(i, seconds);
    const wanted = this.backlog[i]! + this.demand[i]! * seconds;
    const served = Math.min(wanted, Math.min(allocation, this.#ceiling[i]!) * up);
    let left = wanted - served;
    const bound = allocation * this.#params.backlogS;
    if (left > bound) {
      this.#dropped[i] = this.#dropped[i]! + (left - bound);
      left = bound;
    }
    this.backlog[i] = left;
    this.#served[i] = this.#served[i]! + served;
  }

  #account(i: number, seconds: number): void {
    const allocation = this.allocation[i]!;
    const demand = this.demand[i]!;
    const missing = demand - Math.min(allocation, this.#ceiling[i]!);
    this.#granted[i] = this.#granted[i]! + allocation * seconds;
    if (missing > 0) {
      this.#starved[i] = this.#starved[i]! + (demand > allocation ? seconds : seconds * this.#heldShare[i]!);
      this.#unmet[i] = this.#unmet[i]! + missing * seconds;
    }
  }

  #reset(slot: number): void {
    const from = slot * R;
    for (let i = from; i < from + R; i++) {
      this.#served[i] = 0;
      this.#granted[i] = 0;
      this.#starved[i] = 0;
      this.#unmet[i] = 0;
      this.#dropped[i] = 0;
    }
    this.#elapsed[slot] = 0;
    this.#killed[slot] = 0;
  }
}

/** Wanted / served work, at most 1000. */
function stretchOf(held: number): number {
  return 1 / Math.max(1 - held, 1e-3);
}
