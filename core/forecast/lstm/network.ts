import type { Scalar, Tensor2D, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import { R } from '../../model.ts';
import type { Rng } from '../../rng.ts';
import type { Tf } from '../backend.ts';
import { type Batch, CANDIDATES, contextWidth, INPUTS } from './batch.ts';
import { initialMix, mixQuantiles, mixtureLoss, outputWidth } from './mixture.ts';
import { Product } from './product.ts';
import { Sequence, type SequenceShape, weightShape } from './sequence.ts';
import { QUANTILES } from './statistics.ts';

/** What fixes the shapes of all weights. */
export interface NetworkShape {
  /** Steps that the LSTM reads back. */
  readonly steps: number;
  readonly hidden: number;
  readonly horizon: number;
}

/** Weights by name, in a fixed order; see `globalShapes` and `personalShapes`. */
export type Weights = Readonly<Record<string, Float32Array>>;
export type Shapes = Readonly<Record<string, readonly number[]>>;
export type Variables = Readonly<Record<string, Variable>>;

/**
 * The global network, one for all VMs: the LSTM's last state beside the context go through a layer of rectified
 * units, and with the context itself to the quantile head, with weights of each resource's own.
 */
export function globalShapes({ hidden, horizon }: NetworkShape): Shapes {
  const context = contextWidth(horizon);
  return {
    lstm: weightShape({ groups: 1, inputs: INPUTS, hidden }),
    units: [R, context + hidden, hidden],
    output: [R, hidden + context, outputWidth(horizon)],
    mix: [R * CANDIDATES, QUANTILES.length * horizon],
  };
}

/** Drawn so that the untrained network forecasts a plain blend: its head is 0, the forget gates are open. */
export function initialWeights(shape: NetworkShape, rng: Rng): Weights {
  const shapes = globalShapes(shape);
  return {
    lstm: initialLstm(rng, 1, shape.hidden),
    units: uniform(rng, shapes['units']!, contextWidth(shape.horizon) + 2 * shape.hidden),
    output: new Float32Array(count(shapes['output']!)),
    mix: initialMix(shape.horizon),
  };
}

/** Uniform by Glorot & Bengio (2010); the bias of the forget gate is 1 (Jozefowicz et al. 2015). */
export function initialLstm(rng: Rng, groups: number, hidden: number): Float32Array {
  const [, rows, columns] = weightShape({ groups, inputs: INPUTS, hidden });
  const weights = uniform(rng, [groups, rows, columns], INPUTS + hidden);
  for (let group = 0; group < groups; group++) {
    const bias = (group * rows + INPUTS - 1) * columns;
    weights.fill(0, bias, bias + columns);
    weights.fill(1, bias + hidden, bias + 2 * hidden);
  }
  return weights;
}

/** Runs the global network: forward for forecasts, with the tape for training. Holds the workspaces. */
export class Network {
  readonly shape: NetworkShape;
  readonly #tf: Tf;
  readonly #training = new Sequence();
  readonly #inference = new Sequence();
  readonly #product = new Product();

  constructor(tf: Tf, shape: NetworkShape) {
    this.#tf = tf;
    this.shape = shape;
  }

  /** Quantile paths of the batch, row x quantile x step, in units of the rows' scales. */
  forecast(batch: Batch, weights: Weights, out: Float32Array): void {
    const tf = this.#tf;
    const { hidden, horizon } = this.shape;
    tf.tidy(() => {
      const states = this.#inference.infer(this.#sequenceShape(batch), batch.x, weights['lstm']!);
      const shapes = globalShapes(this.shape);
      const tensor = (name: string) => tf.tensor3d(weights[name]!, shapes[name] as [number, number, number]);
      const h = tf.tensor3d(states.slice(), [1, batch.size, hidden]);
      const raw = this.#head(batch, h, tensor('units'), tensor('output'));
      mixQuantiles(batch, horizon, raw.dataSync<'float32'>(), weights['mix']!, out);
    });
  }

  /** The loss of the batch, to be differentiated in `variables`; `predicted` receives the paths. */
  loss(batch: Batch, variables: Variables, predicted: Float32Array): Scalar {
    const tf = this.#tf;
    const lstm = variables['lstm'] as unknown as Tensor3D;
    const h = this.#training.apply(tf, this.#sequenceShape(batch), batch.x, lstm);
    const units = variables['units'] as unknown as Tensor3D;
    const raw = this.#head(batch, h, units, variables['output'] as unknown as Tensor3D);
    const mix = variables['mix'] as unknown as Tensor2D;
    return mixtureLoss(tf, batch, this.shape.horizon, raw, mix, predicted);
  }

  #head(batch: Batch, h: Tensor3D, units: Tensor3D, output: Tensor3D): Tensor3D {
    const tf = this.#tf;
    const context = tf.tensor3d(batch.context, [R, batch.size, contextWidth(this.shape.horizon)]);
    const states = tf.concat(new Array<Tensor3D>(R).fill(h), 0);
    const u = tf.relu(this.#product.apply(tf, tf.concat([context, states], 2), units));
    return this.#product.apply(tf, tf.concat([u, context], 2), output);
  }

  #sequenceShape(batch: Batch): SequenceShape {
    const { steps, hidden } = this.shape;
    return { groups: 1, batch: batch.size, steps, inputs: INPUTS, hidden };
  }
}

/** Numbers in a tensor of that shape. */
export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Makes variables of weights; the caller disposes of them. */
export function toVariables(tf: Tf, weights: Weights, shapes: Shapes): Variables {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => [
      name,
      tf.tidy(() => tf.variable(tf.tensor(weights[name]!, [...shape]))),
    ]),
  );
}

function uniform(rng: Rng, shape: readonly number[], fanInOut: number): Float32Array {
  const limit = Math.sqrt(6 / fanInOut);
  return Float32Array.from({ length: count(shape) }, () => (rng.uniform() * 2 - 1) * limit);
}
