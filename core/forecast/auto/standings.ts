import { exp2, normalQuantile } from '../../math.ts';
import { grown, R } from '../../model.ts';
import type { Hierarchy } from '../hierarchy.ts';

/** Levels that candidates are compared at, and whose coverage is kept. */
export const COMPARED = [0.5, 0.9, 0.95, 0.99] as const;
const Q = COMPARED.length;
const PROBITS = COMPARED.map(normalQuantile);
/** Weights are losses to the power of -16: an average of equals, and all but a choice when one is better. */
const SHARPNESS = 16;
/** Comparisons in the whole fleet before anyone is trusted more than last-value. */
const ENOUGH = 12;
/** Comparisons with which a parent's standings enter its child's. */
const PARENT_WEIGHT = 6;
/** Step of the coverage correction of a pair, and of its parents, who see more; on the normal scale. */
const RATE = 0.05;
const PARENT_RATE = 0.01;
/** A comparison counts as at most so many usual ones: a single event does not decide who is trusted. */
const MOST = 4;
/** What saying nothing costs, in losses of the worst that said something. */
const SILENCE = 2;
/** Largest correction. */
export const REACH = 0.35;

/**
 * Who forecasts best, per row of the hierarchy and resource: decayed pinball losses of every candidate, and the weights that
 * follow from them; pair -> application -> global -> one fallback candidate, as far as each was compared at all.
 *
 * An average of calibrated forecasts covers a little too much. The level that is asked of them is corrected by its own
 * coverage: adaptive conformal inference (Gibbs & Candes 2021), on the normal scale.
 */
export class Standings {
  readonly candidates: number;
  /** (row * R + r) * candidates + c; sums to 1. */
  weights = new Float64Array(0);
  /** Correction of each compared level: (row * R + r) * Q + q. */
  #shift = new Float64Array(0);
  #losses = new Float64Array(0);
  #counts = new Float64Array(0);
  readonly #hierarchy: Hierarchy;
  readonly #fallback: number;
  #rows = 0;

  /** @param fallback the candidate that is used while nothing is known */
  constructor(hierarchy: Hierarchy, candidates: number, fallback: number) {
    this.#hierarchy = hierarchy;
    this.candidates = candidates;
    this.#fallback = fallback;
  }

  grow(): void {
    const { size, parent } = this.#hierarchy;
    const C = this.candidates;
    if (size === this.#rows) return;
    if (size * R > this.#counts.length) {
      const capacity = Math.max(size, 2 * this.#rows);
      this.weights = grown(this.weights, capacity * R * C);
      this.#losses = grown(this.#losses, capacity * R * C);
      this.#counts = grown(this.#counts, capacity * R);
      this.#shift = grown(this.#shift, capacity * R * Q);
    }
    for (let row = this.#rows; row < size; row++) {
      const up = parent[row]!;
      for (let k = 0; k < R * C; k++) {
        this.weights[row * R * C + k] =
          up >= 0 ? this.weights[up * R * C + k]! : k % C === this.#fallback ? 1 : 0;
      }
      if (up >= 0) this.#shift.copyWithin(row * R * Q, up * R * Q, (up + 1) * R * Q);
    }
    this.#rows = size;
  }

  /**
   * Adds a finished comparison of a VM of the pair `row`.
   * @param losses summed pinball loss of each candidate, from `from`; NaN where it had nothing to say
   * @param covered share of arrivals at or below the combined forecast, by level
   */
  add(row: number, resource: number, losses: Float64Array, from: number, covered: ArrayLike<number>): void {
    const C = this.candidates;
    const { parent } = this.#hierarchy;
    const rr = row * R + resource;
    this.#correct(rr, covered, RATE);
    let worst = 0;
    for (let c = 0; c < C; c++) worst = Math.max(worst, orZero(losses[from + c]!));
    if (worst === 0) return;
    // Who had nothing to say is worse than everyone who had.
    for (let c = 0; c < C; c++) if (Number.isNaN(losses[from + c]!)) losses[from + c] = SILENCE * worst;
    let now = 0;
    let total = 0;
    for (let c = 0; c < C; c++) {
      now += losses[from + c]!;
      total += this.#losses[rr * C + c]!;
    }
    const most = this.#counts[rr]! > 0 ? (MOST * total) / this.#counts[rr]! : now;
    const scale = now > most ? most / now : 1;
    total += scale * now;
    this.#counts[rr]!++;
    for (let c = 0; c < C; c++) {
      losses[from + c]! *= scale;
      this.#losses[rr * C + c]! += losses[from + c]!;
    }
    // Parents sum over series of all sizes: in units of what the series usually costs.
    const usual = total / this.#counts[rr]!;
    for (let up = parent[row]!; up >= 0; up = parent[up]!) {
      const k = up * R + resource;
      this.#counts[k]!++;
      for (let c = 0; c < C; c++) this.#losses[k * C + c]! += losses[from + c]! / usual;
      this.#correct(k, covered, PARENT_RATE);
    }
  }

  #correct(rr: number, covered: ArrayLike<number>, rate: number): void {
    for (let q = 0; q < Q; q++) {
      const shift = this.#shift[rr * Q + q]! + rate * (COMPARED[q]! - covered[q]!);
      this.#shift[rr * Q + q] = Math.max(-REACH, Math.min(REACH, shift));
    }
  }

  /** Turns losses into weights, and forgets a little. @param halfLives since the last decision */
  decide(halfLives: number): void {
    const { size, parent } = this.#hierarchy;
    const C = this.candidates;
    for (let row = 0; row < size; row++) {
      for (let r = 0; r < R; r++) {
        if (this.#counts[r]! >= ENOUGH)
          this.#weigh(row * R + r, parent[row]! < 0 ? -1 : parent[row]! * R + r);
      }
    }
    const keep = exp2(-halfLives);
    for (let k = 0; k < size * R * C; k++) this.#losses[k]! *= keep;
    for (let k = 0; k < size * R; k++) this.#counts[k]! *= keep;
  }

  #weigh(rr: number, up: number): void {
    const C = this.candidates;
    const own = this.#share(rr);
    const theirs = up < 0 ? 0 : this.#share(up);
    const parentWeight = theirs > 0 ? PARENT_WEIGHT : 0;
    const count = this.#counts[rr]! + parentWeight;
    if (!(count > 0)) return;
    let sum = 0;
    for (let c = 0; c < C; c++) {
      const loss =
        this.#counts[rr]! * own * this.#losses[rr * C + c]! +
        (parentWeight > 0 ? parentWeight * theirs * this.#losses[up * C + c]! : 0);
      let w = count / (C * loss + 1e-9 * count);
      for (let p = 1; p < SHARPNESS; p *= 2) w *= w;
      this.weights[rr * C + c] = w;
      sum += w;
    }
    for (let c = 0; c < C; c++) this.weights[rr * C + c]! /= sum;
  }

  /** What scales the losses of a row to a sum of 1. */
  #share(rr: number): number {
    let total = 0;
    for (let c = 0; c < this.candidates; c++) total += this.#losses[rr * this.candidates + c]!;
    return total > 0 ? 1 / total : 0;
  }

  /** Where a level, given on the normal scale, has to be read off to cover what it says. */
  corrected(row: number, resource: number, probit: number): number {
    const at = (row * R + resource) * Q;
    let q = 0;
    while (q + 2 < Q && PROBITS[q + 1]! <= probit) q++;
    const share = (probit - PROBITS[q]!) / (PROBITS[q + 1]! - PROBITS[q]!);
    const s = Math.max(-1, Math.min(1, share));
    // Below the median, of which alone something is known, the correction fades.
    return s < 0
      ? probit + (1 + s) * this.#shift[at]!
      : probit + this.#shift[at + q]! + s * (this.#shift[at + q + 1]! - this.#shift[at + q]!);
  }

  columns(row: number): Float64Array[] {
    const C = this.candidates;
    return [
      this.weights.subarray(row * R * C, (row + 1) * R * C),
      this.#losses.subarray(row * R * C, (row + 1) * R * C),
      this.#counts.subarray(row * R, (row + 1) * R),
      this.#shift.subarray(row * R * Q, (row + 1) * R * Q),
    ];
  }
}

function orZero(v: number): number {
  return Number.isNaN(v) ? 0 : v;
}
