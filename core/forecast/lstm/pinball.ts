import { R } from '../../model.ts';
import type { Batch } from './batch.ts';
import { QUANTILES } from './sizes.ts';

const Q = QUANTILES.length;

/** What a loss is told of a batch. */
export type Judged = Pick<Batch, 'size' | 'target' | 'unit'>;

/**
 * Pinball loss (Koenker & Bassett 1978): the mean over what was seen of windows [from, to), quantiles summed; 0 where
 * nothing was. Each quantile counts by the root of its unit: by the unit itself the bursts of quiet series would
 * drown everything, without it their quiet quantiles would be lost.
 */
export function pinball(
  batch: Judged,
  horizon: number,
  predicted: Float32Array,
  from = 0,
  to = batch.size,
): number {
  const { size, target, unit } = batch;
  let loss = 0;
  let seen = 0;
  for (let r = 0; r < R; r++) {
    for (let k = r * size + from; k < r * size + to; k++) {
      for (let h = 0; h < horizon; h++) if (!Number.isNaN(target[k * horizon + h]!)) seen++;
      for (let q = 0; q < Q; q++) {
        const quantile = QUANTILES[q]!;
        let sum = 0;
        for (let h = 0; h < horizon; h++) {
          const error = target[k * horizon + h]! - predicted[(k * Q + q) * horizon + h]!;
          // Neither, where nothing was seen.
          if (error > 0) sum += quantile * error;
          else if (error < 0) sum += (quantile - 1) * error;
        }
        loss += sum / Math.sqrt(unit[k * Q + q]!);
      }
    }
  }
  return seen > 0 ? loss / seen : 0;
}

/** `pinball` of each window. */
export function pinballByWindow(batch: Judged, horizon: number, predicted: Float32Array): Float64Array {
  return Float64Array.from({ length: batch.size }, (_, b) => pinball(batch, horizon, predicted, b, b + 1));
}

/** The slope of `pinball` in each quantile and step, times `factor`; `out` may be `predicted`. */
export function pinballSlopes(
  batch: Judged,
  horizon: number,
  predicted: Float32Array,
  factor: number,
  out: Float32Array,
): void {
  const { size, target, unit } = batch;
  let seen = 0;
  for (let i = 0; i < target.length; i++) if (!Number.isNaN(target[i]!)) seen++;
  const share = factor / Math.max(1, seen);
  for (let k = 0; k < R * size; k++) {
    for (let q = 0; q < Q; q++) {
      const weight = share / Math.sqrt(unit[k * Q + q]!);
      const above = (1 - QUANTILES[q]!) * weight;
      const below = -QUANTILES[q]! * weight;
      const path = (k * Q + q) * horizon;
      for (let h = 0; h < horizon; h++) {
        const y = target[k * horizon + h]!;
        out[path + h] = Number.isNaN(y) ? 0 : y < predicted[path + h]! ? above : below;
      }
    }
  }
}
