import { R } from '../../../core/model.ts';
import { openWorkload } from '../../../sim/workload/open.ts';
import { workloadSchema } from '../../../sim/workload/schema.ts';
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
  let numbers = new Int32Array(0);
  let slots = new Int32Array(0);
  let out = new Float64Array(0);
  for (let t = 0; t < intervals; t++) {
    const arrivals = stream.arrivals(t);
    if (arrivals.length > 0 || here.some((vm) => vm.arrival.until === t)) {
      here = here.filter((vm) => vm.arrival.until > t);
      for (const arrival of arrivals) {
        const vm = { arrival, at: t, demand: [] };
        all[arrival.vm] = vm;
        here.push(vm);
      }
      numbers = Int32Array.from(here, (vm) => vm.arrival.vm);
      slots = Int32Array.from(here.keys());
      out = new Float64Array(here.length * R);
    }
    stream.demand(t, here.length, numbers, slots, out);
    for (let k = 0; k < here.length; k++) {
      for (let r = 0; r < R; r++) here[k]!.demand.push(out[k * R + r]!);
    }
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

/** Opens the workload of a `workload:` section. */
export function opened(section: object, intervals?: number, seed = 1, stepMs = 300_000): Promise<Workload> {
  const loadTrace = () => Promise.reject(new Error('no trace is to be read'));
  return openWorkload(workloadSchema.parse(section), { seed, stepMs, intervals, baseDir: '.', loadTrace });
}

/** Everything off: a VM's load is its level, for ever. Tests switch on what they look at. */
export const PLAIN = {
  id: 'app',
  archetype: 'web',
  sizes: [{ cpu: 4, memory: 8192 }],
  level: 0.25,
  cycle: 'none',
  noise: 'none',
  bursts: 'none',
  flashCrowds: 'none',
  trend: 'none',
  regimes: 'none',
  jobs: 'none',
} as const;

/** Users who are all alike. */
export const ALIKE = { phase: '0h', amplitude: 0, level: 0, burstiness: 0 } as const;

/** A generated workload of alike users whose applications are PLAIN but for what is given. */
export function generated(
  apps: readonly object[],
  intervals: number,
  more: object = {},
  seed = 1,
): Promise<Workload> {
  const applications = apps.map((app, i) => ({ ...PLAIN, id: `app${i + 1}`, ...app }));
  return opened({ source: 'generated', personality: ALIKE, applications, ...more }, intervals, seed);
}
