import type { Scalar, Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import { R } from '../../model.ts';
import type { Tf } from '../backend.ts';
import type { Batch } from './batch.ts';
import { pinball, pinballSlopes } from './pinball.ts';
import { QUANTILES } from './sizes.ts';

const Q = QUANTILES.length;

/** Outputs of a personal model a window: for each resource and quantile a constant and a slope over the steps. */
export const PERSONAL_OUTPUTS = R * Q * 2;

/**
 * Adds personal outputs to quantile paths (row x quantile x step): those of row w of `outputs` (PERSONAL_OUTPUTS each)
 * to window `windows[w]`, or to window w, in units of the quantile.
 */
export function addPersonal(
  batch: Pick<Batch, 'size' | 'live' | 'unit' | 'target'>,
  horizon: number,
  windows: ArrayLike<number> | undefined,
  outputs: Float32Array,
  paths: Float32Array,
): void {
  const path = Q * horizon;
  const count = windows ? windows.length : batch.size;
  for (let w = 0; w < count; w++) {
    for (let r = 0; r < R; r++) {
      const k = r * batch.size + (windows ? windows[w]! : w);
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

/** Pinball loss of `global` paths with personal outputs (group x window x PERSONAL_OUTPUTS) added, as an operation. */
export function personalLoss(
  tf: Tf,
  batch: Pick<Batch, 'size' | 'live' | 'unit' | 'target'>,
  horizon: number,
  global: Float32Array,
  outputs: Tensor3D,
  predicted: Float32Array,
): Scalar {
  const path = Q * horizon;
  const operation = tf.customGrad((tensor) => {
    predicted.set(global);
    addPersonal(batch, horizon, undefined, (tensor as Tensor).dataSync<'float32'>(), predicted);
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
