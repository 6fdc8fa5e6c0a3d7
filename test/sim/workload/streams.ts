import { R } from '../../../core/model.ts';
import type { Arrival, Workload, WorkloadStream } from '../../../sim/workload/types.ts';

/** Reads one interval's demand of the given VMs, R numbers each, with slot k for the k-th. */
export function demandAt(stream: WorkloadStream, t: number, vms: readonly number[]): number[] {
  const out = new Float64Array(vms.length * R);
  const slots = Int32Array.from(vms.keys());
  stream.demand(t, vms.length, Int32Array.from(vms), slots, out);
  return [...out];
}

export interface Recorded {
  readonly arrival: Arrival;
  readonly at: number;
  /** Demand from `at` on, interval x R. */
  readonly demand: number[];
}

/** Runs a workload to its end and returns what every VM wanted while it was here, by the workload's number. */
export function record(workload: Workload, intervals = workload.intervals): Recorded[] {
  const stream = workload.open();
  const all: Recorded[] = [];
  let here: Recorded[] = [];
  for (let t = 0; t < intervals; t++) {
    here = here.filter((vm) => vm.arrival.until > t);
    for (const arrival of stream.arrivals(t)) {
      const vm = { arrival, at: t, demand: [] };
      all[arrival.vm] = vm;
      here.push(vm);
    }
    const rows = demandAt(
      stream,
      t,
      here.map((vm) => vm.arrival.vm),
    );
    here.forEach((vm, k) => {
      for (let r = 0; r < R; r++) vm.demand.push(rows[k * R + r]!);
    });
  }
  return all;
}

/** One resource of a recorded VM as a series. */
export function series(vm: Recorded, resource: number): number[] {
  return vm.demand.filter((_, i) => i % R === resource);
}

export function mean(x: readonly number[]): number {
  return x.reduce((sum, v) => sum + v, 0) / x.length;
}

export function deviation(x: readonly number[]): number {
  const m = mean(x);
  return Math.sqrt(mean(x.map((v) => (v - m) ** 2)));
}

/** Pearson correlation of x(t) with y(t + lag). */
export function correlation(x: readonly number[], y: readonly number[], lag = 0): number {
  const a = x.slice(0, x.length - lag);
  const b = y.slice(lag);
  const [ma, mb] = [mean(a), mean(b)];
  return mean(a.map((v, i) => (v - ma) * (b[i]! - mb))) / (deviation(a) * deviation(b));
}
