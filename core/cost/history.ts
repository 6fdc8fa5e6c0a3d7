import { R } from '../model.ts';
import { orderStatistic } from '../order-statistic.ts';

/** What was seen of one VM, a row of R numbers a tick from `start`. */
export interface VmHistory {
  readonly vmId: string;
  readonly applicationId: string;
  readonly userId: string;
  /** Tick of the first row. */
  readonly start: number;
  /** What it wanted as far as it could be seen: usage, corrected for pressure. NaN where nothing was. */
  readonly usage: Float32Array;
  /** What it was granted. */
  readonly allocation: Float32Array;
}

/** A fleet's past on one grid of ticks: what advice is made from. The row of tick t covers the time before it. */
export interface FleetHistory {
  /** Time of tick 0, ms since the Unix epoch. */
  readonly epochMs: number;
  readonly stepMs: number;
  readonly ticks: number;
  readonly vms: readonly VmHistory[];
}

/** Rows a VM has. */
export function length(vm: VmHistory): number {
  return vm.usage.length / R;
}

/** The seen values of one resource from row `from` on. */
export function seen(column: Float32Array, resource: number, from = 0): Float32Array {
  const out = new Float32Array(Math.max(0, column.length / R - from));
  let n = 0;
  for (let i = from * R + resource; i < column.length; i += R) {
    if (column[i]! >= 0) out[n++] = column[i]!;
  }
  return out.subarray(0, n);
}

/** Nearest-rank quantile; NaN of nothing. Reorders `values`. */
export function quantile(values: Float32Array, q: number): number {
  if (values.length === 0) return Number.NaN;
  const rank = Math.min(values.length - 1, Math.max(0, Math.ceil(q * values.length) - 1));
  return orderStatistic(values, values.length, rank);
}

/** The last allocation a VM was seen with, a row of R. */
export function standing(vm: VmHistory): Float32Array {
  return vm.allocation.slice(-R);
}
