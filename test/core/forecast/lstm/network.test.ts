import type { Scalar } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { loadBackend } from '../../../../core/forecast/backend.ts';
import { Batch } from '../../../../core/forecast/lstm/batch.ts';
import {
  globalShapes,
  initialWeights,
  Network,
  toVariables,
} from '../../../../core/forecast/lstm/network.ts';
import { PersonalNetwork, personalShapes } from '../../../../core/forecast/lstm/personal.ts';
import { PERSONAL_OUTPUTS, personalLoss } from '../../../../core/forecast/lstm/personal-head.ts';
import { pinball } from '../../../../core/forecast/lstm/pinball.ts';
import { QUANTILES } from '../../../../core/forecast/lstm/sizes.ts';
import { R } from '../../../../core/model.ts';
import { Rng } from '../../../../core/rng.ts';

const { tf, name } = await loadBackend();
const shape = { steps: 5, hidden: 8, horizon: 4 };
const SIZE = 4;

/** Windows of random numbers, one target in eight missing, one row standing still. */
function randomBatch(): Batch {
  const rng = new Rng(5, 'batch');
  const batch = new Batch(SIZE, shape);
  for (const values of [batch.x, batch.context, batch.base, batch.candidates, batch.target]) {
    for (let i = 0; i < values.length; i++) values[i] = rng.normal();
  }
  for (let i = 0; i < batch.target.length; i += 8) batch.target[i] = Number.NaN;
  for (let i = 0; i < batch.unit.length; i++) batch.unit[i] = 0.1 + 0.9 * rng.uniform();
  batch.live.fill(1);
  batch.live[2] = 0;
  return batch;
}

function randomWeights(): Record<string, Float32Array> {
  const rng = new Rng(6, 'weights');
  const weights = initialWeights(shape, rng);
  return Object.fromEntries(
    Object.entries(weights).map(([key, values]) => [key, values.map((v) => v + 0.1 * rng.normal())]),
  );
}

const paths = () => new Float32Array(R * SIZE * QUANTILES.length * shape.horizon);

describe('pinball', () => {
  test('by hand: one value above one quantile and below another', () => {
    const batch = new Batch(1, { steps: 1, hidden: 8, horizon: 1 });
    batch.target.fill(Number.NaN);
    batch.target[0] = 2;
    batch.unit.fill(1);
    // y = 2 against 1 at every quantile: sum of q = .1+.25+.5+.75+.9+.95+.99 = 4.44.
    expect(pinball(batch, 1, new Float32Array(R * 7).fill(1))).toBeCloseTo(4.44, 5);
    // Against 4: twice the sum of 1 - q = 2 x 2.56.
    expect(pinball(batch, 1, new Float32Array(R * 7).fill(4))).toBeCloseTo(5.12, 5);
    // A quarter unit counts twice as much: its root is a half.
    batch.unit.fill(0.25);
    expect(pinball(batch, 1, new Float32Array(R * 7).fill(1))).toBeCloseTo(8.88, 5);
  });
});

describe('the global network', () => {
  const batch = randomBatch();
  const weights = randomWeights();
  const network = new Network(tf, shape);
  const lossOf = (w: Record<string, Float32Array>) => {
    network.forecast(batch, w);
    return pinball(batch, shape.horizon, batch.paths);
  };
  const gradients = () => {
    const variables = toVariables(tf, weights, globalShapes(shape));
    const { value, grads } = tf.variableGrads(() => network.loss(batch, variables), Object.values(variables));
    const result = Object.entries(variables).map(([key, variable]): [string, Float32Array] => [
      key,
      grads[variable.name]!.dataSync<'float32'>().slice(),
    ]);
    return { loss: value.dataSync()[0]!, gradients: Object.fromEntries(result) };
  };

  test('has the same loss on the tape as in a forecast', () => {
    expect(gradients().loss).toBeCloseTo(lossOf(weights), 5);
  });

  test('has gradients that agree with finite differences in every weight tried', () => {
    const all = gradients().gradients;
    for (const [key, gradient] of Object.entries(all)) {
      const stride = Math.max(1, Math.floor(gradient.length / 40));
      for (let i = 1; i < gradient.length; i += stride) {
        // Pinball has kinks, so the step is small, and 32-bit sums leave some 1e-3 of it.
        const moved = (d: number) => {
          const values = weights[key]!.slice();
          values[i]! += d;
          return lossOf({ ...weights, [key]: values });
        };
        const numeric = (moved(1 / 512) - moved(-1 / 512)) * 256;
        expect(Math.abs(numeric - gradient[i]!), `${key} ${i}`).toBeLessThan(0.005);
      }
    }
  });

  test('has the same gradients on another backend', async () => {
    const here = gradients().gradients;
    await import('@tensorflow/tfjs-backend-cpu');
    await tf.setBackend('cpu');
    const there = gradients().gradients;
    await tf.setBackend(name);
    for (const [key, values] of Object.entries(here)) {
      for (const [i, value] of values.entries()) expect(Math.abs(value - there[key]![i]!)).toBeLessThan(1e-6);
    }
  });

  test('leaves a series that stood still at its base', () => {
    network.forecast(batch, weights);
    const out = batch.paths;
    const row = QUANTILES.length * shape.horizon;
    expect(out.subarray(2 * row, 3 * row)).toEqual(batch.base.subarray(2 * row, 3 * row));
  });
});

describe('personal networks', () => {
  const batch = randomBatch();
  const network = new PersonalNetwork(tf, shape.steps, 8);
  const shapes = personalShapes(2, 8);
  const rng = new Rng(8, 'personal');
  const weights = Object.fromEntries(
    Object.entries(shapes).map(([key, size]) => [
      key,
      Float32Array.from({ length: size.reduce((a, b) => a * b, 1) }, () => 0.3 * rng.normal()),
    ]),
  );

  test('have gradients that agree with finite differences', () => {
    const global = paths();
    const lossOf = (w: Record<string, Float32Array>) => {
      const outputs = tf.tensor3d(network.forecast(2, 2, batch.x, w), [2, 2, PERSONAL_OUTPUTS]);
      return personalLoss(tf, batch, shape.horizon, global, outputs, paths()).dataSync()[0]!;
    };
    const variables = toVariables(tf, weights, shapes);
    const { grads } = tf.variableGrads(() => {
      const outputs = network.outputs(2, 2, batch.x, variables);
      return personalLoss(tf, batch, shape.horizon, global, outputs, paths()) as Scalar;
    }, Object.values(variables));
    for (const [key, variable] of Object.entries(variables)) {
      const gradient = grads[variable.name]!.dataSync<'float32'>();
      for (let i = 1; i < gradient.length; i += 37) {
        const moved = (d: number) => {
          const values = weights[key]!.slice();
          values[i]! += d;
          return lossOf({ ...weights, [key]: values });
        };
        const numeric = (moved(1 / 512) - moved(-1 / 512)) * 256;
        expect(Math.abs(numeric - gradient[i]!), `${key} ${i}`).toBeLessThan(0.005);
      }
    }
  });

  test('are each the model that it would be alone, to the bit', () => {
    const all = network.forecast(2, 2, batch.x, weights);
    for (let g = 0; g < 2; g++) {
      const own = Object.fromEntries(
        Object.entries(weights).map(([key, v]) => [
          key,
          v.slice((g * v.length) / 2, ((g + 1) * v.length) / 2),
        ]),
      );
      const inputs = batch.x.length / shape.steps;
      const x = new Float32Array(batch.x.length / 2);
      for (let step = 0; step < shape.steps; step++) {
        const from = step * inputs + (g * inputs) / 2;
        x.set(batch.x.subarray(from, from + inputs / 2), (step * inputs) / 2);
      }
      const half = all.length / 2;
      expect([...network.forecast(1, 2, x, own)]).toEqual([...all.slice(g * half, (g + 1) * half)]);
    }
  });
});
