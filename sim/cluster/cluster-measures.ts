import type { Fleet } from '../../core/fleet.ts';
import { CPU, R } from '../../core/model.ts';
import type { Contention } from './contention.ts';
import type { Hosts } from './hosts.ts';
import { JOULES_PER_KWH, powerAt } from './power.ts';

/** What the hosts made of a run, over its scored time. */
export interface ClusterMeasures {
  hosts: number;
  /** Mean number of hosts that held a VM; the others were off. */
  activeHosts: number;
  /** SPECpower figures at the CPU load of each interval. */
  energyKwh: number;
  migrations: number;
  /** Of which to the quarantine pool. */
  quarantined: number;
  /** Mean over hosts that were ever active of the share of their active time at 100 % CPU (CCPE 2012, eq. 3). */
  slatah: number;
  /** Share of the CPU wanted that was lost to migrations (CCPE 2012, eq. 4, over all VMs together). */
  pdm: number;
  /** SLATAH x PDM. */
  slav: number;
  /** Share of all active host time at 100 % CPU. */
  overloadTimeFraction: number;
  /** Hosts that failed; VMs that started again on another host, or on the same when it was repaired. */
  hostFailures: number;
  vmsRestarted: number;
  /** VM-seconds spent without a host. */
  waitingS: number;
  /** VMs no host could hold even if it were empty: they waited all their time. */
  vmsTooLarge: number;
  /** Resizes refused for want of room, and resizes that waited for it. */
  refusedResizes: number;
  queuedResizes: number;
  /** Host-ticks in maintenance in which the host was not empty because its VMs found no other. */
  undrainedTicks: number;
}

/** Counts and sums of a run. Events before scoring begins are not counted. */
export class ClusterTally {
  migrations = 0;
  quarantined = 0;
  hostFailures = 0;
  vmsRestarted = 0;
  waitingS = 0;
  vmsTooLarge = 0;
  refusedResizes = 0;
  queuedResizes = 0;
  undrainedTicks = 0;
  lostToMigration = 0;
  readonly #hosts: Hosts;
  readonly #stepS: number;
  readonly #used: Float64Array;
  readonly #activeTicks: Float64Array;
  readonly #fullTicks: Float64Array;
  #ticks = 0;
  #joules = 0;
  #wanted = 0;

  constructor(hosts: Hosts, stepMs: number) {
    this.#hosts = hosts;
    this.#stepS = stepMs / 1000;
    this.#used = new Float64Array(hosts.count);
    this.#activeTicks = new Float64Array(hosts.count);
    this.#fullTicks = new Float64Array(hosts.count);
  }

  /** Adds an interval that was settled. */
  observe(
    fleet: Fleet,
    hostOf: Int32Array,
    usage: Float64Array,
    demand: Float64Array,
    contention: Contention,
  ): void {
    const { count, capacity, watts, vms } = this.#hosts;
    const used = this.#used;
    const slots = fleet.slots;
    used.fill(0);
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const host = hostOf[slot]!;
      if (host < 0) {
        this.waitingS += this.#stepS;
        continue;
      }
      used[host] = used[host]! + usage[slot * R + CPU]!;
      this.#wanted += demand[slot * R + CPU]! * this.#stepS;
    }
    for (let h = 0; h < count; h++) {
      if (vms[h] === 0) continue;
      this.#activeTicks[h] = this.#activeTicks[h]! + 1;
      if (contention.full(h)) this.#fullTicks[h] = this.#fullTicks[h]! + 1;
      this.#joules += powerAt(watts[h]!, used[h]! / capacity[h * R + CPU]!) * this.#stepS;
    }
    this.#ticks++;
  }

  get energyKwh(): number {
    return this.#joules / JOULES_PER_KWH;
  }

  measures(): ClusterMeasures {
    let active = 0;
    let full = 0;
    let shares = 0;
    let everActive = 0;
    for (let h = 0; h < this.#hosts.count; h++) {
      const ticks = this.#activeTicks[h]!;
      if (ticks === 0) continue;
      everActive++;
      active += ticks;
      full += this.#fullTicks[h]!;
      shares += this.#fullTicks[h]! / ticks;
    }
    const slatah = everActive === 0 ? 0 : shares / everActive;
    const pdm = this.#wanted === 0 ? 0 : this.lostToMigration / this.#wanted;
    return {
      hosts: this.#hosts.count,
      activeHosts: this.#ticks === 0 ? 0 : active / this.#ticks,
      energyKwh: this.energyKwh,
      migrations: this.migrations,
      quarantined: this.quarantined,
      slatah,
      pdm,
      slav: slatah * pdm,
      overloadTimeFraction: active === 0 ? 0 : full / active,
      hostFailures: this.hostFailures,
      vmsRestarted: this.vmsRestarted,
      waitingS: this.waitingS,
      vmsTooLarge: this.vmsTooLarge,
      refusedResizes: this.refusedResizes,
      queuedResizes: this.queuedResizes,
      undrainedTicks: this.undrainedTicks,
    };
  }
}
