import type { SpotPrice } from '../../core/cost/tariff.ts';
import type { Fleet } from '../../core/fleet.ts';
import { exp, log } from '../../core/math.ts';
import { CPU, DISK_IO, grown, MEMORY, NETWORK, type PerSlot, R } from '../../core/model.ts';
import type { SpotPrices } from '../../core/prices.ts';
import { hashString, uniformAt } from '../../core/rng.ts';
import type { Vms } from '../cluster/vms.ts';

/** How an application bears being interrupted; times in seconds. */
export interface Interruptible {
  readonly checkpoint: { readonly every: number; readonly takes: number } | undefined;
  readonly restart: number;
}

export interface SpotSetup {
  readonly prices: SpotPrices;
  readonly price: SpotPrice;
  readonly applications: ReadonlyMap<string, Interruptible>;
  readonly seed: number;
}

/** What happened to VMs on spot capacity in the scored time. */
export interface SpotMeasures {
  vmSeconds: number;
  interruptions: number;
  /** VM-seconds without capacity. */
  awayS: number;
  /** Work that was lost and had to be done again, and work for checkpoints, core-s. */
  redone: number;
  checkpointing: number;
}

const DAY_S = 86_400;
const WORK = [CPU, DISK_IO, NETWORK] as const;

/**
 * Takes VMs on spot capacity away and gives them back. Interruptions come at random, in proportion to the price, the
 * same for all policies: draws are keyed by VM and tick. A VM that is away is not charged; its work waits and is done
 * on top when it is back, on the cores it has. With a notice long enough for a checkpoint nothing is lost; otherwise
 * what was done since the last one is done again. VMs go and come at ticks.
 */
export class SpotMarket implements PerSlot {
  readonly measures: SpotMeasures = {
    vmSeconds: 0,
    interruptions: 0,
    awayS: 0,
    redone: 0,
    checkpointing: 0,
  };
  readonly #fleet: Fleet;
  readonly #vms: Vms;
  readonly #setup: SpotSetup;
  readonly #stepS: number;
  /** Adds work to what a VM's jobs need. */
  readonly #burden: (slot: number, coreS: number) => void;
  readonly #rules: (Interruptible | undefined)[] = [];
  #key = new Int32Array(0);
  /** Ticks without capacity left, and seconds of the restart after them. */
  #away = new Int32Array(0);
  #restart = new Float64Array(0);
  /** Work that waits, slot x R: unit x seconds. */
  #waiting = new Float64Array(0);
  /** Work served and time passed since the last checkpoint, core-s and s. */
  #since = new Float64Array(0);
  #clock = new Float64Array(0);

  constructor(
    fleet: Fleet,
    vms: Vms,
    setup: SpotSetup,
    stepMs: number,
    burden: (slot: number, coreS: number) => void,
  ) {
    this.#fleet = fleet;
    this.#vms = vms;
    this.#setup = setup;
    this.#stepS = stepMs / 1000;
    this.#burden = burden;
  }

  grow(capacity: number): void {
    this.#key = grown(this.#key, capacity);
    this.#away = grown(this.#away, capacity);
    this.#restart = grown(this.#restart, capacity);
    this.#waiting = grown(this.#waiting, capacity * R);
    this.#since = grown(this.#since, capacity);
    this.#clock = grown(this.#clock, capacity);
  }

  admit(slot: number): void {
    const { vmId, applicationId } = this.#fleet.specs[slot]!;
    this.#rules[slot] = this.#setup.applications.get(applicationId);
    this.#key[slot] = hashString(vmId) | 0;
    this.#away[slot] = 0;
    this.#restart[slot] = 0;
    this.#waiting.fill(0, slot * R, slot * R + R);
    this.#since[slot] = 0;
    this.#clock[slot] = 0;
  }

  /** Changes the demand of the interval that begins at `at`. @param scored whether it counts */
  apply(t: number, at: number, scored: boolean): void {
    const { prices, price, seed } = this.#setup;
    const hazard =
      ((prices.interruptionsPerDay / DAY_S) * this.#stepS * price.at(at)) /
      (prices.history ? mean(prices.history) : prices.price);
    const chance = 1 - exp(-hazard);
    for (const slot of this.#fleet.slots) {
      const rule = this.#rules[slot];
      if (!rule) continue;
      if (scored) this.measures.vmSeconds += this.#stepS;
      if (this.#away[slot]! > 0) this.#away[slot] = this.#away[slot]! - 1;
      else if (uniformAt(seed, this.#key[slot]!, t) < chance) this.#interrupt(slot, rule, t, scored);
      if (this.#away[slot]! > 0) this.#leave(slot, scored);
      else this.#work(slot, rule, scored);
    }
  }

  /** Call before the interval is settled: VMs that are away are not there. */
  suspend(): void {
    for (const slot of this.#fleet.slots) {
      if (this.#rules[slot] && this.#away[slot]! > 0) this.#vms.suspend(slot);
    }
  }

  /** Takes in what VMs did in the interval that was settled. */
  observe(usage: Float64Array): void {
    for (const slot of this.#fleet.slots) {
      const rule = this.#rules[slot];
      if (!rule || this.#away[slot]! > 0) continue;
      this.#since[slot] = this.#since[slot]! + usage[slot * R + CPU]! * this.#stepS;
      this.#clock[slot] = this.#clock[slot]! + this.#stepS;
      if (rule.checkpoint && this.#clock[slot]! >= rule.checkpoint.every) {
        this.#since[slot] = 0;
        this.#clock[slot] = 0;
      }
    }
  }

  #interrupt(slot: number, { checkpoint, restart }: Interruptible, t: number, scored: boolean): void {
    const { prices, seed } = this.#setup;
    const outage = -prices.outageMinutes * 60 * log(1 - uniformAt(seed ^ 1, this.#key[slot]!, t));
    this.#away[slot] = Math.max(1, Math.ceil(outage / this.#stepS));
    this.#restart[slot] = restart;
    const saved = checkpoint !== undefined && checkpoint.takes <= prices.noticeS;
    const lost = saved ? 0 : this.#since[slot]!;
    this.#since[slot] = 0;
    this.#clock[slot] = 0;
    this.#waiting[slot * R + CPU] = this.#waiting[slot * R + CPU]! + lost;
    this.#burden(slot, lost);
    if (!scored) return;
    this.measures.interruptions++;
    this.measures.redone += lost;
  }

  #leave(slot: number, scored: boolean): void {
    const { demand } = this.#vms;
    for (const r of WORK) {
      const i = slot * R + r;
      this.#waiting[i] = this.#waiting[i]! + demand[i]! * this.#stepS;
      demand[i] = 0;
    }
    demand[slot * R + MEMORY] = 0;
    if (scored) this.measures.awayS += this.#stepS;
  }

  /** Demand, and of what waits as much as fits. */
  #work(slot: number, { checkpoint }: Interruptible, scored: boolean): void {
    const { demand, allocation } = this.#vms;
    const step = this.#stepS;
    const restarting = Math.min(this.#restart[slot]!, step);
    this.#restart[slot] = this.#restart[slot]! - restarting;
    if (checkpoint) {
      const work = (demand[slot * R + CPU]! * step * checkpoint.takes) / checkpoint.every;
      this.#waiting[slot * R + CPU] = this.#waiting[slot * R + CPU]! + work;
      this.#burden(slot, work);
      if (scored) this.measures.checkpointing += work;
    }
    for (const r of WORK) {
      const i = slot * R + r;
      const now = demand[i]!;
      const possible = (allocation[i]! * (step - restarting)) / step;
      const total = now + this.#waiting[i]! / step;
      // While it works, demand above the allocation is a shortage like any other; only what waited is held back.
      const run = restarting > 0 ? Math.min(total, possible) : Math.max(now, Math.min(total, possible));
      demand[i] = run;
      this.#waiting[i] = Math.max(0, (total - run) * step);
    }
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, x) => sum + x, 0) / values.length;
}
