import type { Scalar } from '@tensorflow/tfjs-core';
import type { Tf } from '../backend.ts';
import { allocate, type Kernels } from './kernels.ts';
import { type Shapes, toVariables, type Variables, type Weights } from './network.ts';
import { count } from './sizes.ts';

const DECAY = { mean: 0.9, square: 0.999 } as const;
const EPSILON = 1e-7;

/**
 * Adam (Kingma & Ba 2015) on the variables of a loss, with the running mean of the weights (Polyak & Juditsky 1992).
 * Gradients come from the tape; the update is one pass over the numbers, where TensorFlow.js makes a dozen calls for
 * each variable.
 */
export class Adam {
  readonly variables: Variables;
  readonly #tf: Tf;
  readonly #kernels: Kernels;
  readonly #shapes: Shapes;
  /** Per variable: weights, running mean, gradient, and the moments of the gradient. */
  readonly #parts: Readonly<
    Record<string, Readonly<Record<'weights' | 'mean' | 'gradient' | 'first' | 'second', Float32Array>>>
  >;
  /** What a pass is told; see `Kernels.adam`. */
  readonly #rates: Float32Array;
  #steps = 0;

  constructor(tf: Tf, start: Weights, shapes: Shapes) {
    const sizes = Object.entries(shapes).map(([name, shape]): [string, number] => [
      name,
      Math.ceil(count(shape) / 4) * 4,
    ]);
    const kinds = ['weights', 'mean', 'gradient', 'first', 'second'] as const;
    const lengths = Object.fromEntries(
      sizes.flatMap(([name, size]) => kinds.map((kind) => [`${kind} ${name}`, size])),
    );
    const { kernels, arrays } = allocate({ rates: RATES, ...lengths });
    this.#tf = tf;
    this.#kernels = kernels;
    this.#shapes = shapes;
    this.#rates = arrays.rates;
    this.#parts = Object.fromEntries(
      sizes.map(([name]) => {
        const part = Object.fromEntries(
          kinds.map((kind) => [kind, (arrays as Record<string, Float32Array>)[`${kind} ${name}`]!]),
        ) as Record<(typeof kinds)[number], Float32Array>;
        part.weights.set(start[name]!);
        part.mean.set(start[name]!);
        return [name, part];
      }),
    );
    this.variables = toVariables(tf, start, shapes);
  }

  /**
   * Takes one step down the loss and returns the loss before it.
   * @param share weight of the new weights in their running mean
   */
  step(loss: () => Scalar, learningRate: number, share: number): number {
    const tf = this.#tf;
    this.#steps++;
    const correction = (decay: number) => 1 / (1 - powerOf(decay, this.#steps));
    this.#rates.set([
      ...[DECAY.mean, 1 - DECAY.mean, DECAY.square, 1 - DECAY.square],
      ...[learningRate * correction(DECAY.mean), correction(DECAY.square), EPSILON, share],
    ]);
    return tf.tidy(() => {
      const { value, grads } = tf.variableGrads(loss, Object.values(this.variables));
      for (const [name, variable] of Object.entries(this.variables)) {
        const { weights, mean, gradient, first, second } = this.#parts[name]!;
        gradient.set(grads[variable.name]!.dataSync<'float32'>());
        this.#kernels.adam(
          weights.byteOffset,
          mean.byteOffset,
          gradient.byteOffset,
          first.byteOffset,
          second.byteOffset,
          this.#rates.byteOffset,
          weights.length,
        );
        const shape = [...this.#shapes[name]!];
        variable.assign(tf.tensor(weights.slice(0, count(shape)), shape));
      }
      return value.dataSync()[0]!;
    });
  }

  /** A copy of the running mean of the weights. */
  mean(): Weights {
    return Object.fromEntries(
      Object.entries(this.#parts).map(([name, { mean }]) => [
        name,
        mean.slice(0, count(this.#shapes[name]!)),
      ]),
    );
  }

  dispose(): void {
    for (const variable of Object.values(this.variables)) variable.dispose();
  }
}

/** Numbers in `#rates`. */
const RATES = 8;

/** x^n for a whole n >= 1, by squaring: the same on every machine. */
function powerOf(x: number, n: number): number {
  let [result, square] = [1, x];
  for (let left = n; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square;
    square *= square;
  }
  return result;
}
