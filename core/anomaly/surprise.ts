import { log } from '../math.ts';
import { grown } from '../model.ts';
import { Band } from './band.ts';
import { LevelShift } from './level-shift.ts';
import { SmoothedLikelihood, TailLikelihood } from './likelihood.ts';
import { Novelty } from './novelty.ts';
import { DayProfile } from './profile.ts';
import { Roughness } from './roughness.ts';

/** Views of a series whose surprises add up, in the order of `parts`. */
export const VIEWS = ['value', 'level', 'step', 'roughness', 'residual', 'likelihood'] as const;

/** Number of views: the width of a row of `parts`. */
export const V = VIEWS.length;

/**
 * What a view counts for: the inverse bandwidth of its kernel. Chosen together on the Numenta Anomaly Benchmark; halving
 * or doubling any one changes its score by a point or two. docs/anomalies.md has the cross-validation.
 */
const WEIGHT = { value: 0.35, level: 6, step: 0.5, roughness: 2, residual: 1, likelihood: 0.7 } as const;

/** Values to see before any counts as outside the band. */
const LEARN = 50;
/** Errors beyond as many half-widths of the band teach the day profile no more. */
const TEACH = 2;
/** Values are told apart down to this share of the median. */
const LEAST = 1e-3;
/** Numbers a memory keeps. */
const REMEMBER = 64;
/** Smallest deviation reckoned with, as a share of the value: above the rounding of 32-bit floats. */
const ROUNDING = 1e-6;
const TINY = 1e-12;
/** Deviation of the log ratio of roughness that is never news. */
const STEADY = 1e-3;
/** A band is no narrower than this share of what is expected, to either side: the rest is nobody's concern. */
const MATERIAL = 0.05;
/** A fall by less than this, on a logarithmic scale, is never outside the band. */
const SHORT = 0.1;

/**
 * How surprising each value of many series is, in all its views together: the value itself, the level over the recent
 * ticks, the step from the last value, the roughness, the error of the prediction, and the likelihood
 * of the recent errors. Views are taken as independent, so their negative log-likelihoods add.
 *
 * Series are rows; all state is columns and a step allocates nothing.
 */
export class Surprise {
  /** Surprise of the last step by view, row x V, weighted: for explanations. */
  parts = new Float32Array(0);
  /** Error of the last step as a multiple of the band's half-width: above 1 and below -1 is outside. */
  excess = new Float64Array(0);
  /** The same against the own band alone, whatever a forecaster said. */
  drift = new Float64Array(0);
  /** The band of the last step: what was expected, and its .01 and .99 quantiles. */
  median = new Float64Array(0);
  lower = new Float64Array(0);
  upper = new Float64Array(0);
  /** Values taken in. */
  seen = new Uint32Array(0);

  readonly value = new Novelty(REMEMBER);
  readonly level = new LevelShift();
  readonly profile = new DayProfile();
  readonly #levelNews = new Novelty(REMEMBER);
  readonly #roughness = new Roughness();
  readonly #stepNews = new Novelty(REMEMBER);
  readonly #roughnessNews = new Novelty(REMEMBER);
  readonly #errorNews = new Novelty(REMEMBER);
  readonly #errorTail = new TailLikelihood();
  readonly #ownBand = new Band();
  readonly #forecastBand = new Band();
  /** Of how far values fall short of the own expectation, on a logarithmic scale. */
  readonly #shortBand = new Band();
  readonly #likelihood = new SmoothedLikelihood();

  grow(rows: number): void {
    this.parts = grown(this.parts, rows * V);
    this.seen = grown(this.seen, rows);
    for (const key of ['excess', 'drift', 'median', 'lower', 'upper'] as const)
      this[key] = grown(this[key], rows);
    for (const part of this.#all()) part.grow(rows);
    for (const part of [this.level, this.#roughness]) part.grow(rows);
  }

  reset(row: number): void {
    this.seen[row] = 0;
    this.parts.fill(0, row * V, (row + 1) * V);
    this.excess[row] = 0;
    this.drift[row] = 0;
    this.median[row] = Number.NaN;
    this.lower[row] = Number.NaN;
    this.upper[row] = Number.NaN;
    for (const part of this.#all()) part.reset(row);
  }

  #all() {
    return [
      this.value,
      this.profile,
      this.#levelNews,
      this.#stepNews,
      this.#roughnessNews,
      this.#errorNews,
      this.#errorTail,
      this.#ownBand,
      this.#forecastBand,
      this.#shortBand,
      this.#likelihood,
    ];
  }

  /**
   * Takes in one finite value of a row.
   * @param hour hour of the day of the value, 0..23
   * @param floor changes far below it are immaterial, in the unit of the series, >= 0
   * @param median the forecast of this value with its .01 and .99 quantiles, NaN for none: the series' own
   *   day profile and band then stand in
   * @param learn whether the day profile and the band may take the value in: not while an anomaly lasts
   * @returns the surprise, >= 0, about a logarithm of a probability
   */
  step(
    row: number,
    value: number,
    hour: number,
    floor: number,
    median: number,
    lower: number,
    upper: number,
    learn: boolean,
  ): number {
    const seen = this.seen[row]!;
    const small = floor + ROUNDING * (Math.abs(this.value.mean(row)) + this.value.deviation(row)) + TINY;

    const fresh = WEIGHT.value * this.value.step(row, value, seen, small);
    const shift = this.level.step(row, value, seen);
    const shifted = WEIGHT.level * this.#levelNews.step(row, shift, seen, small);
    const move = this.#roughness.step(row, value, seen);
    const moved = WEIGHT.step * this.#stepNews.step(row, move, seen, small);
    const ratio = this.#roughness.ratio(row, small);
    const rough = WEIGHT.roughness * this.#roughnessNews.step(row, ratio, seen, STEADY);

    const own = this.profile.expected(row, hour);
    // The own band is kept up in any case: it tells a drift that the forecaster follows.
    const band = Math.max(this.#ownBand.width(row), small);
    // Clipped, or one flood would leave the rest of the hour below its own expectation.
    if (learn) this.profile.learn(row, hour, seen < LEARN ? value : clip(value, own, TEACH * band), seen);
    // False for NaN and for infinity: any of the three missing, none is believed.
    const forecast = median + lower + upper - (median + lower + upper) === 0;
    const expected = forecast ? median : own;
    const error = value - expected;
    const away = this.#errorNews.step(row, error, seen, small);
    const apart = WEIGHT.residual * this.#errorTail.step(row, away);
    let tail = this.#ownBand.step(row, Math.abs(value - own), small, learn);
    if (forecast) tail = this.#forecastBand.step(row, Math.abs(error), small, learn);
    const unlikely = WEIGHT.likelihood * this.#likelihood.step(row, tail);
    // Usage is positive: where it often halves its additive band reaches below 0, and 0 would be inside.
    const short = Math.max(0, log((Math.max(own, 0) + small) / (Math.max(value, 0) + small)));
    const most = Math.max(this.#shortBand.width(row), SHORT);
    this.#shortBand.step(row, short, SHORT, learn);
    const material = Math.max(small, MATERIAL * Math.abs(own));
    let excess = Math.min(
      excessOf(value, own, own - band, own + band, material),
      short > most ? -short / most : 1e9,
    );
    this.drift[row] = seen < LEARN ? 0 : excess;
    // Twice outside the own band and hardly outside the predicted one: the forecaster has followed a drift.
    if (forecast) {
      // Quantiles are believed down to half the width that the forecaster's errors have shown.
      const least = this.#forecastBand.width(row) / 2;
      const low = Math.min(lower, median - least);
      const high = Math.max(upper, median + least);
      const predicted = excessOf(value, median, low, high, material);
      if (Math.abs(predicted) >= Math.abs(excess) / 2) {
        excess = predicted;
        this.#band(row, median, low, high);
      } else {
        excess /= 2;
        this.#band(row, own, own - band, own + band);
      }
    } else this.#band(row, own, own - band, own + band);
    this.excess[row] = seen < LEARN ? 0 : excess;
    this.seen[row] = seen + 1;

    const at = row * V;
    this.parts[at] = fresh;
    this.parts[at + 1] = shifted;
    this.parts[at + 2] = moved;
    this.parts[at + 3] = rough;
    this.parts[at + 4] = apart;
    this.parts[at + 5] = unlikely;
    return fresh + shifted + moved + rough + apart + unlikely;
  }

  #band(row: number, median: number, lower: number, upper: number): void {
    this.median[row] = median;
    this.lower[row] = lower;
    this.upper[row] = upper;
  }

  /** The most that is normal: the highest hour of the day profile, and the half-width of the band around it. */
  highest(row: number): number {
    return this.profile.highest(row) + this.#ownBand.width(row);
  }

  /** Takes the level of the recent ticks for the new normal of every hour of the day. */
  accept(row: number, hour: number): void {
    this.profile.shift(row, this.level.recent(row) - this.profile.expected(row, hour));
  }
}

/**
 * How far a value lies from the median, as a multiple of the distance to the quantile on its side, negative below.
 * Outside below, the distance is also taken on a logarithmic scale, where that is larger: usage is positive, and a fall
 * to 0 is more than a fall to half.
 */
function excessOf(value: number, median: number, lower: number, upper: number, small: number): number {
  if (value >= median) return (value - median) / Math.max(upper - median, small);
  const linear = (value - median) / Math.max(median - lower, small);
  if (linear > -1 || !(lower > 0)) return linear;
  const least = Math.max(value, small, LEAST * median);
  return Math.min(linear, log(least / median) / Math.max(log(median / lower), LEAST));
}

function clip(value: number, middle: number, width: number): number {
  return Math.max(middle - width, Math.min(middle + width, value));
}
