import type { Scalar, Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { loadBackend } from '../../../../core/forecast/backend.ts';
import { Product } from '../../../../core/forecast/lstm/product.ts';

const { tf, name } = await loadBackend();

const a = Float32Array.from({ length: 12 }, (_, i) => ((i * 7) % 11) / 4 - 1.2);
const b = Float32Array.from({ length: 12 }, (_, i) => ((i * 5) % 13) / 5 - 1.1);
const pull = Float32Array.from({ length: 12 }, (_, i) => ((i * 3) % 7) - 3);

/** Central differences with h = 1/64 in 32-bit arithmetic: good to some 1e-3 for values of order 1. */
function numeric(loss: (x: Tensor3D) => Scalar, x: Float32Array): number[] {
  return Array.from(x, (_, i) => {
    const at = (d: number) => {
      const moved = x.slice();
      moved[i]! += d;
      return loss(tf.tensor3d(moved, [2, 2, 3])).dataSync()[0]!;
    };
    return (at(1 / 64) - at(-1 / 64)) * 32;
  });
}

const other = () => tf.tensor3d(b, [2, 2, 3]);
const weigh = (y: Tensor) => tf.sum(tf.mul(tf.reshape(y, [12]), tf.tensor1d(pull))) as Scalar;
const losses: Record<string, (x: Tensor3D) => Scalar> = {
  add: (x) => weigh(tf.add(x, other())),
  'add, broadcast': (x) => weigh(tf.add(other(), tf.sum(x, [0, 1], true))),
  sub: (x) => weigh(tf.sub(other(), x)),
  mul: (x) => weigh(tf.mul(x, tf.mul(x, other()))),
  'mul by a scalar': (x) => weigh(tf.mul(x, 0.3)),
  sigmoid: (x) => weigh(tf.sigmoid(x)),
  tanh: (x) => weigh(tf.tanh(x)),
  relu: (x) => weigh(tf.relu(x)),
  'sum along an axis': (x) => tf.sum(tf.mul(tf.sum(x, 1), tf.sum(other(), 1))) as Scalar,
  concat: (x) => tf.sum(tf.mul(tf.concat([x, other(), x], 2), tf.concat([other(), x, x], 2))) as Scalar,
  split: (x) => {
    const [left, right] = tf.split(x, [1, 2], 2) as [Tensor3D, Tensor3D];
    return tf.sum(tf.mul(left, right)) as Scalar;
  },
  matMul: (x) => tf.sum(tf.tanh(tf.matMul(x, tf.reshape(other(), [2, 3, 2])))) as Scalar,
  product: (x) =>
    tf.sum(tf.tanh(new Product().apply(tf, x, tf.reshape(other(), [2, 3, 2]) as Tensor3D))) as Scalar,
  'product, right': (x) =>
    tf.sum(tf.tanh(new Product().apply(tf, other(), tf.reshape(x, [2, 3, 2]) as Tensor3D))) as Scalar,
};

describe('gradients of the operations in use', () => {
  for (const [title, loss] of Object.entries(losses)) {
    test(`${title} agrees with finite differences`, () => {
      const gradient = tf
        .grad(loss as never)(tf.tensor3d(a, [2, 2, 3]))
        .dataSync();
      const expected = numeric(loss, a);
      for (const [i, value] of gradient.entries()) expect(Math.abs(value - expected[i]!)).toBeLessThan(5e-3);
    });
  }

  test('agree between backends', async () => {
    const here = Object.values(losses).map((loss) =>
      Array.from(
        tf
          .grad(loss as never)(tf.tensor3d(a, [2, 2, 3]))
          .dataSync(),
      ),
    );
    await import('@tensorflow/tfjs-backend-cpu');
    expect(await tf.setBackend('cpu')).toBe(true);
    const there = Object.values(losses).map((loss) =>
      Array.from(
        tf
          .grad(loss as never)(tf.tensor3d(a, [2, 2, 3]))
          .dataSync(),
      ),
    );
    await tf.setBackend(name);
    for (const [i, values] of here.entries()) {
      for (const [j, value] of values.entries()) expect(Math.abs(value - there[i]![j]!)).toBeLessThan(1e-5);
    }
  });
});
