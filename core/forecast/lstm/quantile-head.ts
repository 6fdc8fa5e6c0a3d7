import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { R } from '../../model.ts';
import type { Tf } from '../backend.ts';
import { type Batch, CANDIDATES } from './features.ts';
import { QUANTILES } from './statistics.ts';

const Q = QUANTILES.length;
export const MIX_RATE = 5;

/** Outputs of the network a resource: a correction of each quantile and step, and the shift of the mixture. */
export function outputWidth(horizon: number): number {
  return Q * horizon + CANDIDATES * Q;
}

/** Outputs of a personal model a window: for each resource and quantile a constant and a slope over the steps. */
export const PERSONAL_OUTPUTS = R * Q * 2;

/**
 * Quantile paths, row x quantile x step in units of the row's scale, from the network's outputs `raw` (row x
 * outputWidth) and the mixture's constant part (resource x candidate x quantile x step):
 *
 *     base + sum over j of (mix_j + raw_j) candidate_j + liveliness x raw
 */
export function mixQuantiles(
  batch: Batch,
  horizon: number,
  raw: Float32Array,
  mix: Float32Array,
  out: Float32Array,
): void {
  const path = Q * horizon;
  const width = outputWidth(horizon);
  const { base, candidates, unit, live, size } = batch;
  for (let k = 0; k < R * size; k++) {
    if (live[k] === 0) {
      for (let i = 0; i < path; i++) out[k * path + i] = base[k * path + i]!;
      continue;
    }
    for (let q = 0; q < Q; q++) {
      for (let i = q * horizon; i < (q + 1) * horizon; i++) {
        out[k * path + i] = base[k * path + i]! + unit[k * Q + q]! * raw[k * width + i]!;
      }
    }
    const mixAt = Math.floor(k / size) * CANDIDATES * path;
    for (let j = 0; j < CANDIDATES; j++) {
      const from = (k * CANDIDATES + j) * path;
      for (let q = 0; q < Q; q++) {
        const shift = raw[k * width + path + j * Q + q]!;
        for (let h = 0; h < horizon; h++) {
          const i = q * horizon + h;
          out[k * path + i]! += (MIX_RATE * mix[mixAt + j * path + i]! + shift) * candidates[from + i]!;
        }
      }
    }
  }
}

/**
 * Pinball loss (Koenker & Bassett 1978) of the mixed quantiles as one tensor operation: the mean over what was
 * seen, all quantiles summed. `predicted` receives the quantile paths.
 */
export function mixtureLoss(
  tf: Tf,
  batch: Batch,
  horizon: number,
  raw: Tensor3D,
  mix: Tensor2D,
  predicted: Float32Array,
): Scalar {
  const path = Q * horizon;
  const width = outputWidth(horizon);
  const operation = tf.customGrad((rawTensor, mixTensor) => {
    const rawValues = (rawTensor as Tensor).dataSync<'float32'>();
    const mixValues = (mixTensor as Tensor).dataSync<'float32'>();
    mixQuantiles(batch, horizon, rawValues, mixValues, predicted);
    const gradFunc = (dy: Tensor) => {
      const slopes = new Float32Array(R * batch.size * path);
      pinballSlopes(batch, horizon, predicted, dy.dataSync<'float32'>()[0]!, slopes);
      const dRaw = new Float32Array(rawValues.length);
      const dMix = new Float32Array(mixValues.length);
      for (let k = 0; k < R * batch.size; k++) {
        if (batch.live[k] === 0) continue;
        for (let q = 0; q < Q; q++) {
          for (let i = q * horizon; i < (q + 1) * horizon; i++) {
            dRaw[k * width + i] = batch.unit[k * Q + q]! * slopes[k * path + i]!;
          }
        }
        const mixAt = Math.floor(k / batch.size) * CANDIDATES * path;
        for (let j = 0; j < CANDIDATES; j++) {
          const from = (k * CANDIDATES + j) * path;
          for (let q = 0; q < Q; q++) {
            let shift = 0;
            for (let h = 0; h < horizon; h++) {
              const i = q * horizon + h;
              const d = slopes[k * path + i]! * batch.candidates[from + i]!;
              dMix[mixAt + j * path + i]! += MIX_RATE * d;
              shift += d;
            }
            dRaw[k * width + path + j * Q + q] = shift;
          }
        }
      }
      return [tf.tensor3d(dRaw, raw.shape), tf.tensor2d(dMix, mix.shape)];
    };
    return { value: tf.scalar(pinball(batch, horizon, predicted)), gradFunc: gradFunc as never };
  });
  return operation(raw, mix) as Scalar;
}

/** Adds the personal models' outputs (window x PERSONAL_OUTPUTS) to the paths of windows `first`... */
export function addPersonal(
  batch: Batch,
  horizon: number,
  windows: ArrayLike<number>,
  outputs: Float32Array,
  paths: Float32Array,
): void {
  const path = Q * horizon;
  for (let w = 0; w < windows.length; w++) {
    for (let r = 0; r < R; r++) {
      const k = r * batch.size + windows[w]!;
      for (let q = 0; q < Q; q++) {
        const unit = batch.live[k]! * batch.unit[k * Q + q]!;
        const at = w * PERSONAL_OUTPUTS + (r * Q + q) * 2;
        for (let h = 0; h < horizon; h++) {
          const step = (h + 1) / horizon;
          paths[k * path + q * horizon + h]! += unit * (outputs[at]! + step * outputs[at + 1]!);
        }
      }
    }
  }
}

/** Pinball loss of global paths with personal outputs (group x window x PERSONAL_OUTPUTS) added; see above. */
export function personalLoss(
  tf: Tf,
  batch: Batch,
  horizon: number,
  global: Float32Array,
  outputs: Tensor3D,
  predicted: Float32Array,
): Scalar {
  const path = Q * horizon;
  const windows = Array.from({ length: batch.size }, (_, i) => i);
  const operation = tf.customGrad((tensor) => {
    predicted.set(global);
    addPersonal(batch, horizon, windows, (tensor as Tensor).dataSync<'float32'>(), predicted);
    const gradFunc = (dy: Tensor) => {
      const slopes = new Float32Array(R * batch.size * path);
      pinballSlopes(batch, horizon, predicted, dy.dataSync<'float32'>()[0]!, slopes);
      const gradient = new Float32Array(batch.size * PERSONAL_OUTPUTS);
      for (let w = 0; w < batch.size; w++) {
        for (let r = 0; r < R; r++) {
          const k = r * batch.size + w;
          for (let q = 0; q < Q; q++) {
            const unit = batch.live[k]! * batch.unit[k * Q + q]!;
            const at = w * PERSONAL_OUTPUTS + (r * Q + q) * 2;
            for (let h = 0; h < horizon; h++) {
              const d = unit * slopes[k * path + q * horizon + h]!;
              gradient[at]! += d;
              gradient[at + 1]! += (d * (h + 1)) / horizon;
            }
          }
        }
      }
      return [tf.tensor3d(gradient, outputs.shape)];
    };
    return { value: tf.scalar(pinball(batch, horizon, predicted)), gradFunc: gradFunc as never };
  });
  return operation(outputs) as Scalar;
}

/** Mean pinball loss over what was seen of windows [from, to), quantiles summed; 0 where nothing was. */
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
          const error = (y - predicted[(k * Q + q) * horizon + h]!) / weightUnit(batch, k, q);
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

/** The slope of `pinball` in each quantile and step, times `factor`. */
function pinballSlopes(
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
        out[i] = (share / weightUnit(batch, k, q)) * (y < predicted[i]! ? 1 - QUANTILES[q]! : -QUANTILES[q]!);
      }
    }
  }
}

function weightUnit(batch: Batch, k: number, q: number): number {
  return Math.sqrt(batch.unit[k * Q + q]!);
}
