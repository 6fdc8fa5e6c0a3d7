import type { GradConfig, NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import type { Tf } from '../backend.ts';

/**
 * Registers the gradients of the operations that the models use, where the build of TensorFlow.js has none:
 * the bundle of tfjs-core for Node leaves them out, that of tfjs-node has them.
 */
export function registerGradients(tf: Tf): void {
  for (const [kernelName, gradient] of Object.entries(gradients(tf))) {
    if (!tf.getGradient(kernelName)) tf.registerGradient({ kernelName, ...gradient });
  }
}

type Gradient = Omit<GradConfig, 'kernelName'>;

function gradients(tf: Tf): Record<string, Gradient> {
  /** Sums over the axes along which `like` was broadcast. */
  const reduced = (dy: Tensor, like: Tensor): Tensor => {
    const missing = dy.rank - like.rank;
    const axes = dy.shape
      .map((_, i) => i)
      .filter((i) => i < missing || like.shape[i - missing] !== dy.shape[i]);
    return tf.reshape(axes.length > 0 ? tf.sum(dy, axes) : dy, like.shape);
  };
  const flip = (saved: readonly Tensor[]): [Tensor, Tensor] => [saved[0]!, saved[1]!];
  return {
    [tf.Add]: {
      inputsToSave: ['a', 'b'],
      gradFunc: (dy, saved) => {
        const [a, b] = flip(saved);
        return { a: () => reduced(one(dy), a), b: () => reduced(one(dy), b) };
      },
    },
    [tf.Sub]: {
      inputsToSave: ['a', 'b'],
      gradFunc: (dy, saved) => {
        const [a, b] = flip(saved);
        return { a: () => reduced(one(dy), a), b: () => reduced(tf.neg(one(dy)), b) };
      },
    },
    [tf.Multiply]: {
      inputsToSave: ['a', 'b'],
      gradFunc: (dy, saved) => {
        const [a, b] = flip(saved);
        return {
          a: () => reduced(tf.mul(one(dy), b), a),
          b: () => reduced(tf.mul(one(dy), a), b),
        };
      },
    },
    [tf.BatchMatMul]: {
      inputsToSave: ['a', 'b'],
      gradFunc: (dy, saved, attributes) => {
        if (attributes['transposeA'] || attributes['transposeB']) {
          throw new RangeError('no gradient for a transposed product');
        }
        const [a, b] = flip(saved);
        return {
          a: () => tf.matMul(one(dy), b, false, true),
          b: () => tf.matMul(a, one(dy), true, false),
        };
      },
    },
    [tf.Sigmoid]: {
      outputsToSave: [true],
      gradFunc: (dy, saved) => ({
        x: () => tf.mul(one(dy), tf.mul(saved[0]!, tf.sub(1, saved[0]!))),
      }),
    },
    [tf.Tanh]: {
      outputsToSave: [true],
      gradFunc: (dy, saved) => ({ x: () => tf.mul(one(dy), tf.sub(1, tf.square(saved[0]!))) }),
    },
    [tf.Relu]: {
      inputsToSave: ['x'],
      gradFunc: (dy, saved) => ({ x: () => tf.mul(one(dy), tf.step(saved[0]!)) }),
    },
    [tf.Reshape]: {
      inputsToSave: ['x'],
      gradFunc: (dy, saved) => ({ x: () => tf.reshape(one(dy), saved[0]!.shape) }),
    },
    [tf.Sum]: {
      inputsToSave: ['x'],
      gradFunc: (dy, saved, attributes) => {
        const x = saved[0]!;
        const axes = axesOf(attributes, x.rank);
        const kept = x.shape.map((size, i) => (axes.includes(i) ? 1 : size));
        return { x: () => tf.mul(tf.reshape(one(dy), kept), tf.onesLike(x)) };
      },
    },
    [tf.Concat]: {
      saveAllInputs: true,
      gradFunc: (dy, saved, attributes) => {
        const axis = axesOf({ axis: attributes['axis'] as number }, saved[0]!.rank)[0]!;
        const sizes = saved.map((tensor) => tensor.shape[axis]!);
        const parts = tf.split(one(dy), sizes, axis);
        return Object.fromEntries(parts.map((part, i) => [String(i), () => part]));
      },
    },
    [tf.SplitV]: {
      gradFunc: (dy, _saved, attributes) => ({
        x: () => tf.concat(dy as Tensor[], attributes['axis'] as number),
      }),
    },
  };
}

/** The gradient of an operation that has one output. */
function one(dy: Tensor | Tensor[]): Tensor {
  return Array.isArray(dy) ? dy[0]! : dy;
}

function axesOf(attributes: NamedAttrMap, rank: number): number[] {
  const axis = attributes['axis'] as number | number[] | undefined | null;
  if (axis === undefined || axis === null) return Array.from({ length: rank }, (_, i) => i);
  return [axis].flat().map((a) => (a < 0 ? a + rank : a));
}
