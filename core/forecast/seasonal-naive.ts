import { z } from 'zod';
import { ForesizeError } from '../errors.ts';
import { type Frame, grown, R } from '../model.ts';
import { BandedForecaster } from './banded.ts';
import { isSample, type PointModel } from './point-model.ts';
import type { ForecastContext, Forecaster } from './types.ts';

export const seasonalNaiveParams = z
  .strictObject({
    season: z.enum(['day', 'week']).default('day').describe('Which earlier time usage is taken from.'),
  })
  .describe(
    'Forecasts that usage is what it was at the same time a day or a week ago (the seasonal naive method).',
  );

export type SeasonalNaiveParams = z.infer<typeof seasonalNaiveParams>;

const DAY = 86_400_000;
/** Slots taken together, so that their output stays in the first-level cache over the steps. */
const BLOCK = 256;

/** Ticks of history the forecaster needs. */
export function seasonalNaiveDepth(params: SeasonalNaiveParams, stepMs: number): number {
  return Math.max(1, Math.round(((params.season === 'day' ? 1 : 7) * DAY) / stepMs));
}

/**
 * The seasonal naive method (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 5.2).
 * @throws ForesizeError HISTORY_TOO_SHORT when `ctx.history` does not retain a season
 */
export function createSeasonalNaive(params: SeasonalNaiveParams, ctx: ForecastContext): Forecaster {
  const season = seasonalNaiveDepth(params, ctx.stepMs);
  if (ctx.history.depth < season) {
    throw new ForesizeError({
      code: 'HISTORY_TOO_SHORT',
      what: `seasonal-naive needs a history of ${season} ticks (a ${params.season}) and has ${ctx.history.depth}`,
      where: 'forecaster.season',
      remedy: `keep at least ${season} ticks of history, or choose a shorter season`,
    });
  }
  return new BandedForecaster('seasonal-naive', () => new SeasonalNaive(season, ctx), ctx);
}

/**
 * Usage a season ago, from the shared history. The last sample seen stands in for one that was lost then, and for all of
 * them while the VM has been here for less than a season.
 */
export class SeasonalNaive implements PointModel {
  readonly #season: number;
  readonly #ctx: ForecastContext;
  #tick = -1;
  #last = new Float64Array(0);
  /** Of the slots asked for, those that have been here for a season. */
  #seasoned = new Int32Array(0);

  /** @param season length of the season, ticks */
  constructor(season: number, ctx: ForecastContext) {
    this.#season = season;
    this.#ctx = ctx;
  }

  grow(capacity: number): void {
    this.#last = grown(this.#last, capacity * R);
    this.#seasoned = grown(this.#seasoned, capacity);
  }

  admit(slot: number): void {
    this.#last.fill(Number.NaN, slot * R, slot * R + R);
  }

  observe(frame: Frame): void {
    this.#tick = frame.tick;
    const last = this.#last;
    const usage = frame.usage;
    const n = this.#ctx.fleet.rows * R;
    for (let i = 0; i < n; i++) {
      const u = usage[i]!;
      if (isSample(u)) last[i] = u;
    }
  }

  at(index: number, step: number): number {
    const { fleet, history } = this.#ctx;
    if (fleet.since[Math.floor(index / R)]! > this.#tick + 1 - this.#season) return this.#last[index]!;
    const then = history.block(this.#source(step))?.[index] ?? Number.NaN;
    return isSample(then) ? then : this.#last[index]!;
  }

  peak(slots: Int32Array, horizon: number, out: Float64Array): void {
    const { fleet, history } = this.#ctx;
    const last = this.#last;
    const seasoned = this.#seasoned;
    const since = fleet.since;
    const latest = this.#tick + 1 - this.#season;
    let n = 0;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const known = since[slot]! <= latest;
      if (known) seasoned[n++] = slot;
      for (let i = slot * R; i < slot * R + R; i++) out[i] = known ? Number.NEGATIVE_INFINITY : last[i]!;
    }
    const steps = Math.min(horizon, this.#season);
    for (let start = 0; start < n; start += BLOCK) {
      const end = Math.min(n, start + BLOCK);
      for (let step = 1; step <= steps; step++) {
        const block = history.block(this.#source(step));
        for (let k = start; k < end; k++) {
          const from = seasoned[k]! * R;
          for (let i = from; i < from + R; i++) {
            const then = block === undefined ? Number.NaN : block[i]!;
            const value = isSample(then) ? then : last[i]!;
            // NaN, of a resource never seen, must win over the start value.
            if (!(value <= out[i]!)) out[i] = value;
          }
        }
      }
    }
  }

  /** The tick a step's forecast is taken from: the newest one whole seasons before it. */
  #source(step: number): number {
    return this.#tick + step - this.#season * Math.ceil(step / this.#season);
  }
}
