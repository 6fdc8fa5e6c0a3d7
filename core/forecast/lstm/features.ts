import type { History } from '../../history.ts';
import { cosTurns, sinTurns } from '../../math.ts';
import { R } from '../../model.ts';
import type { Batch } from './batch.ts';
import { CANDIDATES, contextWidth, INPUTS, LAGS, LIMIT, QUANTILES } from './sizes.ts';
import { STAT, type Statistics } from './statistics.ts';

const Q = QUANTILES.length;
const MEDIAN = QUANTILES.indexOf(0.5);
const DAY_MS = 86_400_000;

/** Ticks of the recent past that the context sums up. */
const RECENT = 48;
/** Ticks around the same time of the day before that are looked at, besides the horizon. */
const AROUND = 6;
/** Days before yesterday that are averaged with it. */
const EARLIER = 2;
/** Ticks whose phases are remembered, and numbers of each: sine and cosine of four periods. */
const CALENDAR = 4096;
const PHASES = 8;
/** Smallest unit of a quantile, as a share of the scale. */
const LEAST_UNIT = 0.02;

/** Turns history and statistics into windows, for training and for forecasting by the same code. */
export class Features {
  readonly #history: History;
  readonly #day: number;
  readonly #knots: number;
  readonly #stepMs: number;
  readonly #epochMs: number;
  readonly #steps: number;
  readonly #horizon: number;
  /** The recent past of a series, ending with the origin. */
  readonly #past: Float64Array;
  /** How far the series moved within the last RECENT ticks; infinite where it was not seen. */
  #range = 0;
  /** The same time a day before: from AROUND - 1 ticks before the origin's to AROUND / 2 beyond the horizon. */
  readonly #yesterday: Float64Array;
  /** The horizon's ticks on the days before that, day x step. */
  readonly #earlier: Float64Array;
  /** By step: the last knot at or before it that has one after it, and how far it lies towards that. */
  readonly #knot: Int32Array;
  readonly #share: Float64Array;
  /** Phases of day, week, half day and hour of the ticks last asked for: tick modulo CALENDAR x 8. */
  readonly #phases = new Float32Array(CALENDAR * PHASES);
  readonly #phaseTick = new Int32Array(CALENDAR).fill(-1);

  constructor(history: History, statistics: Statistics, stepMs: number, epochMs: number, steps: number) {
    this.#history = history;
    this.#day = statistics.day;
    this.#knots = statistics.knots.length;
    this.#stepMs = stepMs;
    this.#epochMs = epochMs;
    this.#steps = steps;
    this.#horizon = statistics.horizon;
    this.#past = new Float64Array(Math.max(steps, RECENT));
    this.#earlier = new Float64Array(EARLIER * this.#horizon);
    this.#yesterday = new Float64Array(this.#horizon + AROUND + AROUND / 2);
    const { knots } = statistics;
    this.#knot = new Int32Array(this.#horizon);
    this.#share = new Float64Array(this.#horizon);
    for (let h = 0; h < this.#horizon; h++) {
      let i = knots.length - 2;
      while (i > 0 && knots[i]! > h + 1) i--;
      this.#knot[h] = i;
      this.#share[h] = (h + 1 - knots[i]!) / (knots[i + 1]! - knots[i]! || 1);
    }
  }

  /**
   * Writes window `b`: the VM in `slot` as seen at tick `origin`, with the slot's rows of statistics (R x
   * STAT.width from `statsAt`), which may be some ticks older.
   */
  fill(batch: Batch, b: number, slot: number, origin: number, stats: Float32Array, statsAt: number): void {
    this.#calendar(batch, b, origin);
    const past = this.#past;
    const length = past.length;
    for (let r = 0; r < R; r++) {
      const k = r * batch.size + b;
      const row = statsAt + r * STAT.width;
      const scale = stats[row + STAT.scale]!;
      this.#history.series(slot, r, origin - length + 1, origin + 1, past);
      let at = length - 1;
      while (at >= 0 && Number.isNaN(past[at]!)) at--;
      const last = at >= 0 ? past[at]! : stats[row + STAT.level + MEDIAN]!;
      batch.last[k] = last;
      batch.scale[k] = scale;
      if (!(scale > 0)) {
        this.#absent(batch, b, r);
        continue;
      }
      this.#range = unboundedIfUnknown(rangeOf(past, length - RECENT, length));
      this.#units(batch, k, 1 / scale, stats, row);
      this.#inputs(batch, b, r, last, 1 / scale);
      this.#history.series(
        slot,
        r,
        origin - this.#day - AROUND + 1,
        origin - this.#day + this.#horizon + AROUND / 2 + 1,
        this.#yesterday,
      );
      for (let d = 0; d < EARLIER; d++) {
        const from = origin + 1 - (d + 2) * this.#day;
        this.#history.series(slot, r, from, from + this.#horizon, this.#earlier, d * this.#horizon);
      }
      this.#context(batch, k, origin, last, 1 / scale, length - 1 - at, stats, row);
      this.#candidates(batch, k, last, 1 / scale, stats, row);
    }
  }

  /** Writes what came after the origin; `fill` must have been called for the window. */
  fillTarget(batch: Batch, b: number, slot: number, origin: number): void {
    const horizon = this.#horizon;
    const values = this.#yesterday;
    for (let r = 0; r < R; r++) {
      const k = r * batch.size + b;
      this.#history.series(slot, r, origin + 1, origin + 1 + horizon, values);
      for (let h = 0; h < horizon; h++) {
        const target = (values[h]! - batch.last[k]!) / batch.scale[k]!;
        batch.target[k * horizon + h] = Math.max(-2 * LIMIT, Math.min(2 * LIMIT, target));
      }
    }
  }

  #calendar(batch: Batch, b: number, origin: number): void {
    for (let s = 0; s < this.#steps; s++) {
      const at = (s * batch.size + b) * INPUTS + 2 * R;
      const from = this.#phasesOf(origin - this.#steps + 1 + s);
      for (let i = 0; i < 4; i++) batch.x[at + i] = this.#phases[from + i]!;
      batch.x[at + 4] = 1;
    }
  }

  /** Where the phases of a tick are. Windows overlap, so most are there. */
  #phasesOf(tick: number): number {
    // A window may begin before tick 0.
    const slot = (tick + CALENDAR) % CALENDAR;
    const at = slot * PHASES;
    if (this.#phaseTick[slot] === tick) return at;
    const days = (this.#epochMs + tick * this.#stepMs) / DAY_MS;
    this.#phaseTick[slot] = tick;
    for (const [i, turns] of [days, days / 7, 2 * days, 24 * days].entries()) {
      this.#phases[at + 2 * i] = sinTurns(turns);
      this.#phases[at + 2 * i + 1] = cosTurns(turns);
    }
    return at;
  }

  #inputs(batch: Batch, b: number, r: number, last: number, perScale: number): void {
    const steps = this.#steps;
    const from = this.#past.length - steps;
    for (let s = 0; s < steps; s++) {
      const at = (s * batch.size + b) * INPUTS + r;
      const value = this.#past[from + s]!;
      batch.x[at] = bounded((value - last) * perScale, 3);
      batch.x[at + R] = Number.isNaN(value) ? 0 : 1;
    }
  }

  /** A resource that was never seen: zeros, and no target. */
  #absent(batch: Batch, b: number, r: number): void {
    const k = r * batch.size + b;
    for (let s = 0; s < this.#steps; s++) {
      const at = (s * batch.size + b) * INPUTS + r;
      batch.x[at] = 0;
      batch.x[at + R] = 0;
    }
    const path = Q * this.#horizon;
    const width = contextWidth(this.#horizon);
    batch.unit.fill(1, k * Q, (k + 1) * Q);
    batch.live[k] = 0;
    batch.context.fill(0, k * width, (k + 1) * width);
    batch.base.fill(0, k * path, (k + 1) * path);
    batch.candidates.fill(0, k * CANDIDATES * path, (k + 1) * CANDIDATES * path);
  }

  /** About an upper quantile a series moves as far as it lies above the middle, and so below; at least as at .75. */
  #units(batch: Batch, k: number, perScale: number, stats: Float32Array, row: number): void {
    const level = row + STAT.level;
    const residual = row + STAT.residual + (this.#knots - 1) * Q;
    const middle = stats[level + MEDIAN]!;
    batch.live[k] = stats[row + STAT.recentScale]! > 0 ? 1 : 0;
    for (let q = 0; q < Q; q++) {
      const upper = Math.max(q, MEDIAN + 1);
      const lower = Math.min(q, MEDIAN - 1);
      const size = Math.max(
        stats[residual + upper]!,
        -stats[residual + lower]!,
        Math.min(this.#range, stats[level + upper]! - middle),
        Math.min(this.#range, middle - stats[level + lower]!),
      );
      batch.unit[k * Q + q] = Math.min(1, Math.max(LEAST_UNIT, size * perScale));
    }
  }

  #context(
    batch: Batch,
    k: number,
    origin: number,
    last: number,
    perScale: number,
    age: number,
    stats: Float32Array,
    row: number,
  ): void {
    const past = this.#past;
    const yesterday = this.#yesterday;
    const end = past.length - 1;
    const out = batch.context;
    let n = k * contextWidth(this.#horizon);
    for (let lag = 1; lag < LAGS; lag++) out[n++] = bounded((past[end - lag]! - last) * perScale, 10);
    let seen = 0;
    for (let h = 0; h < this.#horizon; h++) {
      const value = yesterday[AROUND + h]!;
      if (!Number.isNaN(value)) seen = 1;
      out[n++] = bounded((value - last) * perScale, 10);
    }
    out[n++] = bounded((mean(yesterday, 0, AROUND) - last) * perScale, 10);

    const hour = mean(past, end - 11, end + 1);
    out[n++] = bounded((mean(past, end - RECENT + 1, end + 1) - last) * perScale, 10);
    out[n++] = bounded((largest(past, end - 11, end + 1) - last) * perScale, 10);
    out[n++] = bounded((largest(past, end - RECENT + 1, end + 1) - last) * perScale, 10);
    out[n++] = bounded(meanDistance(past, end - 11, end + 1, hour) * perScale, 10);

    for (let q = 0; q < Q; q++) out[n++] = bounded((stats[row + STAT.level + q]! - last) * perScale, 10);
    for (let q = 0; q < Q; q++) out[n++] = bounded((stats[row + STAT.slowLevel + q]! - last) * perScale, 10);
    const far = row + STAT.residual + (this.#knots - 1) * Q;
    for (let q = 0; q < Q; q++) out[n++] = bounded(stats[far + q]! * perScale, 10);
    out[n++] = bounded(stats[row + STAT.seasonal + MEDIAN - 1]! * perScale, 10);
    out[n++] = bounded(stats[row + STAT.seasonal + MEDIAN + 2]! * perScale, 10);
    out[n++] = bounded(last * perScale, 10);
    out[n++] = Math.min(1, age / 12);

    const from = this.#phasesOf(origin);
    for (let i = 0; i < PHASES; i++) out[n++] = this.#phases[from + i]!;
    out[n++] = seen;
    out[n++] = hour > last ? 1 : 0;
    out[n] = 1;
  }

  /**
   * The base and the forecasts that may be better: quantiles of the last day's level and of the slow level, no farther
   * from the last value than the series moved of late; the last value with slow residuals; the day before, and the mean
   * of days before, with the residuals of the day before, no farther than it moved of late or at that time; the greatest
   * recent value; the greatest of the day before around that time; quantiles of the last day's level. The limits are for
   * level shifts, after which a day's level is no forecast.
   */
  #candidates(
    batch: Batch,
    k: number,
    last: number,
    perScale: number,
    stats: Float32Array,
    row: number,
  ): void {
    const horizon = this.#horizon;
    const yesterday = this.#yesterday;
    const path = Q * horizon;
    const { slow, quantiles, steps, limits } = batch.row;
    for (let h = 0; h < horizon; h++) {
      steps[h] = (yesterday[AROUND + h]! - last) * perScale;
      steps[horizon + h] = (this.#meanOfDays(h) - last) * perScale;
      steps[2 * horizon + h] = (largest(yesterday, AROUND + h - 3, AROUND + h + 4) - last) * perScale;
    }
    const { base } = batch;
    for (let q = 0; q < Q; q++) {
      quantiles[q] = (stats[row + STAT.level + q]! - last) * perScale;
      quantiles[Q + q] = (stats[row + STAT.slowLevel + q]! - last) * perScale;
      quantiles[2 * Q + q] = stats[row + STAT.seasonal + q]! * perScale;
      for (let h = 0; h < horizon; h++) {
        const at = row + this.#knot[h]! * Q + q;
        const share = this.#share[h]!;
        base[k * path + q * horizon + h] = between(stats, at + STAT.residual, share) * perScale;
        slow[q * horizon + h] = between(stats, at + STAT.slowResidual, share) * perScale;
      }
    }
    const swing = unboundedIfUnknown(rangeOf(yesterday, 0, yesterday.length));
    limits[0] = Math.min(LIMIT, this.#range * perScale);
    limits[1] = Math.min(LIMIT, Math.max(this.#range, swing) * perScale);
    limits[2] = (largest(this.#past, this.#past.length - RECENT, this.#past.length) - last) * perScale;
    batch.kernels.candidates(
      batch.candidates.byteOffset + 4 * k * CANDIDATES * path,
      base.byteOffset + 4 * k * path,
      slow.byteOffset,
      quantiles.byteOffset,
      steps.byteOffset,
      limits.byteOffset,
      horizon,
      4 * path,
    );
  }

  #meanOfDays(h: number): number {
    const yesterday = this.#yesterday[AROUND + h]!;
    let [sum, seen] = Number.isNaN(yesterday) ? [0, 0] : [yesterday, 1];
    for (let i = h; i < this.#earlier.length; i += this.#horizon) {
      const value = this.#earlier[i]!;
      if (Number.isNaN(value)) continue;
      sum += value;
      seen++;
    }
    return sum / seen;
  }
}

/** x drawn in to (-limit, limit), near 0 unchanged; a missing x is 0: at the last value. */
function bounded(x: number, limit: number): number {
  return Number.isNaN(x) ? 0 : (limit * x) / (limit + Math.abs(x));
}

function unboundedIfUnknown(range: number): number {
  return Number.isNaN(range) ? Number.POSITIVE_INFINITY : range;
}

function rangeOf(values: Float64Array, from: number, to: number): number {
  let [least, most] = [Number.NaN, Number.NaN];
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    if (!(value <= most)) most = value;
    if (!(value >= least)) least = value;
  }
  return most - least;
}

function between(stats: Float32Array, at: number, share: number): number {
  return stats[at]! * (1 - share) + stats[at + Q]! * share;
}

/** Mean of what was seen in [from, to); NaN if nothing was. */
function mean(values: Float64Array, from: number, to: number): number {
  let sum = 0;
  let n = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    sum += value;
    n++;
  }
  return n > 0 ? sum / n : Number.NaN;
}

function meanDistance(values: Float64Array, from: number, to: number, centre: number): number {
  let sum = 0;
  let n = 0;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (Number.isNaN(value)) continue;
    sum += Math.abs(value - centre);
    n++;
  }
  return n > 0 ? sum / n : Number.NaN;
}

function largest(values: Float64Array, from: number, to: number): number {
  let most = Number.NaN;
  for (let i = from; i < to; i++) {
    const value = values[i]!;
    if (!(value <= most) && !Number.isNaN(value)) most = value;
  }
  return most;
}
