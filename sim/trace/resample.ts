import { grown, R } from '../../core/model.ts';
import type { VmSamples } from './samples.ts';

/** One VM on the grid. `first` counts intervals of `stepMs` from the Unix epoch. */
export interface Resampled {
  readonly first: number;
  /** interval x R in `UNITS`, from the first interval with a value to the last; NaN where there is none. */
  readonly usage: Float32Array;
  /** Bit r is set when resource r has a value at all. */
  readonly has: number;
  readonly gaps: number;
  readonly duplicates: number;
}

/** Room for the sums of one VM, used again for the next. */
let sums = new Float64Array(0);
let weights = new Float64Array(0);
let rows = new Uint32Array(0);

/**
 * Puts the samples of a VM on the grid of intervals [k * stepMs, (k + 1) * stepMs). The rule:
 *
 * 1. Rows are put in order of their stamps.
 * 2. Of rows with the same stamp the one read last wins, value by value; a missing value never replaces one.
 * 3. An instant belongs to the interval its stamp lies in. A span gives its value to every interval it touches,
 *    weighted by how long it touches it.
 * 4. The value of an interval is the mean of what belongs to it (for `max`: the maximum), per resource.
 * 5. An interval with nothing is NaN: a gap. Nothing is filled in.
 *
 * @returns null when no value is valid
 */
export function resample(vm: VmSamples, stepMs: number, aggregate: 'avg' | 'max'): Resampled | null {
  const width = vm.columns.length;
  const spans = vm.durations.length > 0;
  const { order, duplicates } = inOrder(vm);
  const { times, values, durations } = vm;

  let first = Number.POSITIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < order.length; i++) {
    const n = order[i]!;
    if (!hasValue(values, n * width, width)) continue;
    const from = Math.floor(times[n]! / stepMs);
    const to = spans ? Math.max(from, Math.ceil((times[n]! + durations[n]!) / stepMs) - 1) : from;
    if (from < first) first = from;
    if (to > last) last = to;
  }
  if (first > last) return null;

  const intervals = last - first + 1;
  sums = grown(sums, intervals * width).fill(0, 0, intervals * width);
  weights = grown(weights, intervals * width).fill(0, 0, intervals * width);
  for (let i = 0; i < order.length; i++) {
    const n = order[i]!;
    const time = times[n]!;
    const end = spans ? time + durations[n]! : time;
    for (let k = Math.floor(time / stepMs); ; k++) {
      // A span of no length still says what was used: it weighs as little as a millisecond.
      const weight = spans ? Math.max(1, Math.min(end, (k + 1) * stepMs) - Math.max(time, k * stepMs)) : 1;
      for (let c = 0; c < width; c++) {
        const value = values[n * width + c]!;
        if (Number.isNaN(value)) continue;
        const at = (k - first) * width + c;
        if (aggregate === 'max') {
          if (weights[at] === 0 || value > sums[at]!) sums[at] = value;
          weights[at] = 1;
        } else {
          sums[at] = sums[at]! + value * weight;
          weights[at] = weights[at]! + weight;
        }
      }
      if ((k + 1) * stepMs >= end) break;
    }
  }

  const usage = new Float32Array(intervals * R).fill(Number.NaN);
  let has = 0;
  let gaps = 0;
  for (let k = 0; k < intervals; k++) {
    let found = false;
    for (let c = 0; c < width; c++) {
      const at = k * width + c;
      if (weights[at] === 0) continue;
      const resource = vm.columns[c]!;
      usage[k * R + resource] = (sums[at]! / weights[at]!) * vm.scale[resource]!;
      has |= 1 << resource;
      found = true;
    }
    if (!found) gaps++;
  }
  return { first, usage, has, gaps, duplicates };
}

/** Rows in order of their stamps, each stamp once. Values of `vm` are merged in place where a stamp comes twice. */
function inOrder(vm: VmSamples): { order: Uint32Array; duplicates: number } {
  const { times, values, count } = vm;
  const width = vm.columns.length;
  rows = grown(rows, count);
  const order = rows.subarray(0, count);
  for (let i = 0; i < count; i++) order[i] = i;
  if (vm.outOfOrder > 0) order.sort((a, b) => times[a]! - times[b]! || a - b);
  let kept = 0;
  for (let i = 0; i < count; i++) {
    const n = order[i]!;
    const previous = kept > 0 ? order[kept - 1]! : -1;
    if (previous < 0 || times[previous] !== times[n]) {
      order[kept++] = n;
      continue;
    }
    for (let c = 0; c < width; c++) {
      const value = values[n * width + c]!;
      if (Number.isNaN(value)) values[n * width + c] = values[previous * width + c]!;
    }
    order[kept - 1] = n;
  }
  return { order: order.subarray(0, kept), duplicates: count - kept };
}

function hasValue(values: Float32Array, at: number, width: number): boolean {
  for (let c = 0; c < width; c++) if (!Number.isNaN(values[at + c]!)) return true;
  return false;
}
