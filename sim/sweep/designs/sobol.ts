import { ForesizeError } from '../../../core/errors.ts';
import { Rng } from '../../../core/rng.ts';

/**
 * Primitive polynomials and initial direction numbers of dimensions 2 to 32, as `a m_1 ... m_s`: Joe & Kuo 2008,
 * "Constructing Sobol sequences with better two-dimensional projections", new-joe-kuo-6.21201.
 */
const DIRECTIONS: readonly (readonly number[])[] = [
  [0, 1],
  [1, 1, 3],
  [1, 1, 3, 1],
  [2, 1, 1, 1],
  [1, 1, 1, 3, 3],
  [4, 1, 3, 5, 13],
  [2, 1, 1, 5, 5, 17],
  [4, 1, 1, 5, 5, 5],
  [7, 1, 1, 7, 11, 19],
  [11, 1, 1, 5, 1, 1],
  [13, 1, 1, 1, 3, 11],
  [14, 1, 3, 5, 5, 31],
  [1, 1, 3, 3, 9, 7, 49],
  [13, 1, 1, 1, 15, 21, 21],
  [16, 1, 3, 1, 13, 27, 49],
  [19, 1, 1, 1, 15, 7, 5],
  [22, 1, 3, 1, 15, 13, 25],
  [25, 1, 1, 5, 5, 19, 61],
  [1, 1, 3, 7, 11, 23, 15, 103],
  [4, 1, 3, 7, 13, 13, 15, 69],
  [7, 1, 1, 3, 13, 7, 35, 63],
  [8, 1, 3, 5, 9, 1, 25, 53],
  [14, 1, 3, 1, 13, 9, 35, 107],
  [19, 1, 3, 1, 5, 27, 61, 31],
  [21, 1, 1, 5, 11, 19, 41, 61],
  [28, 1, 3, 5, 3, 3, 13, 69],
  [31, 1, 1, 7, 13, 1, 19, 1],
  [32, 1, 3, 7, 5, 13, 19, 59],
  [37, 1, 1, 3, 9, 25, 29, 41],
  [41, 1, 3, 5, 13, 23, 1, 55],
  [42, 1, 3, 7, 3, 13, 59, 17],
];

export const SOBOL_DIMENSIONS = DIRECTIONS.length + 1;
const BITS = 32;

/**
 * The Sobol sequence in Gray-code order (Antonov & Saleev 1979; Joe & Kuo 2003), without end: points in
 * [0, 1)^dimensions. With a seed every coordinate is shifted digitally by random bits of its own, which keeps
 * the net's structure and moves the first point off the origin.
 */
export function* sobol(dimensions: number, seed?: number): Generator<number[]> {
  if (dimensions > SOBOL_DIMENSIONS) {
    throw new ForesizeError({
      code: 'SWEEP_SOBOL_DIMENSIONS',
      what: `a Sobol design has at most ${SOBOL_DIMENSIONS} axes, not ${dimensions}`,
      where: 'design',
      remedy: 'use latin-hypercube, or move axes to cross',
    });
  }
  const directions = Array.from({ length: dimensions }, (_, d) => directionsOf(d));
  const x = directions.map((_, d) => (seed === undefined ? 0 : new Rng(seed, 'sweep', 'sobol', d).bits()));
  for (let n = 1; ; n++) {
    yield x.map((bits) => (bits >>> 0) / 4294967296);
    // The lowest zero bit of n - 1, that is the lowest one bit of n, tells which direction to flip.
    const bit = 31 - Math.clz32(n & -n);
    for (let d = 0; d < dimensions; d++) x[d] = (x[d]! ^ directions[d]![bit]!) >>> 0;
  }
}

/** V_1 .. V_32 of dimension d (from 0), each with its binary point before the highest bit. */
function directionsOf(d: number): Uint32Array {
  const v = new Uint32Array(BITS);
  if (d === 0) {
    for (let i = 0; i < BITS; i++) v[i] = 2 ** (31 - i);
    return v;
  }
  const [a, ...m] = DIRECTIONS[d - 1]! as [number, ...number[]];
  const s = m.length;
  for (let i = 0; i < BITS; i++) {
    if (i < s) {
      v[i] = m[i]! * 2 ** (31 - i);
      continue;
    }
    let next = v[i - s]! ^ (v[i - s]! >>> s);
    for (let k = 1; k < s; k++) if ((a >>> (s - 1 - k)) & 1) next ^= v[i - k]!;
    v[i] = next;
  }
  return v;
}
