import { R } from '../../model.ts';
import { QUANTILES } from './statistics.ts';

const Q = QUANTILES.length;

/** Inputs a step: usage and mask of each resource, time of day and of week, and the constant of the bias. */
export const INPUTS = 2 * R + 4 + 1;
/** Forecasts that the network weighs against the base; see `Features.#candidates`. */
export const CANDIDATES = 8;
/** Ticks of the recent past that the context holds one by one. */
export const LAGS = 24;

/** Numbers of context a resource: what `Features.#context` writes. */
export function contextWidth(horizon: number): number {
  return LAGS - 1 + horizon + 1 + 4 + 3 * Q + 2 + 2 + 8 + 2 + 1;
}

/**
 * A batch of windows, reused from call to call. Except for `x`, rows are resource x window; numbers are in units
 * of the row's `scale`, relative to its `last` value.
 */
export class Batch {
  readonly size: number;
  /** step x window x INPUTS */
  readonly x: Float32Array;
  /** row x contextWidth */
  readonly context: Float32Array;
  /** Forecast of the last value with the residual quantiles of the last day: row x quantile x step. */
  readonly base: Float32Array;
  /** Other forecasts, less the base: row x CANDIDATES x quantile x step. */
  readonly candidates: Float32Array;
  /** What came: row x step, NaN where nothing was seen. */
  readonly target: Float32Array;
  readonly last: Float64Array;
  /** In the resource's unit; NaN while it was never seen. */
  readonly scale: Float64Array;
  /** Size of the movements to expect about each quantile, as a share of `scale`: row x quantile. */
  readonly unit: Float32Array;
  /** 0 for a series that stood still all the last day, else 1. */
  readonly live: Float32Array;

  constructor(size: number, steps: number, horizon: number) {
    const rows = R * size;
    this.size = size;
    this.x = new Float32Array(steps * size * INPUTS);
    this.context = new Float32Array(rows * contextWidth(horizon));
    this.base = new Float32Array(rows * Q * horizon);
    this.candidates = new Float32Array(rows * CANDIDATES * Q * horizon);
    this.target = new Float32Array(rows * horizon);
    this.last = new Float64Array(rows);
    this.scale = new Float64Array(rows);
    this.unit = new Float32Array(rows * Q);
    this.live = new Float32Array(rows);
  }
}
