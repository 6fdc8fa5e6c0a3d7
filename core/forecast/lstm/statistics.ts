import type { Fleet } from '../../fleet.ts';
import type { History } from '../../history.ts';
import { normalQuantile } from '../../math.ts';
import { grown, type PerSlot, R } from '../../model.ts';
import { select } from './select.ts';
import { QUANTILES } from './sizes.ts';

const Q = QUANTILES.length;
const MEDIAN = QUANTILES.indexOf(0.5);
/** Number of horizons at which residual quantiles are kept; between them they are interpolated. */
const KNOTS = 4;
/** Quantiles of the level and of the residuals, which have slow means too. */
const SLOWED = (1 + KNOTS) * Q;

/** Offsets in a row of statistics of one slot and resource, all in the resource's unit. */
export const STAT = {
  /** Size of the movements to expect, > 0: the unit of the network. NaN while no sample was seen. */
  scale: 0,
  /** Quantiles of the usage of the last day. */
  level: 1,
  /** Quantiles of x(t + h) - x(t) over the last day, knot x quantile. */
  residual: 1 + Q,
  /** The slow means of `level` and `residual`: some days' worth. */
  slowLevel: 1 + SLOWED,
  slowResidual: 1 + SLOWED + Q,
  /** Quantiles of x(t) - x(t - day) over the last day; NaN while there is none. */
  seasonal: 1 + 2 * SLOWED,
  /** Mean movement of the last day, and its slow mean. */
  recentScale: 1 + 2 * SLOWED + Q,
  slowScale: 2 + 2 * SLOWED + Q,
  width: 3 + 2 * SLOWED + Q,
} as const;

/** Samples that the prior of a spread counts for, and that spread as a share of the level. */
const PRIOR_SAMPLES = 4;
const PRIOR = QUANTILES.map((q) => 0.1 * normalQuantile(q));
/** Most samples sorted for one row of quantiles: finer steps are thinned to this. */
const SORTED = 288;
/** Weight of a refresh in the slow means: three days of hours. */
const SLOW = 1 / 72;

/**
 * What each series has lately been like: quantiles of its level, of its movement over each horizon and against
 * the day before. Refreshed once an hour a slot, staggered. They scale a window, tell the network of the spread,
 * and make the candidates that it weighs against each other.
 */
export class Statistics implements PerSlot {
  /** slot x R x STAT.width */
  rows = new Float32Array(0);
  /** Refreshes since admission, per slot. */
  refreshes = new Int32Array(0);
  readonly horizon: number;
  /** Ticks of a day, and between refreshes. */
  readonly day: number;
  readonly every: number;
  /** Horizons in ticks, ascending. */
  readonly knots: readonly number[];
  readonly #fleet: Fleet;
  readonly #history: History;
  readonly #values: Float64Array;
  readonly #sorted: Float64Array;
  readonly #ranks = new Int32Array(2 * Q);

  constructor(fleet: Fleet, history: History, stepMs: number, horizon: number) {
    this.#fleet = fleet;
    this.#history = history;
    this.horizon = horizon;
    this.day = Math.max(2, Math.round(86_400_000 / stepMs));
    this.every = Math.max(1, Math.round(this.day / 24));
    this.knots = Array.from({ length: KNOTS }, (_, i) =>
      Math.max(1, Math.round((horizon * i) / (KNOTS - 1))),
    );
    this.#values = new Float64Array(2 * this.day);
    this.#sorted = new Float64Array(SORTED);
  }

  grow(capacity: number): void {
    this.rows = grown(this.rows, capacity * R * STAT.width);
    this.refreshes = grown(this.refreshes, capacity);
  }

  admit(slot: number): void {
    this.rows.fill(Number.NaN, slot * R * STAT.width, (slot + 1) * R * STAT.width);
    this.refreshes[slot] = 0;
  }

  /** Whether the slot's hour is up. A young slot's always is: each sample tells much. */
  due(slot: number, tick: number): boolean {
    return tick - this.#fleet.since[slot]! < this.every || (tick + slot * 5) % this.every === 0;
  }

  /** Recomputes the slot's rows from the day that ends with `tick`, the newest of the history. */
  refresh(slot: number, tick: number): void {
    const slow = Math.max(1 / ++this.refreshes[slot]!, SLOW);
    for (let r = 0; r < R; r++) {
      const row = (slot * R + r) * STAT.width;
      this.#history.series(slot, r, tick - 2 * this.day + 1, tick + 1, this.#values);
      this.#refreshRow(row, slow, this.#fleet.requested[slot * R + r]!);
    }
  }

  #refreshRow(row: number, slow: number, requested: number): void {
    const { rows, day } = this;
    // A day without a sample leaves the row as it was.
    if (this.#quantiles(0, row + STAT.level, 0) === 0) return;
    const middle = rows[row + STAT.level + MEDIAN]!;
    const typical = Math.abs(middle);
    for (let i = 0; i < KNOTS; i++) this.#quantiles(this.knots[i]!, row + STAT.residual + i * Q, typical);
    if (this.#quantiles(day, row + STAT.seasonal, typical) === 0) {
      rows.fill(Number.NaN, row + STAT.seasonal, row + STAT.seasonal + Q);
    }
    rows[row + STAT.recentScale] = this.#movement(middle);
    for (let i = 0; i < SLOWED; i++) this.#slowly(row + STAT.level + i, row + STAT.slowLevel + i, slow);
    this.#slowly(row + STAT.recentScale, row + STAT.slowScale, slow);
    // Wide enough for rare large movements, so that the network's numbers stay of a size; and never 0.
    const tail = (KNOTS - 1) * Q + Q - 1;
    rows[row + STAT.scale] = Math.max(
      rows[row + STAT.recentScale]!,
      0.2 * rows[row + STAT.slowScale]!,
      0.25 * rows[row + STAT.residual + tail]!,
      0.25 * rows[row + STAT.slowResidual + tail]!,
      0.002 * typical,
      1e-4 * requested,
      1e-6,
    );
  }

  #slowly(from: number, to: number, weight: number): void {
    const now = this.rows[from]!;
    const before = this.rows[to]!;
    this.rows[to] = Number.isNaN(before) ? now : before + weight * (now - before);
  }

  /** Quantiles of x(t) - x(t - lag), or of x for lag 0, over the last day, written to `at`. Returns their number. */
  #quantiles(lag: number, at: number, typical: number): number {
    const values = this.#values;
    const end = values.length;
    const stride = Math.ceil(this.day / SORTED);
    let n = 0;
    for (let i = end - 1; i >= end - this.day; i -= stride) {
      const x = lag === 0 ? values[i]! : values[i]! - values[i - lag]!;
      if (!Number.isNaN(x)) this.#sorted[n++] = x;
    }
    if (n === 0 && lag === 0) return 0;
    const sorted = this.#sorted;
    select(sorted, 0, n - 1, this.#ranks, 0, this.#rank(n) - 1);
    const weight = lag === 0 ? 1 : n / (n + PRIOR_SAMPLES);
    for (let q = 0; q < Q; q++) {
      const position = QUANTILES[q]! * (n - 1);
      const low = Math.floor(position);
      const a = n > 0 ? sorted[low]! : 0;
      const b = low + 1 < n ? sorted[low + 1]! : a;
      this.rows[at + q] = weight * (a + (b - a) * (position - low)) + (1 - weight) * PRIOR[q]! * typical;
    }
    return n;
  }

  /** Writes the ranks between which the quantiles of n numbers lie, ascending, and returns how many they are. */
  #rank(n: number): number {
    const ranks = this.#ranks;
    let count = 0;
    for (let q = 0; q < Q; q++) {
      const low = Math.floor(QUANTILES[q]! * (n - 1));
      if (count === 0 || low > ranks[count - 1]!) ranks[count++] = low;
      if (low + 1 > ranks[count - 1]! && low + 1 < n) ranks[count++] = low + 1;
    }
    return count;
  }

  /** Mean distance from the day's median plus mean movement over the horizon. */
  #movement(middle: number): number {
    const values = this.#values;
    let [distance, seen, movement, pairs] = [0, 0, 0, 0];
    for (let i = this.day; i < values.length; i++) {
      const x = values[i]!;
      if (Number.isNaN(x)) continue;
      distance += Math.abs(x - middle);
      seen++;
      const d = x - values[i - this.horizon]!;
      if (Number.isNaN(d)) continue;
      movement += Math.abs(d);
      pairs++;
    }
    return distance / seen + (pairs > 0 ? movement / pairs : 0);
  }
}
