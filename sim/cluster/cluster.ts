import type { Fleet } from '../../core/fleet.ts';
import { CPU, grown, MEMORY, type PerSlot, R } from '../../core/model.ts';
import { type ClusterMeasures, ClusterTally } from './cluster-measures.ts';
import { Contention } from './contention.ts';
import { Outages } from './failures.ts';
import { Hosts } from './hosts.ts';
import type { HostsParams } from './hosts-model.ts';
import { type DayProfile, LoadProfiles } from './load-profiles.ts';
import { type Place, placementOf } from './placement.ts';
import { Reservations } from './reservations.ts';
import type { Vms } from './vms.ts';

const MIB = 1024 * 1024;

/** Answer to a resize: carried out, put off until there is room, or not possible. */
export type ResizeAnswer = 'accepted' | 'queued' | 'refused';

interface WaitingResize {
  readonly slot: number;
  readonly resource: number;
  readonly to: number;
  readonly seconds: number;
}

/**
 * The hosts of a run. At the boundary of two intervals, `churn` finishes copies, repairs and fails hosts, empties those
 * in maintenance, places VMs that wait and resizes for which there is room now; `resize` is asked by the hypervisor
 * during the tick; `contend` holds VMs back before an interval is settled, and `observe` accounts for it afterwards.
 *
 * VMs change hosts at boundaries only: a copy that ends within an interval takes effect at its end, while its
 * slow-down lasts as long as the copy. A VM is on a host, or waits for one; it is never lost.
 */
export class Cluster implements PerSlot {
  readonly hosts: Hosts;
  readonly reservations: Reservations;
  readonly #fleet: Fleet;
  readonly #vms: Vms;
  readonly #params: HostsParams;
  readonly #stepS: number;
  readonly #place: Place;
  readonly #profiles: LoadProfiles | undefined;
  readonly #contention: Contention;
  readonly #outages: Outages;
  readonly #tally: ClusterTally;
  #scored = false;
  /** VMs without a host, in the order they came to be so, and the same by slot. */
  #waiting: number[] = [];
  #waits = new Uint8Array(0);
  /** 1 for a VM whose host failed: it boots when it is placed. 2 for one no host can hold. */
  #state = new Uint8Array(0);
  /** 1 for a VM that belongs on a host of the quarantine pool, 0 for one that belongs elsewhere. */
  #pool = new Uint8Array(0);
  /** Slots being copied, and the seconds left, by slot. */
  #moving: number[] = [];
  #copyS = new Float64Array(0);
  /** Resizes that wait for room, by slot * R + resource, in order. */
  readonly #queue = new Map<number, WaitingResize>();

  constructor(
    fleet: Fleet,
    vms: Vms,
    params: HostsParams,
    stepMs: number,
    seed: number,
    profileOf: DayProfile,
  ) {
    this.#fleet = fleet;
    this.#vms = vms;
    this.#params = params;
    this.#stepS = stepMs / 1000;
    this.hosts = new Hosts(params);
    this.reservations = new Reservations(fleet, vms, this.hosts);
    this.#profiles =
      params.placement === 'correlation-aware' ? new LoadProfiles(this.hosts.count, profileOf) : undefined;
    this.#place = placementOf(params.placement, this.hosts, this.#profiles);
    this.#contention = new Contention(fleet, vms, this.hosts, stepMs);
    this.#outages = new Outages(params, this.hosts.count, stepMs, seed);
    this.#tally = new ClusterTally(this.hosts, stepMs);
  }

  grow(capacity: number): void {
    this.reservations.grow(capacity);
    this.#profiles?.grow(capacity);
    this.#waits = grown(this.#waits, capacity);
    this.#state = grown(this.#state, capacity);
    this.#pool = grown(this.#pool, capacity);
    this.#copyS = grown(this.#copyS, capacity);
  }

  admit(slot: number): void {
    this.reservations.admit(slot);
    this.#state[slot] = 0;
    this.#pool[slot] = 0;
    this.#wait(slot);
  }

  retire(slot: number): void {
    this.#leave(slot);
    if (this.#waits[slot] === 1) this.#waiting.splice(this.#waiting.indexOf(slot), 1);
    this.#waits[slot] = 0;
    for (let r = 0; r < R; r++) this.#queue.delete(slot * R + r);
  }

  /** Moves the hosts on to interval t. @param scored whether what happens from now on counts */
  churn(t: number, scored: boolean): void {
    this.#scored = scored;
    this.#finishMoves();
    this.reservations.settle();
    this.#breakHosts(t);
    this.#drain(t);
    this.#placeWaiting();
    this.#retryResizes();
  }

  /** Asks for a resize that takes `seconds`. Carries it out unless it is refused. */
  resize(slot: number, r: number, to: number, seconds: number): ResizeAnswer {
    this.#queue.delete(slot * R + r);
    const here = this.reservations.host[slot]! >= 0;
    if (here ? this.reservations.extend(slot, r, to) : to <= this.#vms.allocation[slot * R + r]!) {
      this.#vms.resize(slot, r, to, seconds);
      return 'accepted';
    }
    if (here && this.#params.whenFull === 'queue') {
      this.#queue.set(slot * R + r, { slot, resource: r, to, seconds });
      if (this.#scored) this.#tally.queuedResizes++;
      return 'queued';
    }
    if (here && this.#params.whenFull === 'migrate' && this.#moveFor(slot, r, to)) {
      this.#vms.resize(slot, r, to, this.#copyS[slot]! + seconds);
      return 'accepted';
    }
    if (this.#scored) this.#tally.refusedResizes++;
    return 'refused';
  }

  /**
   * Takes a VM to the quarantine pool by live migration, or back. True when it is on its way or there already, false when
   * no host has room, or while it is being copied somewhere else.
   */
  quarantine(slot: number, on: boolean): boolean {
    const pool = on ? 1 : 0;
    const { host, target } = this.reservations;
    const heading = target[slot]! >= 0 ? target[slot]! : host[slot]!;
    if (heading >= 0 && this.hosts.pool[heading] !== pool) {
      if (target[slot]! >= 0) return false;
      const before = this.#pool[slot]!;
      this.#pool[slot] = pool;
      const need = this.reservations.need(slot);
      const to = this.#choose(slot, need, host[slot]!);
      if (to < 0) {
        this.#pool[slot] = before;
        return false;
      }
      this.#startMove(slot, to, need);
      if (on && this.#scored) this.#tally.quarantined++;
    }
    // A VM without a host waits for one of the right kind; it may leave quarantine so, but not be sent there.
    if (heading < 0 && on) return false;
    this.#pool[slot] = pool;
    return true;
  }

  /** Call before the interval is settled. */
  contend(): void {
    const { host } = this.reservations;
    for (const slot of this.#waiting) this.#vms.suspend(slot);
    this.#contention.apply(host);
    for (const slot of this.#moving) {
      const seconds = Math.min(this.#copyS[slot]!, this.#stepS);
      const lost = (this.#params.migration.slowdown * seconds) / this.#stepS;
      const wanted = this.#contention.wanted[slot * R + CPU]!;
      if (lost === 0) continue;
      this.#vms.hold(slot, CPU, wanted * (1 - lost), seconds / this.#stepS);
      if (this.#scored) this.#tally.lostToMigration += wanted * lost * this.#stepS;
    }
  }

  /** Call after the interval was settled. */
  observe(usage: Float64Array, demand: Float64Array): void {
    if (this.#scored)
      this.#tally.observe(this.#fleet, this.reservations.host, usage, demand, this.#contention);
  }

  /** Energy of the scored time so far. */
  get energyKwh(): number {
    return this.#tally.energyKwh;
  }

  measures(): ClusterMeasures {
    return this.#tally.measures();
  }

  /** Finds room for a resize on another host, or on the one the VM is already being copied to. */
  #moveFor(slot: number, r: number, to: number): boolean {
    if (this.reservations.target[slot]! >= 0) return this.reservations.extendThere(slot, r, to);
    const need = this.reservations.need(slot);
    need[r] = to;
    const target = this.#choose(slot, need, this.reservations.host[slot]!);
    if (target < 0) return false;
    this.#startMove(slot, target, need);
    return true;
  }

  #choose(slot: number, need: Float64Array, except: number): number {
    this.#profiles?.read(slot);
    return this.#place(need, except, this.#pool[slot]!);
  }

  #wait(slot: number): void {
    this.#waits[slot] = 1;
    this.#waiting.push(slot);
  }

  /** Takes the VM off its host, wherever it is. */
  #leave(slot: number): void {
    const host = this.reservations.host[slot]!;
    if (this.reservations.target[slot]! >= 0) this.#moving.splice(this.#moving.indexOf(slot), 1);
    if (host >= 0) this.#profiles?.leave(slot, host);
    this.reservations.release(slot);
  }

  #startMove(slot: number, target: number, need: Float64Array): void {
    this.reservations.startMove(slot, target, need);
    const copied = this.#vms.allocation[slot * R + MEMORY]! * MIB;
    this.#copyS[slot] = copied / this.#params.migration.bytesPerS;
    this.#moving.push(slot);
    if (this.#scored) this.#tally.migrations++;
  }

  #finishMoves(): void {
    const left: number[] = [];
    for (const slot of this.#moving) {
      this.#copyS[slot] = this.#copyS[slot]! - this.#stepS;
      if (this.#copyS[slot]! > 0) {
        left.push(slot);
        continue;
      }
      this.#profiles?.leave(slot, this.reservations.host[slot]!);
      this.#profiles?.enter(slot, this.reservations.target[slot]!);
      this.reservations.finishMove(slot);
    }
    this.#moving = left;
  }

  #breakHosts(t: number): void {
    const { barred, count } = this.hosts;
    const failing = this.#outages.failing(t);
    for (let h = 0; h < count; h++) barred[h] = this.#outages.failed(h, t) ? 1 : 0;
    for (const h of this.#outages.maintained(t)) barred[h] = 1;
    if (failing.length === 0) return;
    const failed = new Set(failing);
    for (const slot of this.#fleet.slots) {
      if (failed.has(this.reservations.host[slot]!)) {
        this.#leave(slot);
        this.#state[slot] = 1;
        this.#wait(slot);
      } else if (failed.has(this.reservations.target[slot]!)) {
        this.#moving.splice(this.#moving.indexOf(slot), 1);
        this.reservations.cancelMove(slot);
      }
    }
    if (this.#scored) this.#tally.hostFailures += failing.length;
  }

  #drain(t: number): void {
    for (const h of this.#outages.maintained(t)) {
      if (this.hosts.vms[h] === 0) continue;
      let stuck = false;
      for (const slot of this.#fleet.slots) {
        if (this.reservations.host[slot] !== h || this.reservations.target[slot]! >= 0) continue;
        const need = this.reservations.need(slot);
        const target = this.#choose(slot, need, h);
        if (target >= 0) this.#startMove(slot, target, need);
        else stuck = true;
      }
      if (stuck && this.#scored) this.#tally.undrainedTicks++;
    }
  }

  #placeWaiting(): void {
    if (this.#waiting.length === 0) return;
    const queue = this.#waiting;
    // Power-aware best fit takes the largest first (best fit decreasing); the others keep the order of arrival.
    if (this.#params.placement === 'power-aware') {
      const size = (slot: number) => this.#vms.allocation[slot * R + CPU]!;
      queue.sort((a, b) => size(b) - size(a));
    }
    this.#waiting = [];
    const failed: (Float64Array | undefined)[] = [undefined, undefined];
    for (const slot of queue) {
      const need = this.reservations.need(slot);
      const pool = this.#pool[slot]!;
      // What needs at least as much of everything as one that found no room will find none either.
      const host = failed[pool]?.every((x, r) => x <= need[r]!) ? -1 : this.#choose(slot, need, -1);
      if (host < 0) {
        failed[pool] ??= need.slice();
        this.#noteTooLarge(slot, need);
        this.#waiting.push(slot);
        continue;
      }
      this.#waits[slot] = 0;
      this.reservations.place(slot, host, need);
      this.#profiles?.enter(slot, host);
      if (this.#state[slot] === 1) {
        this.#vms.crash(slot);
        if (this.#scored) this.#tally.vmsRestarted++;
      }
      this.#state[slot] = 0;
    }
  }

  #noteTooLarge(slot: number, need: Float64Array): void {
    if (this.#state[slot] === 2 || this.hosts.couldHold(need, this.#pool[slot]!)) return;
    this.#state[slot] = 2;
    this.#tally.vmsTooLarge++;
  }

  #retryResizes(): void {
    for (const [key, { slot, resource, to, seconds }] of this.#queue) {
      if (this.reservations.host[slot]! < 0) continue;
      if (!this.reservations.extend(slot, resource, to)) continue;
      this.#vms.resize(slot, resource, to, seconds);
      this.#queue.delete(key);
    }
  }
}
