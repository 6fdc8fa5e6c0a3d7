import { log } from '../math.ts';
import { grown } from '../model.ts';
import { pack, unpack } from './float-codec.ts';
import type { Hierarchy } from './hierarchy.ts';
import { B, Scores } from './scores.ts';

/** Windows whose peaks are scored, ticks: each ends with the last step of its bucket. A window of 1 is its step. */
const WINDOWS = [1, 2, 6, 12] as const;
/** Ticks from one window of a VM to the next. No divisor of an hour or of a day. */
const PERIODS = [1, 5, 7, 13] as const;
/** The first bucket that is a window of more than one step. */
const FIRST = 1;

/** Where a horizon lies among the windows: between `b` and `b + 1`, by its logarithm; beyond the last, at it. */
export function windowOf(horizon: number): { b: number; share: number } {
  const b = WINDOWS.findLastIndex((window) => window <= horizon);
  if (b === B - 1) return { b: b - 1, share: 1 };
  return { b, share: log(horizon / WINDOWS[b]!) / log(WINDOWS[b + 1]! / WINDOWS[b]!) };
}

/**
 * The quantile of the highest of several values is above the highest of their quantiles: one of twelve chances comes
 * true. So peaks are calibrated by themselves: over windows of a few lengths the score is how far the highest usage was
 * above the highest forecast, in spreads (split conformal prediction on the peak). `i` indexes the series, `rb` is
 * (row * R + resource) * B, the first of its buckets.
 */
export class Peaks {
  readonly scores: Scores;
  readonly #levels: number;
  /** Highest forecast at each level, (i * B + b) * levels + level; spread and highest usage so far, i * B + b. */
  #base = new Float32Array(0);
  #spread = new Float64Array(0);
  /** NaN while no window runs. */
  #highest = new Float64Array(0);

  constructor(hierarchy: Hierarchy, levels: number, base: ArrayLike<number>) {
    this.#levels = levels;
    this.scores = new Scores(hierarchy, levels, base, FIRST);
  }

  grow(series: number): void {
    this.#base = grown(this.#base, series * B * this.#levels);
    this.#spread = grown(this.#spread, series * B);
    this.#highest = grown(this.#highest, series * B);
  }

  clear(from: number, to: number): void {
    this.#highest.fill(Number.NaN, from * B, to * B);
  }

  /** Takes in a sample, NaN when it is missing: a window with a hole is given up. @param phase tick, shifted by VM */
  see(i: number, rb: number, phase: number, y: number): void {
    for (let b = FIRST; b < B; b++) {
      const at = i * B + b;
      if (Number.isNaN(this.#highest[at]!)) continue;
      if (!(y <= this.#highest[at]!)) this.#highest[at] = y;
      if (phase % PERIODS[b]! !== WINDOWS[b]!) continue;
      for (let l = 0; l < this.#levels && !Number.isNaN(y); l++) {
        const z = (this.#highest[at]! - this.#base[at * this.#levels + l]!) / this.#spread[at]!;
        if (!Number.isNaN(z)) this.scores.add(rb + b, l, z);
      }
      this.#highest[at] = Number.NaN;
    }
  }

  /**
   * Begins the windows that are due with the forecasts of the moment.
   * @param forecasts of step h at level l at from + l * stride + h - 1
   * @param spreads of the buckets, from `at`
   */
  begin(
    i: number,
    phase: number,
    forecasts: Float32Array,
    from: number,
    stride: number,
    spreads: Float32Array,
    at: number,
  ): void {
    for (let b = FIRST; b < B; b++) {
      if (phase % PERIODS[b]! !== 0) continue;
      const k = i * B + b;
      if (!(spreads[at + b]! > 0)) continue;
      for (let l = 0; l < this.#levels; l++) {
        this.#base[k * this.#levels + l] = highestOf(forecasts, from + l * stride, WINDOWS[b]!);
      }
      this.#spread[k] = spreads[at + b]!;
      this.#highest[k] = Number.NEGATIVE_INFINITY;
    }
  }

  /** Steps whose forecasts `begin` reads at this phase, bit h - 1. */
  wanted(phase: number): number {
    let mask = 0;
    for (let b = FIRST; b < B; b++) if (phase % PERIODS[b]! === 0) mask = (1 << WINDOWS[b]!) - 1;
    return mask;
  }

  saveSeries(from: number, to: number): string {
    return pack(this.#columns(from, to));
  }

  loadSeries(from: number, to: number, saved: unknown): void {
    unpack(saved, this.#columns(from, to));
  }

  #columns(from: number, to: number): (Float64Array | Float32Array)[] {
    return [
      this.#base.subarray(from * B * this.#levels, to * B * this.#levels),
      this.#spread.subarray(from * B, to * B),
      this.#highest.subarray(from * B, to * B),
    ];
  }
}

/** The largest of `n` values from `from`; NaN when the first is. */
export function highestOf(values: Float32Array | Float64Array, from: number, n: number): number {
  let highest = values[from]!;
  for (let k = from + 1; k < from + n; k++) if (values[k]! > highest) highest = values[k]!;
  return highest;
}
