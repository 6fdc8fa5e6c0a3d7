import type { Scalar } from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { loadBackend } from '../../../../core/forecast/backend.ts';
import { Adam } from '../../../../core/forecast/lstm/adam.ts';
import { toVariables, type Variables } from '../../../../core/forecast/lstm/network.ts';

const { tf } = await loadBackend();
const shapes = { a: [2, 3], b: [5] };
const start = { a: Float32Array.of(1, -2, 3, 0.5, 0, 4), b: Float32Array.of(1, 2, 3, 4, 5) };

/** Steep in a, flat in b. */
const lossOf =
  ({ a, b }: Variables) =>
  () =>
    tf.add(tf.mul(9, tf.sum(tf.mul(a!, a!))), tf.mul(0.01, tf.sum(tf.mul(b!, b!)))) as Scalar;

test('takes the steps of tf.train.adam, and keeps the mean of the weights', () => {
  const adam = new Adam(tf, start, shapes);
  const variables = toVariables(tf, start, shapes);
  const reference = tf.train.adam(0.1);
  const seen: number[] = [];
  for (let step = 1; step <= 30; step++) {
    const loss = adam.step(lossOf(adam.variables), 0.1, 1 / step);
    expect(loss).toBeCloseTo(reference.minimize(lossOf(variables), true)!.dataSync()[0]!, 2);
    for (const name of ['a', 'b']) {
      const ours = adam.variables[name]!.dataSync();
      const theirs = variables[name]!.dataSync();
      for (const [i, x] of theirs.entries()) expect(Math.abs(ours[i]! - x)).toBeLessThan(1e-4);
    }
    seen.push(adam.variables['b']!.dataSync()[4]!);
  }
  // A share of 1 / step in every step is the plain mean.
  expect(adam.mean()['b']![4]).toBeCloseTo(seen.reduce((sum, x) => sum + x, 0) / seen.length, 4);
  adam.dispose();
});
