import { grown, R } from '../../../core/model.ts';
import type { Arrival, InjectedAnomaly, Workload, WorkloadStream } from '../types.ts';
import { AnomalyPlan, type Planned } from './plan.ts';
import type { AnomalyConfig } from './schema.ts';

/**
 * The workload with anomalies in its demand: a wrapper, so that any workload can have them, generated or replayed.
 * @throws ForesizeError ANOMALY_AFTER_END
 */
export function withAnomalies(workload: Workload, configs: readonly AnomalyConfig[], seed: number): Workload {
  if (configs.length === 0) return workload;
  const { name, epochMs, stepMs, intervals } = workload;
  const plan = new AnomalyPlan(configs, { seed, stepMs, intervals });
  return { name, epochMs, stepMs, intervals, open: () => new InjectedStream(workload.open(), plan) };
}

class InjectedStream implements WorkloadStream {
  readonly anomalies: InjectedAnomaly[] = [];
  readonly jobs?: NonNullable<WorkloadStream['jobs']>;
  readonly #inner: WorkloadStream;
  readonly #plan: AnomalyPlan;
  /** Those to come, by the interval they begin in, and those under way. */
  readonly #due = new Map<number, Planned[]>();
  #active: Planned[] = [];
  /** Place in `#active` + 1 by the VM's number; 0 for the calm. */
  #of = new Int32Array(0);

  constructor(inner: WorkloadStream, plan: AnomalyPlan) {
    this.#inner = inner;
    this.#plan = plan;
    if (inner.jobs) this.jobs = (t) => inner.jobs!(t);
  }

  arrivals(t: number): readonly Arrival[] {
    const arrivals = this.#inner.arrivals(t);
    if (arrivals.length > 0) this.#announce(this.#plan.of(t, arrivals));
    const beginning = this.#due.get(t);
    this.#due.delete(t);
    if (beginning || this.#active.some(({ to }) => to <= t)) {
      for (const { vm } of this.#active) this.#of[vm] = 0;
      this.#active = this.#active.filter(({ to }) => to > t).concat(beginning ?? []);
      this.#active.forEach(({ vm }, k) => {
        if (vm >= this.#of.length) this.#of = grown(this.#of, Math.max(64, 2 * vm));
        this.#of[vm] = k + 1;
      });
    }
    return arrivals;
  }

  demand(t: number, count: number, vm: Int32Array, slot: Int32Array, out: Float64Array): void {
    this.#inner.demand(t, count, vm, slot, out);
    if (this.#active.length === 0) return;
    const of = this.#of;
    for (let k = 0; k < count; k++) {
      const place = of[vm[k]!] ?? 0;
      if (place === 0) continue;
      const { shape, from, lasts, size, requested } = this.#active[place - 1]!;
      shape.apply(out, slot[k]! * R, size, (t - from + 1) / lasts, requested);
    }
  }

  #announce(planned: readonly Planned[]): void {
    for (const one of planned) {
      const { vmId, kind, from, to, lasts } = one;
      this.anomalies.push({ vmId, kind, from, to, lasts });
      const together = this.#due.get(one.from);
      if (together) together.push(one);
      else this.#due.set(one.from, [one]);
    }
  }
}
