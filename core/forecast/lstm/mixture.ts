import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { R } from '../../model.ts';
import type { Tf } from '../backend.ts';
import { type Batch, CANDIDATES } from './batch.ts';
import { pinball, pinballSlopes } from './pinball.ts';
import { QUANTILES } from './statistics.ts';

const Q = QUANTILES.length;
/**
 * The mixture's weights are kept as a fifth: Adam moves every number at one pace, and shares of 0 to 1 have further
 * to go than the rest.
 */
const PACE = 5;

/** Shares of the candidates in the untrained mixture; what is left falls to the base. */
const BLEND = [0.15, 0.1, 0.2, 0.15, 0.15, 0, 0, 0];

/** Outputs of the network a resource: a correction of each quantile and step, and the shift of the mixture. */
export function outputWidth(horizon: number): number {
  return Q * horizon + CANDIDATES * Q;
}

/**
 * Quantile paths, row x quantile x step in units of the row's scale, from the network's outputs `raw` (row x
 * outputWidth) and the mixture's constant part (resource x candidate x quantile x step):
 *
 *     base + sum over j of (mix_j + raw_j) candidate_j + unit x raw
 *
 * A series that stood still all day keeps its base.
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
          out[k * path + i]! += (PACE * mix[mixAt + j * path + i]! + shift) * candidates[from + i]!;
        }
      }
    }
  }
}

/** The mixture's constant part before training: resource x candidate x quantile x step. */
export function initialMix(horizon: number): Float32Array {
  const path = Q * horizon;
  return Float32Array.from({ length: R * CANDIDATES * path }, (_, i) => {
    return BLEND[Math.floor(i / path) % CANDIDATES]! / PACE;
  });
}

/** Pinball loss of the mixed quantiles as one tensor operation; `predicted` receives the quantile paths. */
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
              dMix[mixAt + j * path + i]! += PACE * d;
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
