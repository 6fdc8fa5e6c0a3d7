import { R } from '../../model.ts';
import type { Batch } from './batch.ts';
import { QUANTILES } from './statistics.ts';

const Q = QUANTILES.length;

/**
 * Pinball loss (Koenker & Bassett 1978): the mean over what was seen of windows [from, to), quantiles summed; 0 where
 * nothing was. Each quantile counts by the root of its unit: by the unit itself the bursts of quiet series would
 * drown everything, without it their quiet quantiles would be lost.
 */
export function pinball(
  batch: Batch,
  horizon: number,
  predicted: Float32Array,
  from = 0,
  to = batch.size,
): number {
  let loss = 0;
  let seen = 0;
  for (let r = 0; r < R; r++) {
    for (let k = r * batch.size + from; k < r * batch.size + to; k++) {
      for (let h = 0; h < horizon; h++) {
        const y = batch.target[k * horizon + h]!;
        if (Number.isNaN(y)) continue;
        seen++;
        for (let q = 0; q < Q; q++) {
          const error = (y - predicted[(k * Q + q) * horizon + h]!) / Math.sqrt(batch.unit[k * Q + q]!);
          loss += error > 0 ? QUANTILES[q]! * error : (QUANTILES[q]! - 1) * error;
        }
      }
    }
  }
  return seen > 0 ? loss / seen : 0;
}

/** `pinball` of each window. */
export function pinballByWindow(batch: Batch, horizon: number, predicted: Float32Array): Float64Array {
  return Float64Array.from({ length: batch.size }, (_, b) => pinball(batch, horizon, predicted, b, b + 1));
}

/** The slope of `pinball` in each quantile and step, times `factor`; `out` must be zeros. */
export function pinballSlopes(
  batch: Batch,
  horizon: number,
  predicted: Float32Array,
  factor: number,
  out: Float32Array,
): void {
  let seen = 0;
  for (const y of batch.target) if (!Number.isNaN(y)) seen++;
  const share = factor / Math.max(1, seen);
  for (let k = 0; k < R * batch.size; k++) {
    for (let h = 0; h < horizon; h++) {
      const y = batch.target[k * horizon + h]!;
      if (Number.isNaN(y)) continue;
      for (let q = 0; q < Q; q++) {
        const i = (k * Q + q) * horizon + h;
        const slope = y < predicted[i]! ? 1 - QUANTILES[q]! : -QUANTILES[q]!;
        out[i] = (share * slope) / Math.sqrt(batch.unit[k * Q + q]!);
      }
    }
  }
}
