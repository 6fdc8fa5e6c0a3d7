import type { Tensor3D } from '@tensorflow/tfjs-core';
import type { Tf } from '../backend.ts';
import { createKernels, type Kernels, type Memory } from './kernels.ts';

/**
 * Shape of a batched LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000): `groups`
 * models with weights of their own, trained side by side; 1 for a single one.
 */
export interface SequenceShape {
  readonly groups: number;
  /** Windows in each group. */
  readonly batch: number;
  readonly steps: number;
  /** Numbers a step; one of them is the constant 1 that carries the bias. */
  readonly inputs: number;
  /** A multiple of 8. */
  readonly hidden: number;
}

/** Numbers in the weights: group x (inputs + hidden) x [i | f | g | o] of `hidden` each. */
export function weightShape(shape: Omit<SequenceShape, 'batch' | 'steps'>): [number, number, number] {
  return [shape.groups, shape.inputs + shape.hidden, 4 * shape.hidden];
}

/**
 * The whole sequence as one operation: `x` (step x group x window x input) and weights to the last hidden state
 * (group x window x hidden). A graph of plain operations spends its time on thousands of calls for small
 * matrices and on the tape (see docs/lstm.md); here the forward and the backward pass are two calls that run
 * on SIMD kernels. Made for training and for inference alike, one workspace each.
 */
export class Sequence {
  readonly #kernels: Kernels;
  readonly #memory: Memory;
  #floats: Float32Array;
  #layout: Layout | undefined;
  /** Counts forward passes: a backward pass is good only for the last one. */
  #pass = 0;

  constructor() {
    const { memory, kernels } = createKernels();
    this.#memory = memory;
    this.#kernels = kernels;
    this.#floats = new Float32Array(memory.buffer);
  }

  /** Runs forward only, in memory that does not grow with `steps`. Returns a view, good until the next call. */
  infer(shape: SequenceShape, x: Float32Array, weights: Float32Array): Float32Array {
    return this.#forward(shape, x, weights, false);
  }

  /** As a tensor operation on the tape: gradients flow to `weights`; `x` is data. */
  apply(tf: Tf, shape: SequenceShape, x: Float32Array, weights: Tensor3D): Tensor3D {
    const operation = tf.customGrad((w) => {
      const h = this.#forward(shape, x, (w as Tensor3D).dataSync<'float32'>(), true);
      const pass = this.#pass;
      const value = tf.tensor3d(h.slice(), [shape.groups, shape.batch, shape.hidden]);
      const gradFunc = (dy: Tensor3D) => {
        if (pass !== this.#pass) throw new Error('a later forward pass has taken the workspace');
        return [tf.tensor3d(this.#backward(shape, dy.dataSync<'float32'>()).slice(), weightShape(shape))];
      };
      return { value, gradFunc: gradFunc as never };
    });
    return operation(weights) as Tensor3D;
  }

  #forward(shape: SequenceShape, x: Float32Array, weights: Float32Array, keep: boolean): Float32Array {
    const { groups, batch, steps, inputs, hidden } = shape;
    const at = this.#reserve(shape, keep);
    const floats = this.#floats;
    const width = inputs + hidden;
    const row = width * 4;
    const { gemm, gates } = this.#kernels;
    this.#pass++;
    floats.set(weights, at.weights);
    for (let group = 0; group < groups; group++) {
      const w = (at.weights + group * width * 4 * hidden) * 4;
      clearState(floats, at.xh(group, 0), batch, inputs, hidden);
      floats.fill(0, at.c(group, 0), at.c(group, 0) + batch * hidden);
      for (let step = 0; step < steps; step++) {
        const xh = at.xh(group, step);
        const z = at.z(group, step);
        copyInputs(floats, xh, width, x, (step * groups + group) * batch * inputs, batch, inputs);
        floats.fill(0, z, z + batch * 4 * hidden);
        gemm(xh * 4, row, 4, w, hidden * 16, z * 4, hidden * 16, batch, 4 * hidden, width);
        const h = step + 1 < steps ? at.xh(group, step + 1) + inputs : at.out + group * batch * hidden;
        const hRow = step + 1 < steps ? row : hidden * 4;
        const c = at.c(group, step + 1);
        gates(z * 4, at.c(group, step) * 4, c * 4, at.tanhC(group, step) * 4, h * 4, hRow, batch, hidden);
      }
    }
    return floats.subarray(at.out, at.out + groups * batch * hidden);
  }

  /** Gradient of the weights for the gradient `dy` of the last hidden states. Overwrites the kept gates. */
  #backward(shape: SequenceShape, dy: Float32Array): Float32Array {
    const { groups, batch, steps, inputs, hidden } = shape;
    const at = this.#layout!;
    const floats = this.#floats;
    const width = inputs + hidden;
    const size = width * 4 * hidden;
    const { gemm, gatesBackward } = this.#kernels;
    floats.fill(0, at.gradient, at.gradient + groups * size);
    for (let group = 0; group < groups; group++) {
      const w = at.weights + group * size;
      const gradient = (at.gradient + group * size) * 4;
      transpose(floats, w + inputs * 4 * hidden, hidden, 4 * hidden, at.transposed);
      floats.set(dy.subarray(group * batch * hidden, (group + 1) * batch * hidden), at.dh);
      floats.fill(0, at.dc, at.dc + batch * hidden);
      for (let step = steps - 1; step >= 0; step--) {
        const z = at.z(group, step) * 4;
        const xh = at.xh(group, step) * 4;
        gatesBackward(
          z,
          at.c(group, step) * 4,
          at.tanhC(group, step) * 4,
          at.dh * 4,
          at.dc * 4,
          batch,
          hidden,
        );
        gemm(xh, 4, width * 4, z, hidden * 16, gradient, hidden * 16, width, 4 * hidden, batch);
        if (step === 0) break;
        floats.fill(0, at.dh, at.dh + batch * hidden);
        gemm(
          z,
          hidden * 16,
          4,
          at.transposed * 4,
          hidden * 4,
          at.dh * 4,
          hidden * 4,
          batch,
          hidden,
          4 * hidden,
        );
      }
    }
    return floats.subarray(at.gradient, at.gradient + groups * size);
  }

  #reserve(shape: SequenceShape, keep: boolean): Layout {
    if (this.#layout?.fits(shape, keep)) return this.#layout;
    if (shape.hidden % 8 !== 0) throw new RangeError(`hidden must be a multiple of 8, not ${shape.hidden}`);
    const layout = new Layout(shape, keep);
    const missing = layout.length * 4 - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / 65536));
      this.#floats = new Float32Array(this.#memory.buffer);
    }
    this.#layout = layout;
    return layout;
  }
}

/** Where everything lies in the workspace, as indices of floats. Without `keep` all steps share one place. */
class Layout {
  readonly weights: number;
  readonly transposed: number;
  readonly gradient: number;
  readonly out: number;
  readonly dh: number;
  readonly dc: number;
  readonly length: number;
  readonly #shape: SequenceShape;
  readonly #keep: boolean;
  readonly #xh: number;
  readonly #z: number;
  readonly #c: number;
  readonly #tanhC: number;

  constructor(shape: SequenceShape, keep: boolean) {
    const { groups, batch, steps, inputs, hidden } = shape;
    this.#shape = shape;
    this.#keep = keep;
    const states = batch * hidden;
    const size = (inputs + hidden) * 4 * hidden;
    let next = 0;
    const take = (count: number) => {
      const start = next;
      // Whole cache lines.
      next += Math.ceil(count / 16) * 16;
      return start;
    };
    this.weights = take(groups * size);
    this.transposed = take(keep ? 4 * hidden * hidden : 0);
    this.gradient = take(keep ? groups * size : 0);
    this.out = take(groups * states);
    this.dh = take(keep ? states : 0);
    this.dc = take(keep ? states : 0);
    this.#xh = take((keep ? groups * steps : 2) * batch * (inputs + hidden));
    this.#z = take((keep ? groups * steps : 1) * 4 * states);
    this.#c = take((keep ? groups * (steps + 1) : 2) * states);
    this.#tanhC = take((keep ? groups * steps : 1) * states);
    this.length = next;
  }

  fits(shape: SequenceShape, keep: boolean): boolean {
    const mine = this.#shape;
    return (
      keep === this.#keep &&
      shape.groups === mine.groups &&
      shape.batch === mine.batch &&
      shape.steps === mine.steps &&
      shape.inputs === mine.inputs &&
      shape.hidden === mine.hidden
    );
  }

  xh(group: number, step: number): number {
    const { batch, steps, inputs, hidden } = this.#shape;
    return this.#xh + (this.#keep ? group * steps + step : step % 2) * batch * (inputs + hidden);
  }

  z(group: number, step: number): number {
    const { batch, steps, hidden } = this.#shape;
    return this.#z + (this.#keep ? group * steps + step : 0) * 4 * batch * hidden;
  }

  c(group: number, step: number): number {
    const { batch, steps, hidden } = this.#shape;
    return this.#c + (this.#keep ? group * (steps + 1) + step : step % 2) * batch * hidden;
  }

  tanhC(group: number, step: number): number {
    const { batch, steps, hidden } = this.#shape;
    return this.#tanhC + (this.#keep ? group * steps + step : 0) * batch * hidden;
  }
}

function clearState(floats: Float32Array, xh: number, batch: number, inputs: number, hidden: number): void {
  for (let b = 0; b < batch; b++) {
    const start = xh + b * (inputs + hidden) + inputs;
    floats.fill(0, start, start + hidden);
  }
}

function copyInputs(
  floats: Float32Array,
  xh: number,
  width: number,
  x: Float32Array,
  from: number,
  batch: number,
  inputs: number,
): void {
  for (let b = 0; b < batch; b++) {
    for (let i = 0; i < inputs; i++) floats[xh + b * width + i] = x[from++]!;
  }
}

function transpose(floats: Float32Array, from: number, rows: number, columns: number, to: number): void {
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) floats[to + c * rows + r] = floats[from + r * columns + c]!;
  }
}

/**
 * The same sequence as a graph of plain TensorFlow.js operations: what the kernels are checked against, on
 * every backend.
 */
export function plainSequence(tf: Tf, shape: SequenceShape, x: Float32Array, weights: Tensor3D): Tensor3D {
  const { groups, batch, steps, inputs, hidden } = shape;
  const all = tf.tensor4d(x, [steps, groups, batch, inputs]);
  let h = tf.zeros([groups, batch, hidden]) as Tensor3D;
  let c = h;
  for (let step = 0; step < steps; step++) {
    const xt = tf.reshape(tf.slice(all, [step, 0, 0, 0], [1, groups, batch, inputs]), [
      groups,
      batch,
      inputs,
    ]);
    const z = tf.matMul(tf.concat([xt as Tensor3D, h], 2), weights);
    const [i, f, g, o] = tf.split(z, 4, 2) as [Tensor3D, Tensor3D, Tensor3D, Tensor3D];
    c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
    h = tf.mul(tf.sigmoid(o), tf.tanh(c));
  }
  return h;
}
