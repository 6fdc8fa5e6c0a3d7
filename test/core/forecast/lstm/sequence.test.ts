import type { Tensor3D } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loadBackend } from '../../../../core/forecast/backend.ts';
import { createKernels } from '../../../../core/forecast/lstm/kernels.ts';
import {
  plainSequence,
  Sequence,
  type SequenceShape,
  weightShape,
} from '../../../../core/forecast/lstm/sequence.ts';
import { Rng } from '../../../../core/rng.ts';

const { tf } = await loadBackend();

function normals(count: number, scale: number, ...names: (string | number)[]): Float32Array {
  const rng = new Rng(7, ...names);
  return Float32Array.from({ length: count }, () => rng.normal() * scale);
}

function example(shape: SequenceShape): { x: Float32Array; w: Float32Array } {
  const { groups, batch, steps, inputs } = shape;
  const [, rows, columns] = weightShape(shape);
  return {
    x: normals(groups * steps * batch * inputs, 1, 'x'),
    w: normals(groups * rows * columns, 0.3, 'w'),
  };
}

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < b.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!));
  return most;
}

describe('gemm', () => {
  test('adds A B to C for every shape, also with A transposed', () => {
    const { memory, kernels } = createKernels();
    const floats = new Float32Array(memory.buffer);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 11 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (m, n8, k, transposed) => {
          const n = 8 * n8;
          const [a, b, c] = [0, 1000, 2000];
          for (let i = 0; i < 3000; i++) floats[i] = ((i * 37) % 17) - 8;
          const start = floats.slice();
          const [row, column] = transposed ? [1, m] : [k, 1];
          kernels.gemm(a * 4, row * 4, column * 4, b * 4, n * 4, c * 4, n * 4, m, n, k);
          const expected = new Float32Array(m * n);
          for (let i = 0; i < m; i++) {
            for (let j = 0; j < n; j++) {
              // Whole numbers below 2^24: the sums are exact in any order.
              let sum = start[c + i * n + j]!;
              for (let q = 0; q < k; q++) sum += start[a + i * row + q * column]! * start[b + q * n + j]!;
              expected[i * n + j] = sum;
            }
          }
          expect(worst(floats.subarray(c), expected)).toBe(0);
          expect(worst(floats.subarray(c + m * n), start.subarray(c + m * n))).toBe(0);
        },
      ),
    );
  });
});

describe('Sequence', () => {
  const shapes: SequenceShape[] = [
    { groups: 1, batch: 5, steps: 7, inputs: 3, hidden: 8 },
    { groups: 3, batch: 4, steps: 6, inputs: 5, hidden: 16 },
  ];

  test('one step of one unit is the textbook cell', () => {
    // 8 units, all weights 0 but those of the constant input: i = f = o = sigmoid(b), g = tanh(b), c0 = 0.
    const shape = { groups: 1, batch: 1, steps: 1, inputs: 1, hidden: 8 };
    const w = new Float32Array(9 * 32).fill(0);
    w.fill(0.5, 0, 32);
    const sigmoid = 0.6224593312018546; // 1 / (1 + e^-0.5)
    const g = 0.46211715726000973; // tanh 0.5
    const c = sigmoid * g; // 0.287649... from c = f 0 + i g
    const tanhC = 0.2799696; // tanh 0.2876491
    const h = new Sequence().infer(shape, Float32Array.of(1), w);
    expect(c).toBeCloseTo(0.2876491, 6);
    for (const value of h) expect(value).toBeCloseTo(sigmoid * tanhC, 6);
  });

  for (const shape of shapes) {
    const { x, w } = example(shape);
    const weights = () => tf.tensor3d(w, weightShape(shape));

    test(`forward agrees with plain operations (${shape.groups} groups)`, () => {
      const plain = plainSequence(tf, shape, x, weights()).dataSync();
      expect(worst(new Sequence().infer(shape, x, w), plain)).toBeLessThan(2e-6);
      expect(worst(new Sequence().apply(tf, shape, x, weights()).dataSync(), plain)).toBeLessThan(2e-6);
    });

    test(`gradients agree with plain operations and finite differences (${shape.groups} groups)`, () => {
      const pull = normals(shape.groups * shape.batch * shape.hidden, 1, 'pull');
      const size = [shape.groups, shape.batch, shape.hidden] as [number, number, number];
      const loss = (run: (w: Tensor3D) => Tensor3D) => (w: Tensor3D) =>
        tf.sum(tf.mul(run(w), tf.tensor3d(pull, size)));
      const sequence = new Sequence();
      const fused = tf
        .grad(loss((v) => sequence.apply(tf, shape, x, v)) as never)(weights())
        .dataSync();
      const plain = tf
        .grad(loss((v) => plainSequence(tf, shape, x, v)) as never)(weights())
        .dataSync();
      expect(worst(fused, plain)).toBeLessThan(2e-5);

      // Central differences in 32-bit arithmetic: h = 1/64 leaves h^2 and 1e-7 / h, some 1e-3 in all.
      const value = (v: Float32Array) => {
        const h = sequence.infer(shape, x, v);
        let sum = 0;
        for (let i = 0; i < pull.length; i++) sum += h[i]! * pull[i]!;
        return sum;
      };
      for (let i = 3; i < w.length; i += 61) {
        const up = w.slice();
        const down = w.slice();
        up[i]! += 1 / 64;
        down[i]! -= 1 / 64;
        expect(Math.abs((value(up) - value(down)) * 32 - fused[i]!)).toBeLessThan(3e-3);
      }
    });
  }

  test('groups do not see each other: a group alone gives the same bits', () => {
    const shape = shapes[1]!;
    const { x, w } = example(shape);
    const all = new Sequence().infer(shape, x, w).slice();
    const alone = { ...shape, groups: 1 };
    const [ws, hs] = [w.length / shape.groups, all.length / shape.groups];
    const row = shape.batch * shape.inputs;
    for (let g = 0; g < shape.groups; g++) {
      const own = new Float32Array(shape.steps * row);
      for (let step = 0; step < shape.steps; step++) {
        const from = (step * shape.groups + g) * row;
        own.set(x.subarray(from, from + row), step * row);
      }
      const h = new Sequence().infer(alone, own, w.slice(g * ws, (g + 1) * ws));
      expect([...h]).toEqual([...all.slice(g * hs, (g + 1) * hs)]);
    }
  });

  test('refuses a gradient whose forward pass was overwritten', () => {
    const shape = shapes[0]!;
    const { x, w } = example(shape);
    const sequence = new Sequence();
    const twice = (v: Tensor3D) => {
      const first = sequence.apply(tf, shape, x, v);
      return tf.sum(tf.add(first, sequence.apply(tf, shape, x, v)));
    };
    expect(() => tf.grad(twice as never)(tf.tensor3d(w, weightShape(shape)))).toThrow('later forward pass');
  });

  test('refuses a width that the kernels cannot take', () => {
    const shape = { groups: 1, batch: 1, steps: 1, inputs: 1, hidden: 12 };
    expect(() => new Sequence().infer(shape, new Float32Array(1), new Float32Array(13 * 48))).toThrow(
      'multiple of 8',
    );
  });
});
