import { pow } from '../../core/math.ts';
import { Rng } from '../../core/rng.ts';

/** VM-days as rows, sorted by VM and then day. */
export interface VmDayMatrix {
  vms: number;
  /** Rows of VM v: starts[v] .. starts[v + 1]. */
  starts: Int32Array;
  columns: number;
  /** row * columns + column. */
  values: Float64Array;
}

/** Column sums of each resample, resample * columns + column. */
export interface Resamples {
  count: number;
  /** As drawn. */
  drawn: Float64Array;
  /** The part of `drawn` that choosing the VMs alone gives; the rest comes from choosing days within them. */
  ofVms: Float64Array;
}

/** Days a block holds for a VM seen for `days`: the cube-root rule (Kuensch 1989; Hall et al. 1995). */
export function blockLength(days: number): number {
  return Math.max(1, Math.round(pow(days, 1 / 3)));
}

/**
 * Two-stage bootstrap: VMs with replacement, and for each drawn VM as many days as it has, in circular blocks
 * (Davison & Hinkley 1997, 3.8 and 8.2). The blocks keep what one day says of the next; the VMs what a VM's
 * days have in common. Every column shares the draws.
 */
export function resampleTwoStage(matrix: VmDayMatrix, count: number, seed: number): Resamples {
  const { vms, starts, columns, values } = matrix;
  const rng = new Rng(seed, 'compare', 'two-stage');
  const drawn = new Float64Array(count * columns);
  const ofVms = new Float64Array(count * columns);
  const totals = vmTotals(matrix);
  const lengths = Int32Array.from({ length: vms }, (_, v) => blockLength(starts[v + 1]! - starts[v]!));
  const blocks = blockSums(matrix, lengths);
  const times = new Int32Array(vms);
  const picks = new Int32Array(values.length / columns);
  for (let b = 0; b < count; b++) {
    const at = b * columns;
    times.fill(0);
    for (let draw = 0; draw < vms; draw++) {
      const v = rng.int(vms);
      times[v] = times[v]! + 1;
    }
    for (let v = 0; v < vms; v++) {
      const first = starts[v]!;
      const days = starts[v + 1]! - first;
      const full = Math.floor(days / lengths[v]!);
      for (let repeat = times[v]!; repeat > 0; repeat--) {
        let picked = 0;
        while (picked < full) picks[picked++] = (first + rng.int(days)) * columns;
        if (full * lengths[v]! < days) picks[picked++] = values.length + (first + rng.int(days)) * columns;
        addRows(drawn, at, blocks, picks, picked, columns);
        for (let c = 0; c < columns; c++) ofVms[at + c] = ofVms[at + c]! + totals[v * columns + c]!;
      }
    }
  }
  return { count, drawn, ofVms };
}

/** to[at ..] += the rows of `from` at the offsets `picks`. Four columns at a time in locals: half the time. */
function addRows(
  to: Float64Array,
  at: number,
  from: Float64Array,
  picks: Int32Array,
  picked: number,
  columns: number,
): void {
  let c = 0;
  for (; c + 4 <= columns; c += 4) {
    let s0 = 0;
    let s1 = 0;
    let s2 = 0;
    let s3 = 0;
    for (let k = 0; k < picked; k++) {
      const i = picks[k]! + c;
      s0 += from[i]!;
      s1 += from[i + 1]!;
      s2 += from[i + 2]!;
      s3 += from[i + 3]!;
    }
    to[at + c] = to[at + c]! + s0;
    to[at + c + 1] = to[at + c + 1]! + s1;
    to[at + c + 2] = to[at + c + 2]! + s2;
    to[at + c + 3] = to[at + c + 3]! + s3;
  }
  for (; c < columns; c++) {
    let sum = 0;
    for (let k = 0; k < picked; k++) sum += from[picks[k]! + c]!;
    to[at + c] = to[at + c]! + sum;
  }
}

/** Column sums of each VM, vm * columns + column. */
export function vmTotals({ vms, starts, columns, values }: VmDayMatrix): Float64Array {
  const totals = new Float64Array(vms * columns);
  for (let v = 0; v < vms; v++)
    for (let row = starts[v]!; row < starts[v + 1]!; row++)
      for (let c = 0; c < columns; c++)
        totals[v * columns + c] = totals[v * columns + c]! + values[row * columns + c]!;
  return totals;
}

/**
 * Sums of the circular block that begins at each row: first a table over the VM's whole block length, then one
 * over the days left when its days are no multiple of that.
 */
function blockSums({ vms, starts, columns, values }: VmDayMatrix, lengths: Int32Array): Float64Array {
  const sums = new Float64Array(2 * values.length);
  for (let v = 0; v < vms; v++) {
    const first = starts[v]!;
    const days = starts[v + 1]! - first;
    const length = lengths[v]!;
    for (let d = 0; d < days; d++)
      for (let k = 0; k < length; k++) {
        const from = (first + ((d + k) % days)) * columns;
        const to = (first + d) * columns;
        for (let c = 0; c < columns; c++) {
          sums[to + c] = sums[to + c]! + values[from + c]!;
          if (k < days % length)
            sums[values.length + to + c] = sums[values.length + to + c]! + values[from + c]!;
        }
      }
  }
  return sums;
}

/**
 * Variance that the day stage alone gives the sum of `row`, a value a row, over all VMs: what the VM stage
 * must leave out for the two together to be right (see ratio.ts).
 */
export function dayStageVariance({ vms, starts }: VmDayMatrix, row: Float64Array): number {
  let variance = 0;
  for (let v = 0; v < vms; v++) {
    const first = starts[v]!;
    const days = starts[v + 1]! - first;
    const length = blockLength(days);
    let mean = 0;
    for (let d = 0; d < days; d++) mean += row[first + d]! / days;
    let squares = 0;
    let restSquares = 0;
    for (let d = 0; d < days; d++) {
      let sum = 0;
      for (let k = 0; k < length; k++) {
        if (k === days % length) restSquares += sum * sum;
        sum += row[first + ((d + k) % days)]! - mean;
      }
      squares += sum * sum;
    }
    variance += (Math.floor(days / length) * squares + restSquares) / days;
  }
  return variance;
}
