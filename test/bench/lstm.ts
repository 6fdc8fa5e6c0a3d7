import type { Scalar, Tensor3D } from '@tensorflow/tfjs-core';
import { Fleet } from '../../core/fleet.ts';
import { type Backend, loadBackend } from '../../core/forecast/backend.ts';
import { createLstm } from '../../core/forecast/lstm/lstm.ts';
import { lstmHistory, lstmParams } from '../../core/forecast/lstm/params.ts';
import { Product } from '../../core/forecast/lstm/product.ts';
import {
  plainSequence,
  Sequence,
  type SequenceShape,
  weightShape,
} from '../../core/forecast/lstm/sequence.ts';
import { INPUTS } from '../../core/forecast/lstm/sizes.ts';
import { History } from '../../core/history.ts';
import { Frame, R } from '../../core/model.ts';
import { Rng, uniformAt } from '../../core/rng.ts';
import { type BenchRow, bestCpuSeconds } from './row.ts';

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

/** Milliseconds of one training step, loss and Adam included, by how the sequence is computed. */
export async function lstmBench(): Promise<BenchRow[]> {
  const { tf } = await loadBackend();
  const sequence = new Sequence();
  const product = new Product();
  const plain: Layer = (shape, x, weights) => plainSequence(tf, shape, x, weights);
  const plainMultiply: Multiply = (a, b) => tf.matMul(a, b);
  const fused: Layer = (shape, x, weights) => sequence.apply(tf, shape, x, weights);
  const multiply: Multiply = (a, b) => product.apply(tf, a, b);
  const still: Layer = (shape, _x, w) =>
    tf.mul(tf.sum(w), tf.zeros([shape.groups, shape.batch, shape.hidden])) as Tensor3D;

  const x = inputs(REFERENCE);
  const weights = initial(REFERENCE);
  const reference = await trainingStep(tf, REFERENCE, plain, plainMultiply, 12);
  const against = 'plain operations';
  const row = (name: string, value: number): BenchRow => ({ name, value, reference, unit: 'ms', against });
  const rows = [
    row('lstm step, fused sequence', await trainingStep(tf, REFERENCE, fused, plainMultiply, 60)),
    row('lstm step, fused sequence and products', await trainingStep(tf, REFERENCE, fused, multiply, 60)),
    row('  of which the forward kernel', await least(() => sequence.infer(REFERENCE, x, weights), 60)),
    row('  of which head, loss and Adam', await trainingStep(tf, REFERENCE, still, multiply, 60)),
  ];
  for (const shape of PERSONAL) {
    const { groups, batch, steps, hidden } = shape;
    const alone = { ...shape, groups: 1 };
    const separate = groups * (await trainingStep(tf, alone, plain, plainMultiply, 6));
    const separateFused = groups * (await trainingStep(tf, alone, fused, multiply, 30));
    const batched = await trainingStep(tf, shape, plain, plainMultiply, 6);
    const batchedFused = await trainingStep(tf, shape, fused, multiply, 15);
    const title = `${groups} lstms of ${hidden}, ${batch} x ${steps}`;
    rows.push(
      {
        name: `${title}: batched, plain`,
        value: batched,
        reference: separate,
        unit: 'ms',
        against: 'separate, plain',
      },
      {
        name: `${title}: batched, fused`,
        value: batchedFused,
        reference: separateFused,
        unit: 'ms',
        against: 'separate, fused',
      },
      {
        name: `${title}: batched, fused`,
        value: batchedFused,
        reference: separate,
        unit: 'ms',
        against: 'separate, plain',
      },
    );
  }
  rows.push(await forecasts(tf));
  return rows;
}

const VMS = 64;
const HOUR = 12;

/**
 * Forecasts of a small fleet with personal parts in the loop, an hour of ticks with the hourly statistics in it; beside
 * them the global LSTM alone, of plain operations.
 */
async function forecasts(tf: Tf): Promise<BenchRow> {
  const stepMs = 300_000;
  const params = lstmParams.parse({ firstSteps: 20, personal: { steps: 10 }, retrainEvery: '30d' });
  const fleet = new Fleet();
  const frame = fleet.register(new Frame());
  const history = new History(fleet, lstmHistory(params, stepMs));
  const lstm = fleet.register(await createLstm(params, { fleet, history, stepMs, epochMs: 0, seed: 1 }));
  const size = [4, 8192, 1e8, 1e8] as const;
  for (let vm = 0; vm < VMS; vm++) {
    const ids = { vmId: `vm${vm}`, applicationId: `a${vm % 4}`, userId: `u${vm % 16}` };
    fleet.admit({ ...ids, requested: size, min: [0, 0, 0, 0], max: size }, 0);
  }
  const peaks = new Float64Array(VMS * R);
  let tick = 0;
  const run = (ticks: number) => {
    for (const end = tick + ticks; tick < end; tick++) {
      frame.tick = tick;
      for (let i = 0; i < VMS * R; i++)
        frame.usage[i] = 1 + 2 * uniformAt(i, tick >> 3, 1) + uniformAt(i, tick, 2);
      history.append(frame);
      lstm.observe(frame);
      lstm.peak(fleet.slots, 12, 0.9, peaks);
    }
  };
  run(3 * 288);
  const seconds = await bestCpuSeconds(10, () => run(HOUR));
  const shape = { groups: 1, batch: VMS, steps: params.window, inputs: INPUTS, hidden: params.hidden };
  const [x, weights] = [inputs(shape), initial(shape)];
  const plain = await least(() => {
    tf.tidy(() => void plainSequence(tf, shape, x, tf.tensor3d(weights, weightShape(shape))).dataSync());
  }, 10);
  return {
    name: `lstm forecast, fleet of ${VMS}, a VM-tick`,
    value: (1e6 * seconds) / (HOUR * VMS),
    reference: (1000 * plain) / VMS,
    unit: 'us',
    against: 'the LSTM alone, plain operations',
  };
}

async function trainingStep(
  tf: Tf,
  shape: SequenceShape,
  layer: Layer,
  multiply: Multiply,
  repetitions: number,
): Promise<number> {
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
  const result = await least(() => {
    const value = optimizer.minimize(loss, true, [lstm, head, bias])!;
    value.dataSync();
    value.dispose();
  }, repetitions);
  optimizer.dispose();
  tf.dispose([lstm, head, bias, target, quantile]);
  return result;
}

/** Milliseconds of the quickest run, after three to warm up. */
async function least(run: () => void, runs: number): Promise<number> {
  for (let i = 0; i < 3; i++) run();
  return 1000 * (await bestCpuSeconds(runs, run));
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
