import type { Scalar, Tensor, Tensor2D, Tensor3D } from '@tensorflow/tfjs-core';
import { R } from '../../model.ts';
import type { Tf } from '../backend.ts';
import type { Batch } from './batch.ts';
import { pinball, pinballSlopes } from './pinball.ts';
import { CANDIDATES, contextWidth, headShapes, outputWidth, QUANTILES } from './sizes.ts';

const Q = QUANTILES.length;
/**
 * The mixture's weights are kept as a fifth: Adam moves every number at one pace, and shares of 0 to 1 have further
 * to go than the rest.
 */
const PACE = 5;

/** Shares of the candidates in the untrained mixture; what is left falls to the base. */
const BLEND = [0.15, 0.1, 0.2, 0.15, 0.15, 0, 0, 0];

/** The mixture's constant part before training: resource x candidate x quantile x step. */
export function initialMix(horizon: number): Float32Array {
  const path = Q * horizon;
  return Float32Array.from({ length: R * CANDIDATES * path }, (_, i) => {
    return BLEND[Math.floor(i / path) % CANDIDATES]! / PACE;
  });
}

/** Puts weights into the batch's memory, where the passes read them; see `headShapes`. */
export function loadHead(
  { work }: Batch,
  units: Float32Array,
  output: Float32Array,
  mix: Float32Array,
): void {
  work.units.set(units);
  work.output.set(output);
  for (let i = 0; i < mix.length; i++) work.mix[i] = PACE * mix[i]!;
}

/**
 * From the last states of the LSTM (`work.states`, window x hidden) and the context to `paths`, resource by resource:
 * rectified units of both, outputs of the units and the context, and those mix the candidates. A series that stood
 * still all day keeps its base.
 */
export function headForward(batch: Batch): void {
  const { size, work, context, base, live, paths, kernels } = batch;
  const { hidden: width, horizon } = batch.shape;
  const { contexts, wide, path } = widths(batch);
  const { gemm } = kernels;
  for (let r = 0; r < R; r++) {
    if (isStill(batch, r)) continue;
    const rows = r * size;
    const seen = address(context, rows * contexts);
    const units = r * (contexts + width) * width;
    const h = address(work.hidden, rows * width);
    work.hidden.fill(0, rows * width, (rows + size) * width);
    gemm(seen, contexts * 4, 4, address(work.units, units), width * 4, h, width * 4, size, width, contexts);
    const ofStates = address(work.units, units + contexts * width);
    gemm(address(work.states), width * 4, 4, ofStates, width * 4, h, width * 4, size, width, width);
    kernels.rectify(h, size * width);

    const output = r * (width + contexts) * wide;
    const raw = address(work.raw, rows * wide);
    work.raw.fill(0, rows * wide, (rows + size) * wide);
    gemm(h, width * 4, 4, address(work.output, output), wide * 4, raw, wide * 4, size, wide, width);
    const ofContext = address(work.output, output + width * wide);
    gemm(seen, contexts * 4, 4, ofContext, wide * 4, raw, wide * 4, size, wide, contexts);
    kernels.mix(
      address(paths, rows * path),
      address(base, rows * path),
      raw,
      address(batch.unit, rows * Q),
      address(batch.candidates, rows * CANDIDATES * path),
      address(work.mix, r * CANDIDATES * path),
      size,
      horizon,
      path * 4,
      wide * 4,
    );
  }
  for (let k = 0; k < R * size; k++) {
    if (live[k] === 0) paths.set(base.subarray(k * path, (k + 1) * path), k * path);
  }
}

/**
 * From the slopes of the loss in `paths`, which are in their place, to those of the last states and of all weights,
 * in `work`. `headForward` must have been the last to use the batch.
 */
function headBackward(batch: Batch): void {
  const { size, work, context, live, paths, kernels } = batch;
  const { hidden: width, horizon } = batch.shape;
  const { contexts, wide, path } = widths(batch);
  const { gemm } = kernels;
  for (const slopes of [work.dStates, work.dHidden, work.dUnits, work.dOutput, work.dMix]) slopes.fill(0);
  for (let r = 0; r < R; r++) {
    if (isStill(batch, r)) continue;
    const rows = r * size;
    for (let k = rows; k < rows + size; k++) {
      if (live[k] === 0) paths.fill(0, k * path, (k + 1) * path);
      work.raw.fill(0, k * wide + path + CANDIDATES * Q, (k + 1) * wide);
    }
    const raw = address(work.raw, rows * wide);
    kernels.mixBackward(
      address(paths, rows * path),
      address(batch.unit, rows * Q),
      address(batch.candidates, rows * CANDIDATES * path),
      raw,
      address(work.dMix, r * CANDIDATES * path),
      size,
      horizon,
      path * 4,
      wide * 4,
    );
    const seen = address(context, rows * contexts);
    const h = address(work.hidden, rows * width);
    const output = r * (width + contexts) * wide;
    const dOutput = address(work.dOutput, output);
    gemm(h, 4, width * 4, raw, wide * 4, dOutput, wide * 4, width, wide, size);
    const ofContext = dOutput + width * wide * 4;
    gemm(seen, 4, contexts * 4, raw, wide * 4, ofContext, wide * 4, contexts, wide, size);

    const dh = address(work.dHidden, rows * width);
    const transposed = address(work.transposed);
    transpose(work.output, output, width, wide, work.transposed);
    gemm(raw, wide * 4, 4, transposed, width * 4, dh, width * 4, size, width, wide);
    for (let i = rows * width; i < (rows + size) * width; i++) {
      if (work.hidden[i]! <= 0) work.dHidden[i] = 0;
    }
    const units = r * (contexts + width) * width;
    const dUnits = address(work.dUnits, units);
    gemm(seen, 4, contexts * 4, dh, width * 4, dUnits, width * 4, contexts, width, size);
    const ofStates = dUnits + contexts * width * 4;
    gemm(address(work.states), 4, width * 4, dh, width * 4, ofStates, width * 4, width, width, size);
    transpose(work.units, units + contexts * width, width, width, work.transposed);
    const dStates = address(work.dStates);
    gemm(dh, width * 4, 4, transposed, width * 4, dStates, width * 4, size, width, width);
  }
  for (let i = 0; i < work.dMix.length; i++) work.dMix[i]! *= PACE;
}

/** The pinball loss of the batch as one operation on the tape, from the last states and the weights; uses `batch.paths`. */
export function headLoss(
  tf: Tf,
  batch: Batch,
  states: Tensor3D,
  units: Tensor3D,
  output: Tensor3D,
  mix: Tensor2D,
): Scalar {
  const { hidden, horizon } = batch.shape;
  const shapes = headShapes(batch.shape);
  const operation = tf.customGrad((...inputs) => {
    const [h, u, o, m] = (inputs.slice(0, 4) as Tensor[]).map((tensor) => tensor.dataSync<'float32'>());
    batch.work.states.set(h!);
    loadHead(batch, u!, o!, m!);
    headForward(batch);
    const gradFunc = (dy: Tensor) => {
      pinballSlopes(batch, horizon, batch.paths, dy.dataSync<'float32'>()[0]!, batch.paths);
      headBackward(batch);
      const { dStates, dUnits, dOutput, dMix } = batch.work;
      return [
        tf.tensor3d(dStates.slice(), [1, batch.size, hidden]),
        tf.tensor3d(dUnits.slice(), [...shapes.units]),
        tf.tensor3d(dOutput.slice(), [...shapes.output]),
        tf.tensor2d(dMix.slice(), [...shapes.mix]),
      ];
    };
    return { value: tf.scalar(pinball(batch, horizon, batch.paths)), gradFunc: gradFunc as never };
  });
  return operation(states, units, output, mix) as Scalar;
}

function widths({ shape: { horizon } }: Batch) {
  return { contexts: contextWidth(horizon), wide: outputWidth(horizon), path: Q * horizon };
}

/** Whether no window has anything of this resource to forecast. */
function isStill({ live, size }: Batch, r: number): boolean {
  for (let k = r * size; k < (r + 1) * size; k++) if (live[k] !== 0) return false;
  return true;
}

function address(array: Float32Array, index = 0): number {
  return array.byteOffset + 4 * index;
}

function transpose(from: Float32Array, start: number, rows: number, columns: number, to: Float32Array): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) to[j * rows + i] = from[start + i * columns + j]!;
  }
}
