import initEts from '@bsull/augurs/ets';
import { z } from 'zod';
import { DAY, HOUR } from '../duration.ts';
import type { Fleet } from '../fleet.ts';
import { type Frame, grown, R, RESOURCES } from '../model.ts';
import type { AugursRuntime } from './augurs.ts';
import { Conformal } from './conformal.ts';
import { AS_NOW, type EtsFit, fitEts, MIN_SAMPLES } from './ets-fit.ts';
import { decodeFloats, encodeFloats } from './float-codec.ts';
import { Hierarchy } from './hierarchy.ts';
import type { SavedState } from './model-document.ts';
import { isSample } from './point-model.ts';
import { retrainParams, samplingParams } from './retrain-params.ts';
import { RetrainSchedule } from './retrain-schedule.ts';
import type { FailedFit, TrainingHealth } from './retrained.ts';
import type { Stateful } from './stateful.ts';
import type { ForecastBatch, ForecastContext, Forecaster } from './types.ts';

export const etsParams = z
  .strictObject({
    windowDays: retrainParams.windowDays.default(2),
    minDays: retrainParams.minDays.default(1),
    retrainHours: retrainParams.retrainHours,
    fitsPerTick: samplingParams(1, 2).fitsPerTick,
  })
  .describe('Exponential smoothing, ETS(A,N,N), (A,A,N) or (A,Ad,N) as AutoETS chooses; no season.');

export type EtsParams = z.infer<typeof etsParams>;

/** Ticks of history that training looks back on. */
export function etsHistory(params: EtsParams, stepMs: number): number {
  return Math.max(1, Math.round((params.windowDays * DAY) / stepMs));
}

/** ETS (Hyndman, Koehler, Ord & Snyder 2008), chosen and estimated by augurs for every pair at intervals. */
export async function createEts(
  params: EtsParams,
  ctx: ForecastContext,
  runtime: AugursRuntime,
): Promise<Forecaster> {
  return new Conformal(await Ets.load(params, ctx, runtime), [0.5], ctx);
}

const KEPT_FAILURES = 100;

/**
 * Exponential smoothing for a fleet: parameters belong to the pair and resource and are estimated at intervals from the
 * VM of the pair that has run longest (means over several would be smoother than any one of them); level and trend are
 * each VM's own and follow every sample, e = y - (l + phi b): l' = l + phi b + alpha e, b' = phi b + beta e. A pair
 * without a fit uses its application's or the fleet's first one; a fit that fails leaves the last good one in place.
 */
export class Ets implements Forecaster, Stateful {
  readonly name = 'ets';
  readonly parameters: string;
  readonly #fleet: Fleet;
  readonly #ctx: ForecastContext;
  readonly #rows: Hierarchy;
  readonly #schedule: RetrainSchedule;
  readonly #window: number;
  readonly #enough: number;
  /** Per row * R + resource. */
  readonly #fits: (EtsFit | undefined)[] = [];
  readonly #members: Set<number>[] = [];
  /** Per slot * R + resource. */
  readonly #used: (EtsFit | undefined)[] = [];
  #alpha = new Float64Array(0);
  #beta = new Float64Array(0);
  #phi = new Float64Array(0);
  #level = new Float64Array(0);
  #trend = new Float64Array(0);
  readonly #failures: FailedFit[] = [];
  #fitted = 0;
  #failed = 0;
  #tick = -1;

  private constructor(params: EtsParams, ctx: ForecastContext) {
    this.parameters = JSON.stringify(params);
    this.#fleet = ctx.fleet;
    this.#ctx = ctx;
    this.#rows = new Hierarchy(ctx.fleet);
    const ticks = (ms: number): number => Math.max(1, Math.round(ms / ctx.stepMs));
    this.#schedule = new RetrainSchedule(ticks(params.retrainHours * HOUR), params.fitsPerTick);
    this.#window = Math.min(etsHistory(params, ctx.stepMs), ctx.history.depth);
    this.#enough = Math.min(Math.max(MIN_SAMPLES, ticks(params.minDays * DAY)), this.#window);
  }

  static async load(params: EtsParams, ctx: ForecastContext, runtime: AugursRuntime): Promise<Ets> {
    await initEts({ module_or_path: await runtime.wasm('ets') });
    return new Ets(params, ctx);
  }

  grow(capacity: number): void {
    this.#rows.grow(capacity);
    const n = capacity * R;
    this.#alpha = grown(this.#alpha, n);
    this.#beta = grown(this.#beta, n);
    this.#phi = grown(this.#phi, n);
    this.#level = grown(this.#level, n);
    this.#trend = grown(this.#trend, n);
  }

  admit(slot: number): void {
    this.#rows.admit(slot);
    this.#schedule.grow(this.#rows.size);
    while (this.#members.length < this.#rows.size) this.#members.push(new Set());
    this.#members[this.#rows.row[slot]!]!.add(slot);
    this.#level.fill(Number.NaN, slot * R, slot * R + R);
    this.#trend.fill(0, slot * R, slot * R + R);
    for (let r = 0; r < R; r++) this.#use(slot * R + r, this.#fitFor(this.#rows.row[slot]!, r));
  }

  retire(slot: number): void {
    this.#members[this.#rows.row[slot]!]!.delete(slot);
  }

  observe(frame: Frame): void {
    this.#tick = frame.tick;
    const slots = this.#fleet.slots;
    for (let k = 0; k < slots.length; k++) {
      for (let i = slots[k]! * R; i < slots[k]! * R + R; i++) this.#step(i, frame.usage[i]!);
    }
    this.#train(frame.tick);
  }

  /** Moves level and trend by a tick. A lost sample is no error. */
  #step(i: number, y: number): void {
    const sampled = isSample(y);
    const level = this.#level[i]!;
    if (Number.isNaN(level)) {
      if (sampled) this.#level[i] = y;
      return;
    }
    const rise = this.#phi[i]! * this.#trend[i]!;
    const error = sampled ? y - level - rise : 0;
    this.#level[i] = level + rise + this.#alpha[i]! * error;
    this.#trend[i] = rise + this.#beta[i]! * error;
  }

  #train(t: number): void {
    const { history } = this.#ctx;
    for (let row = 0; row < this.#rows.size; row++) {
      if (this.#schedule.isScheduled(row) || !this.#rows.isPair(row)) continue;
      const slot = this.#eldest(row);
      if (slot >= 0 && history.available(slot) >= this.#enough) this.#schedule.start(row, t);
    }
    let changed = false;
    for (const row of this.#schedule.take(t)) {
      const slot = this.#eldest(row);
      if (slot < 0 || history.available(slot) < this.#enough) continue;
      for (let r = 0; r < R; r++) changed = this.#fit(row, slot, r) || changed;
    }
    if (!changed) return;
    for (const slot of this.#fleet.slots) {
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        const fit = this.#fitFor(this.#rows.row[slot]!, r);
        if (fit && fit !== this.#used[i]) {
          this.#use(i, fit);
          this.#replay(slot, r);
        }
      }
    }
  }

  #fit(row: number, slot: number, r: number): boolean {
    const { history } = this.#ctx;
    const n = Math.min(this.#window, history.available(slot));
    const values = history.series(slot, r, this.#tick + 1 - n, this.#tick + 1, new Float64Array(n));
    if (values.every(Number.isNaN)) return false;
    this.#fitted++;
    const fit = fitEts(values);
    if ('failed' in fit) {
      this.#failed++;
      const { failed: reason } = fit;
      this.#failures.push({ ...this.#rows.keys[row]!, resource: RESOURCES[r]!, tick: this.#tick, reason });
      if (this.#failures.length > KEPT_FAILURES) this.#failures.shift();
      return false;
    }
    this.#fits[row * R + r] = fit;
    for (let up = this.#rows.parent[row]!; up >= 0; up = this.#rows.parent[up]!)
      this.#fits[up * R + r] ??= fit;
    this.#use(slot * R + r, fit);
    this.#level[slot * R + r] = fit.level;
    this.#trend[slot * R + r] = fit.trend;
    return true;
  }

  /** The slot of a pair's VM that has run longest; -1 while it has none. */
  #eldest(row: number): number {
    const { since } = this.#fleet;
    let best = -1;
    for (const slot of this.#members[row]!) {
      if (best < 0 || since[slot]! < since[best]! || (since[slot] === since[best] && slot < best))
        best = slot;
    }
    return best;
  }

  #fitFor(row: number, r: number): EtsFit | undefined {
    for (let up = row; up >= 0; up = this.#rows.parent[up]!) {
      const fit = this.#fits[up * R + r];
      if (fit) return fit;
    }
    return undefined;
  }

  #use(i: number, fit: EtsFit | undefined): void {
    const { alpha, beta, phi } = fit ?? AS_NOW;
    this.#used[i] = fit;
    this.#alpha[i] = alpha;
    this.#beta[i] = beta;
    this.#phi[i] = phi;
  }

  /** Level and trend as they would be had the present parameters always been in use. */
  #replay(slot: number, r: number): void {
    const { history } = this.#ctx;
    const i = slot * R + r;
    const before = this.#level[i]!;
    this.#level[i] = Number.NaN;
    this.#trend[i] = 0;
    const n = Math.min(this.#window, history.available(slot));
    for (let tick = this.#tick + 1 - n; tick <= this.#tick; tick++) this.#step(i, history.at(slot, r, tick));
    if (Number.isNaN(this.#level[i]!)) this.#level[i] = before;
  }

  /** Forecasts of steps 1, 2, ..., horizon, to `out` from `offset`. */
  #path(i: number, horizon: number, out: Float64Array, offset: number): void {
    const phi = this.#phi[i]!;
    let rise = this.#trend[i]!;
    let value = this.#level[i]!;
    for (let h = 0; h < horizon; h++) {
      rise *= phi;
      value += rise;
      out[offset + h] = Math.max(0, value);
    }
  }

  peak(slots: Int32Array, horizon: number, _quantile: number, out: Float64Array): void {
    const path = new Float64Array(horizon);
    for (let k = 0; k < slots.length; k++) {
      for (let i = slots[k]! * R; i < slots[k]! * R + R; i++) {
        this.#path(i, horizon, path, 0);
        // Level and a damped trend: the highest is at one of the ends.
        out[i] = Math.max(path[0]!, path[horizon - 1]!);
      }
    }
  }

  /** The point forecast, at every quantile alike. */
  predict(slots: Int32Array, out: ForecastBatch): void {
    const { horizon, quantiles, values } = out;
    for (let k = 0; k < slots.length; k++) {
      for (let r = 0; r < R; r++) {
        const from = out.index(k, r, 0, 0);
        this.#path(slots[k]! * R + r, horizon, values, from);
        for (let q = 1; q < quantiles.length; q++)
          values.copyWithin(from + q * horizon, from, from + horizon);
      }
    }
  }

  health(): TrainingHealth {
    return {
      fits: this.#fitted,
      failures: this.#failed,
      waiting: this.#schedule.waiting(this.#tick),
      refused: [],
      recent: [...this.#failures],
    };
  }

  /** What was estimated is written by row; the window it came from is the one before the next training. */
  saveRow(row: number): SavedState {
    return {
      due: this.#schedule.isScheduled(row) ? this.#schedule.due(row) : null,
      fits: Array.from({ length: R }, (_, r) => this.#fits[row * R + r] ?? null),
    };
  }

  loadRow(row: number, saved: SavedState, tick: number): void {
    const { due, fits } = savedRow.parse(saved);
    this.#tick = Math.max(this.#tick, tick);
    this.#schedule.grow(this.#rows.size);
    if (due !== null) this.#schedule.set(row, due);
    for (let r = 0; r < R; r++) this.#fits[row * R + r] = fits[r] ?? undefined;
  }

  saveSlot(slot: number): SavedState {
    const from = slot * R;
    return {
      level: encodeFloats(this.#level.subarray(from, from + R)),
      trend: encodeFloats(this.#trend.subarray(from, from + R)),
    };
  }

  loadSlot(slot: number, saved: SavedState): void {
    this.#level.set(decodeFloats(saved['level'], R), slot * R);
    this.#trend.set(decodeFloats(saved['trend'], R), slot * R);
    for (let r = 0; r < R; r++) this.#use(slot * R + r, this.#fitFor(this.#rows.row[slot]!, r));
  }

  /** augurs tells no error of the fit, so there is no record of one. */
  trainingOf(): undefined {
    return undefined;
  }
}

const savedRow = z.object({
  due: z.int().nullable(),
  fits: z
    .array(
      z
        .object({
          alpha: z.number(),
          beta: z.number(),
          phi: z.number(),
          level: z.number(),
          trend: z.number(),
        })
        .nullable(),
    )
    .length(R),
});
