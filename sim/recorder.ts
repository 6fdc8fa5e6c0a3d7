import type { Controller } from '../core/controller.ts';
import { ForecastBatch } from '../core/forecast/types.ts';
import type { Interval } from '../core/interval.ts';
import { R, RESOURCES, type Resource } from '../core/model.ts';
import type { RecordedVm, Timeline } from './result.ts';

const POINTS = 500;

/** Fleet totals by tick, thinned to about 500 points: each is the mean of its ticks, counts are summed. */
export class TimelineRecorder {
  readonly #stride: number;
  readonly #out: Timeline = { at: [], resources: {}, resizes: [], starvedVms: [], vms: [] };
  readonly #sums = new Float64Array(3 * R + 3);
  #ticks = 0;

  constructor(ticks: number, managed: readonly boolean[]) {
    this.#stride = Math.max(1, Math.ceil(ticks / POINTS));
    for (let r = 0; r < R; r++) {
      if (managed[r]) this.#out.resources[RESOURCES[r]!] = { demand: [], usage: [], allocation: [] };
    }
  }

  count(resizes: number): void {
    this.#sums[3 * R] = this.#sums[3 * R]! + resizes;
  }

  observe(at: number, slots: Int32Array, interval: Interval): void {
    const { demand, usage, allocation, disturbed } = interval;
    const sums = this.#sums;
    this.#add(slots, demand, usage, allocation);
    let short = 0;
    let last = -1;
    for (let k = 0; k < disturbed.count; k++) {
      const slot = (disturbed.index[k]! / R) | 0;
      if (slot === last || disturbed.starved[k] === 0) continue;
      short++;
      last = slot;
    }
    sums[3 * R + 1] = sums[3 * R + 1]! + short;
    sums[3 * R + 2] = sums[3 * R + 2]! + slots.length;
    if (++this.#ticks === this.#stride) this.#flush(at);
  }

  /** Adds what all VMs had, in one pass: twelve running sums in registers. */
  #add(slots: Int32Array, demand: Float64Array, usage: Float64Array, allocation: Float64Array): void {
    let d0 = 0;
    let d1 = 0;
    let d2 = 0;
    let d3 = 0;
    let u0 = 0;
    let u1 = 0;
    let u2 = 0;
    let u3 = 0;
    let a0 = 0;
    let a1 = 0;
    let a2 = 0;
    let a3 = 0;
    for (let k = 0; k < slots.length; k++) {
      const i = slots[k]! * R;
      d0 += demand[i]!;
      d1 += demand[i + 1]!;
      d2 += demand[i + 2]!;
      d3 += demand[i + 3]!;
      u0 += usage[i]!;
      u1 += usage[i + 1]!;
      u2 += usage[i + 2]!;
      u3 += usage[i + 3]!;
      a0 += allocation[i]!;
      a1 += allocation[i + 1]!;
      a2 += allocation[i + 2]!;
      a3 += allocation[i + 3]!;
    }
    const of = [d0, u0, a0, d1, u1, a1, d2, u2, a2, d3, u3, a3];
    for (let j = 0; j < of.length; j++) this.#sums[j] = this.#sums[j]! + of[j]!;
  }

  finish(at: number): Timeline {
    if (this.#ticks > 0) this.#flush(at);
    return this.#out;
  }

  #flush(at: number): void {
    const n = this.#ticks;
    const out = this.#out;
    out.at.push(at);
    for (let r = 0; r < R; r++) {
      const series = out.resources[RESOURCES[r]!];
      series?.demand.push(this.#sums[3 * r]! / n);
      series?.usage.push(this.#sums[3 * r + 1]! / n);
      series?.allocation.push(this.#sums[3 * r + 2]! / n);
    }
    out.resizes.push(this.#sums[3 * R]!);
    out.starvedVms.push(this.#sums[3 * R + 1]! / n);
    out.vms.push(this.#sums[3 * R + 2]! / n);
    this.#sums.fill(0);
    this.#ticks = 0;
  }
}

/** Every interval of a few VMs, with the forecast that was made for it one tick before. */
export class VmRecorder {
  readonly quantile: number;
  readonly #managed: readonly boolean[];
  readonly #vms = new Map<string, RecordedVm>();
  readonly #forecasts = new Map<string, ForecastBatch>();

  constructor(vmIds: readonly string[], quantile: number, managed: readonly boolean[]) {
    this.quantile = quantile;
    this.#managed = managed;
    for (const vmId of vmIds) {
      this.#vms.set(vmId, { vmId, applicationId: '', userId: '', at: [], resources: {}, quantile });
    }
  }

  /** Takes in the interval that ended at `at`. */
  observe(at: number, controller: Controller, interval: Interval): void {
    for (const [vmId, out] of this.#vms) {
      const slot = controller.fleet.slotOf(vmId);
      if (slot === undefined) continue;
      const { applicationId, userId } = controller.fleet.specs[slot]!;
      out.applicationId = applicationId;
      out.userId = userId;
      out.at.push(at);
      for (let r = 0; r < R; r++)
        if (this.#managed[r]) this.#push(out, RESOURCES[r]!, r, slot, vmId, interval);
    }
  }

  /** Keeps the forecasts for the interval that begins now. */
  forecast(controller: Controller): void {
    const { fleet } = controller;
    this.#forecasts.clear();
    for (const vmId of this.#vms.keys()) {
      const slot = fleet.slotOf(vmId);
      if (slot === undefined) continue;
      const forecaster = controller.forecasterOf(fleet.specs[slot]!.applicationId);
      if (!forecaster) continue;
      const batch = new ForecastBatch(1, 1, [0.5, this.quantile]);
      forecaster.predict(Int32Array.of(slot), batch);
      this.#forecasts.set(vmId, batch);
    }
  }

  finish(): RecordedVm[] {
    return [...this.#vms.values()].filter((vm) => vm.at.length > 0);
  }

  #push(out: RecordedVm, name: Resource, r: number, slot: number, vmId: string, interval: Interval): void {
    let series = out.resources[name];
    if (!series) {
      series = { demand: [], usage: [], allocation: [], median: [], upper: [] };
      out.resources[name] = series;
    }
    const i = slot * R + r;
    const forecast = this.#forecasts.get(vmId);
    series.demand.push(interval.demand[i]!);
    series.usage.push(interval.usage[i]!);
    series.allocation.push(interval.allocation[i]!);
    series.median.push(known(forecast, r, 0));
    series.upper.push(known(forecast, r, 1));
  }
}

/** A forecast value, or null where there was none: no forecaster, or nothing seen yet. */
function known(forecast: ForecastBatch | undefined, resource: number, q: number): number | null {
  const value = forecast?.values[forecast.index(0, resource, q, 0)];
  return value === undefined || Number.isNaN(value) ? null : value;
}
