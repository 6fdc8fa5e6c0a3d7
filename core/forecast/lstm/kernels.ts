import * as w from './assembler.ts';
import { candidates, mix, mixBackward } from './mix-kernels.ts';

/**
 * The inner loops of the LSTM as WebAssembly SIMD kernels. f32x4 arithmetic is fixed by IEEE 754, so every
 * machine and every Node version gives the same bits. All addresses and strides are in bytes.
 */
export interface Kernels {
  /** C[m x n] += A[m x k] B[k x n]; A by any strides, rows of B and C contiguous; n a multiple of 8. */
  gemm(
    a: number,
    aRow: number,
    aColumn: number,
    b: number,
    bRow: number,
    c: number,
    cRow: number,
    m: number,
    n: number,
    k: number,
  ): void;
  /**
   * One step of the cell over `rows` rows of `width` floats (a multiple of 4): turns pre-activations
   * `z` = [i | f | g | o] into gate values in place, writes c, tanh c, and h (rows `hRow` apart).
   */
  gates(
    z: number,
    cBefore: number,
    c: number,
    tanhC: number,
    h: number,
    hRow: number,
    rows: number,
    width: number,
  ): void;
  /** The step backwards: gate values in `z` become the gradient of the pre-activations; `dc` is carried. */
  gatesBackward(
    z: number,
    cBefore: number,
    tanhC: number,
    dh: number,
    dc: number,
    rows: number,
    width: number,
  ): void;
  /**
   * Adam's update of `count` weights, a multiple of 4, and of their running mean. `rates` points to the decay of the first
   * moment and its complement, those of the second, the learning rate over the first moment's bias, the inverse of the
   * second moment's bias, epsilon, and the share of the running mean.
   */
  adam(
    weights: number,
    mean: number,
    gradient: number,
    first: number,
    second: number,
    rates: number,
    count: number,
  ): void;
  /** x = max(0, x) for `count` floats, a multiple of 4. */
  rectify(x: number, count: number): void;
  /**
   * The candidates of one row, candidate x path, as `Features` tells of them, all in units of the scale and relative to
   * the last value. `base` and `slow` are paths; `quantiles` points to levels, slow levels and seasonal residuals by
   * quantile; `steps` to the day before, the mean of days, and the greatest around that time, by step; `limits` to the two
   * limits and the greatest recent value.
   */
  candidates(
    out: number,
    base: number,
    slow: number,
    quantiles: number,
    steps: number,
    limits: number,
    horizon: number,
    path: number,
  ): void;
  /**
   * Quantile paths of `rows` rows, quantile x step, by the outputs `raw` of each:
   *
   *     base + unit x raw + sum over j of (mix_j + shift_j) candidate_j
   *
   * A row of `raw` is `rawRow` long: a path, then shifts, candidate x quantile. `horizon` counts floats, a multiple of 4;
   * `path` is QUANTILES x horizon floats in bytes. All rows share `mix`, candidate x path.
   */
  mix(
    out: number,
    base: number,
    raw: number,
    unit: number,
    candidates: number,
    mix: number,
    rows: number,
    horizon: number,
    path: number,
    rawRow: number,
  ): void;
  /** Of `mix` backwards: `slopes` of the paths become those of `raw`; those of `mix` are added up. */
  mixBackward(
    slopes: number,
    unit: number,
    candidates: number,
    raw: number,
    mix: number,
    rows: number,
    horizon: number,
    path: number,
    rawRow: number,
  ): void;
}

/** Rows and columns (of four floats) of the tile that one pass of `gemm` keeps in registers. */
const TILE = { rows: 4, vectors: 2 } as const;

/** What is used of the platform's WebAssembly; the ES library of TypeScript does not declare it. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number }) => Memory;
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: { env: { memory: Memory } }) => { exports: unknown };
};

/** Linear memory, in pages of 64 KiB; `grow` detaches the old `buffer`. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

let compiled: object | undefined;

/** The kernels over a memory of their own. Compiled once a process. */
export function createKernels(bytes = 65536): { memory: Memory; kernels: Kernels } {
  compiled ??= new WebAssembly.Module(
    w.assemble([gemm(), gates(), gatesBackward(), rectify(), adam(), candidates(), mix(), mixBackward()]),
  );
  const memory = new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) });
  const instance = new WebAssembly.Instance(compiled, { env: { memory } });
  return { memory, kernels: instance.exports as Kernels };
}

/**
 * Arrays of these lengths in one memory, and the kernels that work there: an array's `byteOffset` is its address. Zeros.
 */
export function allocate<Name extends string>(
  lengths: Readonly<Record<Name, number>>,
): { kernels: Kernels; arrays: Readonly<Record<Name, Float32Array>> } {
  const names = Object.keys(lengths) as Name[];
  // Whole cache lines.
  const bytes = names.map((name) => Math.ceil(lengths[name] / 16) * 64);
  const { memory, kernels } = createKernels(bytes.reduce((sum, n) => sum + n, 0));
  let next = 0;
  const arrays = {} as Record<Name, Float32Array>;
  for (const [i, name] of names.entries()) {
    arrays[name] = new Float32Array(memory.buffer, next, lengths[name]);
    next += bytes[i]!;
  }
  return { kernels, arrays };
}

function rectify(): w.KernelFunction {
  const [x, left] = [0, 1];
  return {
    name: 'rectify',
    parameters: 2,
    locals: [],
    body: w.countDown(left, 4, [
      w.store(w.get(x), w.fmax(w.load(w.get(x)), w.splat(0))),
      w.advance(x, w.int(16)),
    ]),
  };
}

function adam(): w.KernelFunction {
  const [weights, mean, gradient, first, second, rates, left] = [0, 1, 2, 3, 4, 5, 6];
  const [g, x] = [7, 8];
  const [decay1, add1, decay2, add2, rate, unbias, epsilon, share] = [9, 10, 11, 12, 13, 14, 15, 16];
  const loaded = [decay1, add1, decay2, add2, rate, unbias, epsilon, share];
  /** Moves a moment towards `value` and leaves it in x. */
  const moment = (at: number, decay: number, add: number, value: w.Code): w.Code => [
    w.set(x, w.fadd(w.fmul(w.load(w.get(at)), w.get(decay)), w.fmul(value, w.get(add)))),
    w.store(w.get(at), w.get(x)),
  ];
  return {
    name: 'adam',
    parameters: 7,
    locals: new Array<number>(10).fill(w.V128),
    body: [
      loaded.map((local, i) => w.set(local, w.loadSplat(w.get(rates), 4 * i))),
      w.countDown(left, 4, [
        w.set(g, w.load(w.get(gradient))),
        moment(second, decay2, add2, w.fmul(w.get(g), w.get(g))),
        w.set(x, w.fadd(w.fsqrt(w.fmul(w.get(x), w.get(unbias))), w.get(epsilon))),
        // The divisor goes to where the gradient was.
        w.store(w.get(gradient), w.get(x)),
        moment(first, decay1, add1, w.get(g)),
        w.set(x, w.fdiv(w.fmul(w.get(x), w.get(rate)), w.load(w.get(gradient)))),
        w.set(x, w.fsub(w.load(w.get(weights)), w.get(x))),
        w.store(w.get(weights), w.get(x)),
        w.set(g, w.load(w.get(mean))),
        w.store(w.get(mean), w.fadd(w.get(g), w.fmul(w.fsub(w.get(x), w.get(g)), w.get(share)))),
        [weights, mean, gradient, first, second].map((at) => w.advance(at, w.int(16))),
      ]),
    ],
  };
}

function gemm(): w.KernelFunction {
  const [a, aRow, aColumn, b, bRow, c, cRow, m, n, k] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const [j, kk, cAt, bAt] = [10, 11, 12, 13];
  const aAt = [14, 15, 16, 17];
  const cRows = [18, 19, 20];
  const value = 21;
  const bValue = [22, 23];
  const sum = (row: number, vector: number) => 24 + row * TILE.vectors + vector;

  const tile = (rows: number): w.Code => {
    const each = <T>(f: (row: number, vector: number) => T): T[] =>
      Array.from({ length: rows * TILE.vectors }, (_, i) =>
        f(Math.floor(i / TILE.vectors), i % TILE.vectors),
      );
    const cBase = (row: number) => (row === 0 ? cAt : cRows[row - 1]!);
    const multiply: w.Code = [
      bValue.map((local, v) => w.set(local, w.load(w.get(bAt), v * 16))),
      Array.from(
        { length: rows },
        (_, row): w.Code => [
          w.set(value, w.loadSplat(w.get(aAt[row]!))),
          bValue.map((local, v) =>
            w.set(sum(row, v), w.fadd(w.get(sum(row, v)), w.fmul(w.get(value), w.get(local)))),
          ),
          w.advance(aAt[row]!, w.get(aColumn)),
        ],
      ),
      w.advance(bAt, w.get(bRow)),
    ];
    return [
      w.set(j, w.get(n)),
      w.set(cAt, w.get(c)),
      w.countDown(j, 4 * TILE.vectors, [
        // Columns done so far are n - j: the strip of B starts as far into its rows as C's.
        w.set(bAt, w.add(w.get(b), w.sub(w.get(cAt), w.get(c)))),
        aAt
          .slice(0, rows)
          .map((local, row) => w.set(local, row === 0 ? w.get(a) : w.add(w.get(aAt[row - 1]!), w.get(aRow)))),
        cRows.slice(0, rows - 1).map((local, i) => w.set(local, w.add(w.get(cBase(i)), w.get(cRow)))),
        each((row, v) => w.set(sum(row, v), w.load(w.get(cBase(row)), v * 16))),
        w.set(kk, w.get(k)),
        w.countDown(kk, 2, [multiply, multiply]),
        w.countDown(kk, 1, multiply),
        each((row, v) => w.store(w.get(cBase(row)), w.get(sum(row, v)), v * 16)),
        w.advance(cAt, w.int(16 * TILE.vectors)),
      ]),
      Array.from({ length: rows }, () => [w.advance(a, w.get(aRow)), w.advance(c, w.get(cRow))]),
    ];
  };
  return {
    name: 'gemm',
    parameters: 10,
    locals: [
      ...new Array<number>(11).fill(w.I32),
      ...new Array<number>(3 + TILE.rows * TILE.vectors).fill(w.V128),
    ],
    body: [w.countDown(m, TILE.rows, tile(TILE.rows)), w.countDown(m, 1, tile(1))],
  };
}

/**
 * e^x in four lanes, |x| <= 80: x = n ln 2 + r with |r| <= ln 2 / 2, then a polynomial of degree 6
 * (Cephes expf). `x`, `n` and `r` are scratch locals. Relative error below 2e-7.
 */
function exponential(input: w.Code, n: number, r: number): w.Code {
  const coefficients = [
    1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1,
  ];
  const polynomial = coefficients
    .slice(1)
    .reduce<w.Code>((sum, c) => w.fadd(w.fmul(sum, w.get(r)), w.splat(c)), w.splat(coefficients[0]!));
  return [
    w.set(r, w.fmax(w.fmin(input, w.splat(80)), w.splat(-80))),
    w.set(n, w.nearest(w.fmul(w.get(r), w.splat(Math.LOG2E)))),
    w.set(r, w.fsub(w.get(r), w.fmul(w.get(n), w.splat(0.693359375)))),
    w.set(r, w.fadd(w.get(r), w.fmul(w.get(n), w.splat(2.1219444e-4)))),
    w.fmul(
      w.fadd(w.fadd(w.fmul(polynomial, w.fmul(w.get(r), w.get(r))), w.get(r)), w.splat(1)),
      w.powerOfTwo(w.get(n)),
    ),
  ];
}

function gates(): w.KernelFunction {
  const [z, cBefore, c, tanhC, h, hRow, rows, width] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [left, hAt, zf, zg, zo] = [8, 9, 10, 11, 12];
  const [n, r, vi, vf, vg, vo] = [13, 14, 15, 16, 17, 18];
  const one = w.splat(1);
  const sigmoid = (x: w.Code): w.Code => w.fdiv(one, w.fadd(one, exponential(w.fsub(w.splat(0), x), n, r)));
  const tanh = (x: w.Code): w.Code =>
    w.fsub(w.fdiv(w.splat(2), w.fadd(one, exponential(w.fmul(w.splat(-2), x), n, r))), one);
  return {
    name: 'gates',
    parameters: 8,
    locals: [...new Array<number>(5).fill(w.I32), ...new Array<number>(6).fill(w.V128)],
    body: w.countDown(rows, 1, [
      w.set(left, w.get(width)),
      w.set(hAt, w.get(h)),
      blocks(z, width, [zf, zg, zo]),
      w.countDown(left, 4, [
        w.set(vi, sigmoid(w.load(w.get(z)))),
        w.set(vf, sigmoid(w.load(w.get(zf)))),
        w.set(vg, tanh(w.load(w.get(zg)))),
        w.set(vo, sigmoid(w.load(w.get(zo)))),
        w.store(w.get(z), w.get(vi)),
        w.store(w.get(zf), w.get(vf)),
        w.store(w.get(zg), w.get(vg)),
        w.store(w.get(zo), w.get(vo)),
        w.set(vi, w.fadd(w.fmul(w.get(vf), w.load(w.get(cBefore))), w.fmul(w.get(vi), w.get(vg)))),
        w.store(w.get(c), w.get(vi)),
        w.set(vg, tanh(w.get(vi))),
        w.store(w.get(tanhC), w.get(vg)),
        w.store(w.get(hAt), w.fmul(w.get(vo), w.get(vg))),
        [z, zf, zg, zo, cBefore, c, tanhC, hAt].map((local) => w.advance(local, w.int(16))),
      ]),
      w.set(z, w.get(zo)),
      w.advance(h, w.get(hRow)),
    ]),
  };
}

function gatesBackward(): w.KernelFunction {
  const [z, cBefore, tanhC, dh, dc, rows, width] = [0, 1, 2, 3, 4, 5, 6];
  const [left, zf, zg, zo] = [7, 8, 9, 10];
  const [vi, vf, vg, vo, t, d, g] = [11, 12, 13, 14, 15, 16, 17];
  const one = w.splat(1);
  const slope = (v: number): w.Code => w.fmul(w.get(v), w.fsub(one, w.get(v)));
  const flat = (v: number): w.Code => w.fsub(one, w.fmul(w.get(v), w.get(v)));
  return {
    name: 'gatesBackward',
    parameters: 7,
    locals: [...new Array<number>(4).fill(w.I32), ...new Array<number>(7).fill(w.V128)],
    body: w.countDown(rows, 1, [
      w.set(left, w.get(width)),
      blocks(z, width, [zf, zg, zo]),
      w.countDown(left, 4, [
        w.set(vi, w.load(w.get(z))),
        w.set(vf, w.load(w.get(zf))),
        w.set(vg, w.load(w.get(zg))),
        w.set(vo, w.load(w.get(zo))),
        w.set(t, w.load(w.get(tanhC))),
        w.set(g, w.load(w.get(dh))),
        // dc + dh o (1 - tanh^2 c): all that reaches c at this step.
        w.set(d, w.fadd(w.load(w.get(dc)), w.fmul(w.fmul(w.get(g), w.get(vo)), flat(t)))),
        w.store(w.get(zo), w.fmul(w.fmul(w.get(g), w.get(t)), slope(vo))),
        w.store(w.get(z), w.fmul(w.fmul(w.get(d), w.get(vg)), slope(vi))),
        w.store(w.get(zg), w.fmul(w.fmul(w.get(d), w.get(vi)), flat(vg))),
        w.store(w.get(zf), w.fmul(w.fmul(w.get(d), w.load(w.get(cBefore))), slope(vf))),
        w.store(w.get(dc), w.fmul(w.get(d), w.get(vf))),
        [z, zf, zg, zo, cBefore, tanhC, dh, dc].map((local) => w.advance(local, w.int(16))),
      ]),
      w.set(z, w.get(zo)),
    ]),
  };
}

/** Addresses of the second, third and fourth block of a row of gates that starts at `z`. */
function blocks(z: number, width: number, targets: readonly number[]): w.Code {
  return targets.map((local, i) =>
    w.set(local, w.add(w.get(i === 0 ? z : targets[i - 1]!), w.shiftLeft(w.get(width), 2))),
  );
}
