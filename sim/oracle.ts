import type { ForecastBatch, Forecaster } from '../core/forecast/types.ts';
import { grown, R } from '../core/model.ts';
import type { Workload, WorkloadStream } from './workload/types.ts';

/**
 * Perfect foresight: reads the workload ahead on a stream of its own. The bound no forecaster can beat. Every
 * quantile is the demand itself.
 */
export class Oracle implements Forecaster {
  readonly name = 'oracle';
  readonly #stream: WorkloadStream;
  readonly #intervals: number;
  readonly #vmOf: (slot: number) => number;
  /** Demand of intervals tick .. tick + length - 1, VM number x R. */
  readonly #ahead: Float64Array[] = [];
  #tick = -1;
  #next = 0;
  #vms: Int32Array = new Int32Array(0);
  readonly #here: { vm: number; until: number }[] = [];
  #vmCount = 0;

  /** @param vmOf the workload's number of the VM in a slot */
  constructor(workload: Workload, vmOf: (slot: number) => number) {
    this.#stream = workload.open();
    this.#intervals = workload.intervals;
    this.#vmOf = vmOf;
  }

  grow(): void {}
  admit(): void {}

  observe(frame: { tick: number }): void {
    while (this.#tick < frame.tick) {
      this.#tick++;
      if (this.#ahead.length > 0) this.#ahead.shift();
    }
  }

  peak(slots: Int32Array, horizon: number, _quantile: number, out: Float64Array): void {
    this.#readTo(horizon);
    for (const slot of slots) {
      const vm = this.#vmOf(slot);
      for (let r = 0; r < R; r++) {
        let most = 0;
        for (let h = 0; h < Math.min(horizon, this.#ahead.length); h++) {
          const demand = this.#ahead[h]![vm * R + r];
          if (demand !== undefined && demand > most) most = demand;
        }
        out[slot * R + r] = most;
      }
    }
  }

  predict(slots: Int32Array, out: ForecastBatch): void {
    this.#readTo(out.horizon);
    for (let k = 0; k < slots.length; k++) {
      const vm = this.#vmOf(slots[k]!);
      for (let r = 0; r < R; r++) {
        for (let q = 0; q < out.quantiles.length; q++) {
          for (let h = 0; h < out.horizon; h++) {
            out.values[out.index(k, r, q, h)] = this.#ahead[h]?.[vm * R + r] ?? 0;
          }
        }
      }
    }
  }

  /**
   * After `observe(t)` the first step ahead is interval t, which begins now: tick t ends interval t - 1.
   */
  #readTo(horizon: number): void {
    while (this.#ahead.length < horizon && this.#next < this.#intervals) {
      const t = this.#next++;
      for (const { vm, until } of this.#stream.arrivals(t)) {
        this.#here.push({ vm, until });
        this.#vmCount = Math.max(this.#vmCount, vm + 1);
      }
      const here = this.#here.filter(({ until }) => until > t);
      if (here.length !== this.#here.length) this.#here.splice(0, this.#here.length, ...here);
      this.#vms = grown(this.#vms, here.length);
      here.forEach(({ vm }, k) => {
        this.#vms[k] = vm;
      });
      const demand = new Float64Array(this.#vmCount * R);
      this.#stream.demand(t, here.length, this.#vms, this.#vms, demand);
      if (t >= this.#tick) this.#ahead.push(demand);
    }
  }
}
