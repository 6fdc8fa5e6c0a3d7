import type { Fleet } from '../fleet.ts';
import type { History } from '../history.ts';
import type { Frame, PerSlot } from '../model.ts';
import { R } from '../model.ts';

/** What a forecaster is given when it is made. `history` holds the frame of the tick being observed. */
export interface ForecastContext {
  readonly fleet: Fleet;
  readonly history: History;
  /** Length of a tick, ms. */
  readonly stepMs: number;
  /** Time of tick 0, ms since the Unix epoch (UTC): calendar features are computed from it. */
  readonly epochMs: number;
  readonly seed: number;
}

/**
 * Forecasts usage for a whole fleet. After `observe(t)`, step h = 1..horizon is the usage of tick t + h.
 * Every number that leaves is finite and >= 0, and quantiles never cross.
 */
export interface Forecaster extends PerSlot {
  readonly name: string;
  /** Tensor backend that computes, where one does. */
  readonly backend?: string;
  /** Takes in the frame of a tick, once a tick, after `history.append`. May retrain; the tick waits for it. */
  observe(frame: Frame): void | Promise<void>;
  /**
   * The hot path: for each slot and resource, the largest `quantile` forecast over steps 1..horizon, written to
   * `out[slot * R + r]`. NaN where the forecaster has nothing to say yet (no sample was ever seen).
   * @param only the one resource that is asked for; what stands in `out` for others is then undefined
   */
  peak(slots: Int32Array, horizon: number, quantile: number, out: Float64Array, only?: number): void;
  /** Whole paths, for the API, reports and backtests. */
  predict(slots: Int32Array, out: ForecastBatch): void;
}

/** Forecast paths of `count` VMs: values[((k * R + r) * Q + q) * H + h], NaN where nothing can be said. */
export class ForecastBatch {
  readonly count: number;
  readonly horizon: number;
  readonly quantiles: readonly number[];
  readonly values: Float64Array;

  /** @param quantiles ascending, each in (0, 1); .5 is the point forecast */
  constructor(count: number, horizon: number, quantiles: readonly number[]) {
    this.count = count;
    this.horizon = horizon;
    this.quantiles = quantiles;
    this.values = new Float64Array(count * R * quantiles.length * horizon);
  }

  index(k: number, resource: number, q: number, step: number): number {
    return ((k * R + resource) * this.quantiles.length + q) * this.horizon + step;
  }
}
