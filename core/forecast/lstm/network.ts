import type { Scalar, Tensor2D, Tensor3D, Variable } from '@tensorflow/tfjs-core';
import type { Rng } from '../../rng.ts';
import type { Tf } from '../backend.ts';
import type { Batch } from './batch.ts';
import { headForward, headLoss, initialMix, loadHead } from './head.ts';
import { Sequence, type SequenceShape, weightShape } from './sequence.ts';
import { contextWidth, count, headShapes, INPUTS, type NetworkShape } from './sizes.ts';

/** Weights by name, in a fixed order; see `globalShapes` and `personalShapes`. */
export type Weights = Readonly<Record<string, Float32Array>>;
export type Shapes = Readonly<Record<string, readonly number[]>>;
export type Variables = Readonly<Record<string, Variable>>;

/**
 * The global network, one for all VMs: the LSTM's last state beside the context go through a layer of rectified
 * units, and with the context itself to the quantile head, with weights of each resource's own.
 */
export function globalShapes(shape: NetworkShape): Shapes {
  return { lstm: weightShape({ groups: 1, inputs: INPUTS, hidden: shape.hidden }), ...headShapes(shape) };
}

/** Drawn so that the untrained network forecasts a plain blend: its head is 0, the forget gates are open. */
export function initialWeights(shape: NetworkShape, rng: Rng): Weights {
  const { units, output } = headShapes(shape);
  return {
    lstm: initialLstm(rng, 1, shape.hidden),
    units: uniform(rng, units, contextWidth(shape.horizon) + 2 * shape.hidden),
    output: new Float32Array(count(output)),
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

/** Runs the global network: forward for forecasts, with the tape for training. Holds the LSTM's workspaces. */
export class Network {
  readonly shape: NetworkShape;
  readonly #tf: Tf;
  readonly #training = new Sequence();
  readonly #inference = new Sequence();
  /** Weights in the memory of each batch that was forecast. */
  readonly #loaded = new WeakMap<Batch, Weights>();

  constructor(tf: Tf, shape: NetworkShape) {
    this.#tf = tf;
    this.shape = shape;
  }

  /** Writes the quantile paths of the batch, in units of the rows' scales. `weights` must not change. */
  forecast(batch: Batch, weights: Weights): void {
    if (this.#loaded.get(batch) !== weights) {
      loadHead(batch, weights['units']!, weights['output']!, weights['mix']!);
      this.#loaded.set(batch, weights);
    }
    batch.work.states.set(this.#inference.infer(this.#sequenceShape(batch), batch.x, weights['lstm']!));
    headForward(batch);
  }

  /** The loss of the batch, to be differentiated in `variables`. */
  loss(batch: Batch, variables: Variables): Scalar {
    this.#loaded.delete(batch);
    const tf = this.#tf;
    const { lstm, units, output, mix } = variables as unknown as Record<string, Tensor3D>;
    const states = this.#training.apply(tf, this.#sequenceShape(batch), batch.x, lstm!);
    return headLoss(tf, batch, states, units!, output!, mix as unknown as Tensor2D);
  }

  #sequenceShape(batch: Batch): SequenceShape {
    const { steps, hidden } = this.shape;
    return { groups: 1, batch: batch.size, steps, inputs: INPUTS, hidden };
  }
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
