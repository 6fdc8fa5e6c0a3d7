import type { Fleet } from '../core/fleet.ts';
import { grown, R } from '../core/model.ts';
import type { BatchJob, InjectedAnomaly, Workload, WorkloadStream } from './workload/types.ts';

/** Who is here: turns the workload's arrivals into fleet admissions, and its demand into the fleet's columns. */
export class Population {
  readonly #fleet: Fleet;
  readonly #stream: WorkloadStream;
  /** The workload's VM number by slot. */
  #vm = new Int32Array(0);
  /** Slot by the workload's VM number; of those gone, the one they had. */
  #slotOf = new Int32Array(0);
  readonly #leaving = new Map<number, string[]>();
  /** Workload number of each of `fleet.slots`, rebuilt when somebody came or went. */
  #numbers = new Int32Array(0);
  #slots: Int32Array = new Int32Array(0);

  constructor(fleet: Fleet, workload: Workload) {
    this.#fleet = fleet;
    this.#stream = workload.open();
  }

  /** What goes wrong with the VMs that have come so far; undefined where no anomalies are injected. */
  get anomalies(): readonly InjectedAnomaly[] | undefined {
    return this.#stream.anomalies;
  }

  get hasJobs(): boolean {
    return this.#stream.jobs !== undefined;
  }

  vmOf(slot: number): number {
    return this.#vm[slot]!;
  }

  slotOf(vm: number): number {
    return this.#slotOf[vm]!;
  }

  /** Jobs announced for interval t; call after `demand(t)`. */
  jobs(t: number): readonly BatchJob[] {
    return this.#stream.jobs?.(t) ?? [];
  }

  update(t: number): void {
    for (const vmId of this.#leaving.get(t) ?? []) this.#fleet.retire(vmId);
    this.#leaving.delete(t);
    for (const { vm, spec, until } of this.#stream.arrivals(t)) {
      const slot = this.#fleet.admit(spec, t);
      this.#vm = grown(this.#vm, Math.max(slot + 1, this.#fleet.rows));
      this.#vm[slot] = vm;
      if (vm >= this.#slotOf.length) this.#slotOf = grown(this.#slotOf, Math.max(64, 2 * vm));
      this.#slotOf[vm] = slot;
      if (!Number.isFinite(until)) continue;
      const list = this.#leaving.get(until);
      if (list) list.push(spec.vmId);
      else this.#leaving.set(until, [spec.vmId]);
    }
    if (this.#slots !== this.#fleet.slots) {
      this.#slots = this.#fleet.slots;
      this.#numbers = Int32Array.from(this.#slots, (slot) => this.#vm[slot]!);
    }
  }

  demand(t: number, out: Float64Array): void {
    this.#stream.demand(t, this.#slots.length, this.#numbers, this.#slots, out);
  }
}

/** Which resources any VM of the fleet has. */
export function managedResources(fleet: Fleet): boolean[] {
  const managed = new Array<boolean>(R).fill(false);
  for (const slot of fleet.slots) {
    for (let r = 0; r < R; r++) if (fleet.max[slot * R + r]! > 0) managed[r] = true;
  }
  return managed;
}
