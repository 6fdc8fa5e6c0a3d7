import { R } from '../../model.ts';

/** The quantiles the network is trained on, ascending; others are read off between them. */
export const QUANTILES: readonly number[] = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99];
/** Inputs a step: usage and mask of each resource, time of day and of week, and the constant of the bias. */
export const INPUTS = 2 * R + 4 + 1;
/** Forecasts that the network weighs against the base; see `Features.#candidates`. */
export const CANDIDATES = 8;
/** Candidates are cut to so many scales, targets to twice as many. */
export const LIMIT = 10;
/** The greatest values are rare and large: at full weight their share of a forecast learns too fast. */
export const RARE = 0.25;
/** Ticks of the recent past that the context holds one by one. */
export const LAGS = 24;

/** Numbers of context a resource: what `Features.#context` writes. */
export function contextWidth(horizon: number): number {
  return LAGS - 1 + horizon + 1 + 4 + 3 * QUANTILES.length + 2 + 2 + 8 + 2 + 1;
}

/**
 * Outputs of the network a resource: a correction of each quantile and step, the shift of the mixture, and what is left
 * to a multiple of 8, which the kernels take and nothing reads.
 */
export function outputWidth(horizon: number): number {
  return Math.ceil(((horizon + CANDIDATES) * QUANTILES.length) / 8) * 8;
}

/** What fixes the shapes of all weights. */
export interface NetworkShape {
  /** Steps that the LSTM reads back. */
  readonly steps: number;
  /** A multiple of 8. */
  readonly hidden: number;
  /** A multiple of 4. */
  readonly horizon: number;
}

/** The global network's head: layers of each resource's own, and the mixture's constant part. */
export function headShapes({ hidden, horizon }: NetworkShape) {
  const context = contextWidth(horizon);
  return {
    units: [R, context + hidden, hidden],
    output: [R, hidden + context, outputWidth(horizon)],
    mix: [R * CANDIDATES, QUANTILES.length * horizon],
  } as const;
}

/** Numbers in a tensor of that shape. */
export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}
