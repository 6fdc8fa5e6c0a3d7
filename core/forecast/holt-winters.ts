import { z } from 'zod';
import type { Fleet } from '../fleet.ts';
import { type Frame, grown, R } from '../model.ts';
import { BandedForecaster } from './banded.ts';
import { isSample, type PointModel } from './point-model.ts';
import type { ForecastContext, Forecaster } from './types.ts';

export const holtWintersParams = z
  .strictObject({
    level: z.number().gt(0).lte(1).default(0.1).describe('Smoothing of the level (alpha).'),
    trend: z.number().gte(0).lte(1).default(0.001).describe('Smoothing of the trend (beta).'),
    season: z.number().gte(0).lte(1).default(0.2).describe('Smoothing of the daily season (gamma).'),
    damping: z
      .number()
      .gt(0)
      .lte(1)
      .default(0.9)
      .describe('What is left of the trend after a tick (phi); 1 is a straight trend.'),
  })
  .describe(
    'Additive Holt-Winters exponential smoothing with a daily season and a damped trend: ETS(A,Ad,A).',
  );

export type HoltWintersParams = z.infer<typeof holtWintersParams>;

const DAY = 86_400_000;
/** Slots taken together, so that their output stays in the first-level cache over the steps. */
const BLOCK = 256;

/**
 * Additive Holt-Winters in error-correction form (Hyndman, Koehler, Ord, Snyder, Forecasting with Exponential
 * Smoothing, 2008, 2.5), the last value until two days were seen.
 */
export function createHoltWinters(params: HoltWintersParams, ctx: ForecastContext): Forecaster {
  const period = Math.max(1, Math.round(DAY / ctx.stepMs));
  return new BandedForecaster('holt-winters', () => new HoltWinters(params, period, ctx.fleet), ctx);
}

/**
 * With error e = y - (l + phi b + s): l' = l + phi b + alpha e, b' = phi b + beta e, s' = s + gamma e. A lost sample is
 * e = 0. State: 4 bytes a tick of the season and 28 more, each slot and resource.
 */
export class HoltWinters implements PointModel {
  readonly #params: HoltWintersParams;
  readonly #period: number;
  readonly #fleet: Fleet;
  #tick = -1;
  /** Slot x R. Until two periods were seen, level and trend hold the sums of the first and the second. */
  #level = new Float64Array(0);
  #trend = new Float64Array(0);
  #last = new Float64Array(0);
  /** Slot x R: ticks since the first sample, up to two periods. */
  #seen = new Int32Array(0);
  /** For each tick of the period, slot x R: all VMs use the same one at a time. */
  readonly #season: Float32Array[];
  readonly #sums = [0];

  /** @param period ticks in a season */
  constructor(params: HoltWintersParams, period: number, fleet: Fleet) {
    this.#params = params;
    this.#period = period;
    this.#fleet = fleet;
    this.#season = Array.from({ length: period }, () => new Float32Array(0));
  }

  grow(capacity: number): void {
    this.#level = grown(this.#level, capacity * R);
    this.#trend = grown(this.#trend, capacity * R);
    this.#last = grown(this.#last, capacity * R);
    this.#seen = grown(this.#seen, capacity * R);
    for (let phase = 0; phase < this.#period; phase++) {
      this.#season[phase] = grown(this.#season[phase]!, capacity * R);
    }
  }

  admit(slot: number): void {
    this.#last.fill(Number.NaN, slot * R, slot * R + R);
    this.#seen.fill(0, slot * R, slot * R + R);
  }

  observe(frame: Frame): void {
    this.#tick = frame.tick;
    const { level: alpha, trend: beta, season: gamma, damping: phi } = this.#params;
    const level = this.#level;
    const trend = this.#trend;
    const seen = this.#seen;
    const season = this.#season[frame.tick % this.#period]!;
    const ready = 2 * this.#period;
    const usage = frame.usage;
    const n = this.#fleet.rows * R;
    for (let i = 0; i < n; i++) {
      const u = usage[i]!;
      const sampled = isSample(u);
      if (sampled) this.#last[i] = u;
      if (seen[i]! < ready) {
        this.#begin(i, season);
        continue;
      }
      const rise = phi * trend[i]!;
      const forecast = level[i]! + rise;
      const error = sampled ? u - forecast - season[i]! : 0;
      level[i] = forecast + alpha * error;
      trend[i] = rise + beta * error;
      season[i]! += gamma * error;
    }
  }

  at(index: number, step: number): number {
    if (this.#seen[index]! < 2 * this.#period) return this.#last[index]!;
    const season = this.#season[(this.#tick + step) % this.#period]!;
    return Math.max(0, this.#level[index]! + this.#damped(step) * this.#trend[index]! + season[index]!);
  }

  peak(slots: Int32Array, horizon: number, out: Float64Array): void {
    const level = this.#level;
    const trend = this.#trend;
    const last = this.#last;
    const seen = this.#seen;
    const ready = 2 * this.#period;
    for (let k = 0; k < slots.length; k++) {
      const from = slots[k]! * R;
      for (let i = from; i < from + R; i++) out[i] = seen[i]! < ready ? last[i]! : 0;
    }
    for (let start = 0; start < slots.length; start += BLOCK) {
      const end = Math.min(slots.length, start + BLOCK);
      for (let step = 1; step <= horizon; step++) {
        const season = this.#season[(this.#tick + step) % this.#period]!;
        const damped = this.#damped(step);
        for (let k = start; k < end; k++) {
          const from = slots[k]! * R;
          for (let i = from; i < from + R; i++) {
            if (seen[i]! < ready) continue;
            const value = level[i]! + damped * trend[i]! + season[i]!;
            if (value > out[i]!) out[i] = value;
          }
        }
      }
    }
  }

  /** phi + phi^2 + ... + phi^step. */
  #damped(step: number): number {
    const sums = this.#sums;
    while (sums.length <= step) sums.push(this.#params.damping * (1 + sums.at(-1)!));
    return sums[step]!;
  }

  /** Takes in a sample of the first two periods; at their end sets level, trend and season. */
  #begin(i: number, season: Float32Array): void {
    // A lost sample is filled with the last one; before the first there is nothing to fill with.
    const value = this.#last[i]!;
    if (Number.isNaN(value)) return;
    const count = this.#seen[i]!++;
    if (count === 0) {
      this.#level[i] = 0;
      this.#trend[i] = 0;
    }
    if (count < this.#period) {
      season[i] = value;
      this.#level[i]! += value;
    } else {
      season[i]! += value;
      this.#trend[i]! += value;
    }
    if (count + 1 === 2 * this.#period) this.#initialise(i);
  }

  /**
   * Means of the two periods lie at their middles: their difference is the trend, the mean of detrended values at a phase
   * its season. Exact for a line plus a season.
   */
  #initialise(i: number): void {
    const m = this.#period;
    const first = this.#level[i]! / m;
    const second = this.#trend[i]! / m;
    const slope = (second - first) / m;
    const middle = (m - 1) / 2;
    for (let k = 0; k < m; k++) {
      const season = this.#season[(this.#tick + 1 + k) % m]!;
      season[i] = season[i]! / 2 - (first + second) / 2 - slope * (k - middle);
    }
    this.#level[i] = second + slope * middle;
    this.#trend[i] = slope;
  }
}
