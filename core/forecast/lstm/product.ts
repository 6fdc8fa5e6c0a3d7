import type { Tensor, Tensor3D } from '@tensorflow/tfjs-core';
import type { Tf } from '../backend.ts';
import { createKernels } from './kernels.ts';

/**
 * Matrix products of group x m x k by group x k x n on the SIMD kernel, with both gradients. The wasm backend has
 * a fast path only for a single product without transposition: gradients and batches take a scalar one there.
 */
export class Product {
  readonly #memory;
  readonly #kernels;
  #floats: Float32Array;

  constructor() {
    const { memory, kernels } = createKernels();
    this.#memory = memory;
    this.#kernels = kernels;
    this.#floats = new Float32Array(memory.buffer);
  }

  /** As a tensor operation on the tape. */
  apply(tf: Tf, a: Tensor3D, b: Tensor3D): Tensor3D {
    const [groups, m, k] = a.shape;
    const n = b.shape[2];
    const operation = tf.customGrad((x, w, save) => {
      (save as (tensors: Tensor[]) => void)([x as Tensor, w as Tensor]);
      const xs = (x as Tensor).dataSync<'float32'>();
      const ws = (w as Tensor).dataSync<'float32'>();
      const value = tf.tensor3d(this.#multiply(groups, m, n, k, xs, k, 1, ws, n, 1), [groups, m, n]);
      const gradFunc = (dy: Tensor, saved: Tensor[]) => {
        const d = dy.dataSync<'float32'>();
        const [xv, wv] = saved.map((tensor) => tensor.dataSync<'float32'>()) as [Float32Array, Float32Array];
        return [
          tf.tensor3d(this.#multiply(groups, m, k, n, d, n, 1, wv, 1, n), [groups, m, k]),
          tf.tensor3d(this.#multiply(groups, k, n, m, xv, 1, k, d, n, 1), [groups, k, n]),
        ];
      };
      return { value, gradFunc: gradFunc as never };
    });
    return operation(a, b) as Tensor3D;
  }

  /** C = A B by group; A[i, p] lies at i x aRow + p x aColumn of its group, and B likewise. */
  #multiply(
    groups: number,
    m: number,
    n: number,
    k: number,
    a: Float32Array,
    aRow: number,
    aColumn: number,
    b: Float32Array,
    bRow: number,
    bColumn: number,
  ): Float32Array {
    const wide = Math.ceil(n / 8) * 8;
    const bAt = Math.ceil((m * k) / 4) * 4;
    const cAt = bAt + k * wide;
    const length = cAt + m * wide;
    const missing = length * 4 - this.#memory.buffer.byteLength;
    if (missing > 0) {
      this.#memory.grow(Math.ceil(missing / 65536));
      this.#floats = new Float32Array(this.#memory.buffer);
    }
    const floats = this.#floats;
    const out = new Float32Array(groups * m * n);
    for (let g = 0; g < groups; g++) {
      floats.set(a.subarray(g * m * k, (g + 1) * m * k));
      for (let p = 0; p < k; p++) {
        const from = g * k * n + p * bRow;
        const to = bAt + p * wide;
        for (let j = 0; j < n; j++) floats[to + j] = b[from + j * bColumn]!;
        floats.fill(0, to + n, to + wide);
      }
      floats.fill(0, cAt, cAt + m * wide);
      this.#kernels.gemm(0, aRow * 4, aColumn * 4, bAt * 4, wide * 4, cAt * 4, wide * 4, m, wide, k);
      for (let i = 0; i < m; i++) {
        const row = cAt + i * wide;
        out.set(floats.subarray(row, row + n), (g * m + i) * n);
      }
    }
    return out;
  }
}
