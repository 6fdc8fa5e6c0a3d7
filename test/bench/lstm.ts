import { fileURLToPath } from 'node:url';
import type { Scalar, Tensor3D } from '@tensorflow/tfjs-core';
import { type Backend, loadBackend } from '../../core/forecast/backend.ts';
import { Product } from '../../core/forecast/lstm/product.ts';
import {
  plainSequence,
  Sequence,
  type SequenceShape,
  weightShape,
} from '../../core/forecast/lstm/sequence.ts';
import { Rng } from '../../core/rng.ts';

/** Milliseconds: the least and the median of the repetitions. The least is what other processes disturb least. */
interface Time {
  readonly least: number;
  readonly median: number;
}

type Tf = Backend['tf'];
type Layer = (shape: SequenceShape, x: Float32Array, weights: Tensor3D) => Tensor3D;
type Multiply = (a: Tensor3D, b: Tensor3D) => Tensor3D;

const OUTPUTS = 24;

/** The reference: hidden 32, batch 64, 48 steps, 4 inputs and the constant, 24 outputs (12 steps x .5 and .9). */
const REFERENCE: SequenceShape = { groups: 1, batch: 64, steps: 48, inputs: 5, hidden: 32 };
/** Personal models as the forecaster trains them, and as wide as the reference. */
const PERSONAL: SequenceShape[] = [
  { groups: 32, batch: 8, steps: 24, inputs: 5, hidden: 8 },
  { groups: 8, batch: 64, steps: 48, inputs: 5, hidden: 32 },
];

export async function benchLstm(print: (line: string) => void): Promise<void> {
  const { tf, name } = await loadBackend();
  const plain: Layer = (shape, x, weights) => plainSequence(tf, shape, x, weights);
  const plainMultiply: Multiply = (a, b) => tf.matMul(a, b);
  const sequence = new Sequence();
  const product = new Product();
  const fused: Layer = (shape, x, weights) => sequence.apply(tf, shape, x, weights);
  const multiply: Multiply = (a, b) => product.apply(tf, a, b);

  print(`lstm on ${name}, tfjs-core ${tf.version_core}, Node ${process.version}; ms, least / median`);
  print('one training step: hidden 32, batch 64, 48 steps, 4 inputs, 24 outputs');
  print(`  plain operations            ${show(trainingStep(tf, REFERENCE, plain, plainMultiply, 12))}`);
  print(`  fused sequence              ${show(trainingStep(tf, REFERENCE, fused, plainMultiply, 60))}`);
  print(`  fused sequence and products ${show(trainingStep(tf, REFERENCE, fused, multiply, 60))}`);
  const x = inputs(REFERENCE);
  const weights = initial(REFERENCE);
  print(`  of which the forward kernel ${show(time(() => sequence.infer(REFERENCE, x, weights), 60))}`);
  const still: Layer = (shape, _x, w) =>
    tf.mul(tf.sum(w), tf.zeros([shape.groups, shape.batch, shape.hidden])) as Tensor3D;
  print(`  of which head, loss, Adam   ${show(trainingStep(tf, REFERENCE, still, multiply, 60))}`);

  for (const shape of PERSONAL) {
    const { groups, batch, steps, hidden } = shape;
    print(
      `one training step of ${groups} personal models: hidden ${hidden}, batch ${batch}, ${steps} steps, 4 inputs`,
    );
    const alone = { ...shape, groups: 1 };
    const one = trainingStep(tf, alone, plain, plainMultiply, 6);
    const separate = { least: one.least * groups, median: one.median * groups };
    const oneFused = trainingStep(tf, alone, fused, multiply, 30);
    const separateFused = { least: oneFused.least * groups, median: oneFused.median * groups };
    const batched = trainingStep(tf, shape, plain, plainMultiply, 4);
    const batchedFused = trainingStep(tf, shape, fused, multiply, 15);
    const line = (title: string, t: Time) =>
      print(`  ${title.padEnd(36)} ${show(t)}  ${(separate.least / t.least).toFixed(1)} times as fast`);
    line('separate fits, plain operations', separate);
    line('separate fits, fused', separateFused);
    line('one batched graph, plain operations', batched);
    line('one batched graph, fused', batchedFused);
    print(
      `  batched against separate, both fused: ${(separateFused.least / batchedFused.least).toFixed(1)} times as fast`,
    );
  }
}

function trainingStep(
  tf: Tf,
  shape: SequenceShape,
  layer: Layer,
  multiply: Multiply,
  repetitions: number,
): Time {
  const { groups, batch, hidden } = shape;
  const rng = new Rng(2, 'bench');
  const x = inputs(shape);
  const normal = (size: [number, number, number], scale: number) => {
    const values = Float32Array.from({ length: size[0] * size[1] * size[2] }, () => rng.normal() * scale);
    return tf.tensor3d(values, size);
  };
  const target = normal([groups, batch, OUTPUTS], 1);
  const quantile = tf.tensor1d(Array.from({ length: OUTPUTS }, (_, i) => (i % 2 ? 0.9 : 0.5)));
  const lstm = tf.variable(tf.tensor3d(initial(shape), weightShape(shape)));
  const head = tf.variable(normal([groups, hidden, OUTPUTS], 0.2));
  const bias = tf.variable(tf.zeros([groups, 1, OUTPUTS]));
  const optimizer = tf.train.adam(1e-3);
  const loss = () => {
    const h = layer(shape, x, lstm as unknown as Tensor3D);
    const y = tf.add(multiply(h, head as unknown as Tensor3D), bias);
    const error = tf.sub(target, y);
    const pinball = tf.add(tf.relu(tf.mul(error, quantile)), tf.relu(tf.mul(error, tf.sub(quantile, 1))));
    return tf.mul(tf.sum(pinball), 1 / (batch * OUTPUTS)) as Scalar;
  };
  const result = time(() => {
    const value = optimizer.minimize(loss, true, [lstm, head, bias])!;
    value.dataSync();
    value.dispose();
  }, repetitions);
  optimizer.dispose();
  tf.dispose([lstm, head, bias, target, quantile]);
  return result;
}

function time(run: () => void, repetitions: number): Time {
  for (let i = 0; i < 3; i++) run();
  const times = Array.from({ length: repetitions }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return { least: times[0]!, median: times[Math.floor(repetitions / 2)]! };
}

function show({ least, median }: Time): string {
  return `${least.toFixed(2).padStart(8)} / ${median.toFixed(2)}`;
}

function inputs({ groups, batch, steps, inputs: count }: SequenceShape): Float32Array {
  const rng = new Rng(1, 'inputs');
  return Float32Array.from({ length: groups * batch * steps * count }, (_, i) =>
    i % count === count - 1 ? 1 : rng.normal(),
  );
}

function initial(shape: SequenceShape): Float32Array {
  const rng = new Rng(1, 'weights');
  const [groups, rows, columns] = weightShape(shape);
  return Float32Array.from({ length: groups * rows * columns }, () => rng.normal() * 0.2);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await benchLstm((line) => console.log(line));
