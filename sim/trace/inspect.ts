import { R, RESOURCES, type Resource, UNITS } from '../../core/model.ts';
import { intervalsOf } from './load.ts';
import type { Trace } from './types.ts';

/** Moments and order statistics of all values of all VMs and intervals pooled; gaps are not values. */
export interface Distribution {
  readonly count: number;
  readonly mean: number;
  /** Of the pooled values about their mean (population form, dividing by the count). */
  readonly standardDeviation: number;
  readonly min: number;
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}

export interface ResourceSummary {
  readonly resource: Resource;
  readonly unit: string;
  readonly usage: Distribution;
  /** The same in % of the VM's size, over the VMs whose size is known. */
  readonly percentOfSize: Distribution | undefined;
  /** Number of VMs whose size is known: stated by the trace or assumed. */
  readonly sized: number;
  /** Sum of the known sizes. */
  readonly totalSize: number;
  /** Mean over the VMs that have a value, for each of up to 60 equal stretches of the trace; NaN where none has. */
  readonly fleetMean: readonly number[];
}

/** What `trace inspect` says of a trace. */
export interface TraceSummary {
  readonly name: string;
  readonly format: string;
  readonly vms: number;
  readonly applications: number;
  readonly users: number;
  readonly stepMs: number;
  readonly intervals: number;
  readonly from: string;
  readonly to: string;
  /** Share of VM-intervals between a VM's first and last value that have a value, 0..1. */
  readonly coverage: number;
  readonly resources: readonly ResourceSummary[];
  readonly report: Trace['report'];
}

const STRETCHES = 60;

export function summarize(trace: Trace): TraceSummary {
  const intervals = intervalsOf(trace);
  let vmIntervals = 0;
  for (const vm of trace.vms) vmIntervals += vm.usage.length / R;
  const resources = RESOURCES.map((_, r) => r).filter((r) => trace.has[r]);
  return {
    name: trace.name,
    format: trace.format,
    vms: trace.vms.length,
    applications: new Set(trace.vms.map((vm) => vm.applicationId)).size,
    users: new Set(trace.vms.map((vm) => vm.userId)).size,
    stepMs: trace.stepMs,
    intervals,
    from: new Date(trace.epochMs).toISOString(),
    to: new Date(trace.epochMs + intervals * trace.stepMs).toISOString(),
    coverage: vmIntervals === 0 ? 0 : 1 - trace.report.gaps / vmIntervals,
    resources: resources.map((r) => summarizeResource(trace, r, intervals)),
    report: trace.report,
  };
}

function summarizeResource(trace: Trace, r: number, intervals: number): ResourceSummary {
  let total = 0;
  for (const vm of trace.vms) total += vm.usage.length / R;
  const values = new Float32Array(total);
  const shares = new Float32Array(total);
  const stretches = Math.min(STRETCHES, intervals);
  const sums = new Float64Array(stretches);
  const counts = new Float64Array(stretches);
  let n = 0;
  let m = 0;
  let sized = 0;
  let totalSize = 0;
  for (const vm of trace.vms) {
    const size = vm.size[r]!;
    if (size > 0) {
      sized++;
      totalSize += size;
    }
    for (let k = 0; k < vm.usage.length / R; k++) {
      const value = vm.usage[k * R + r]!;
      if (Number.isNaN(value)) continue;
      values[n++] = value;
      if (size > 0) shares[m++] = (100 * value) / size;
      const stretch = Math.floor(((vm.start + k) * stretches) / intervals);
      sums[stretch] = sums[stretch]! + value;
      counts[stretch] = counts[stretch]! + 1;
    }
  }
  return {
    resource: RESOURCES[r]!,
    unit: UNITS[RESOURCES[r]!],
    usage: distribution(values.subarray(0, n)),
    percentOfSize: m === 0 ? undefined : distribution(shares.subarray(0, m)),
    sized,
    totalSize,
    fleetMean: Array.from(sums, (sum, i) => sum / counts[i]!),
  };
}

/** Sorts `values` in place. */
function distribution(values: Float32Array): Distribution {
  values.sort();
  const count = values.length;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i]!;
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i]! - mean) * (values[i]! - mean);
  return {
    count,
    mean,
    standardDeviation: Math.sqrt(squares / count),
    min: values[0]!,
    p50: quantile(values, 0.5),
    p95: quantile(values, 0.95),
    max: values[count - 1]!,
  };
}

/** Quantile of sorted values, linear between neighbours (type 7 of Hyndman and Fan 1996). */
function quantile(sorted: Float32Array, p: number): number {
  const at = (sorted.length - 1) * p;
  const low = Math.floor(at);
  const high = Math.min(low + 1, sorted.length - 1);
  return sorted[low]! + (at - low) * (sorted[high]! - sorted[low]!);
}
