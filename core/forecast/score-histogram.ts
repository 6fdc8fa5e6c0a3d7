import { exp, exp2 } from '../math.ts';

/**
 * A histogram of signed scores with logarithmic bins: 4 to the octave from 2^-6 to 2^7 on either side and one around
 * zero. The bin is read off the floating point representation, so that it costs no logarithm.
 */
const LOWEST = -6;
const OCTAVES = 13;
const SIDE = OCTAVES * 4;
export const BINS = 2 * SIDE + 1;
const ZERO = SIDE;

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);
/** High bits of 2^LOWEST: 8 of exponent, 2 of mantissa. */
const FIRST = (127 + LOWEST) * 4;

/** Bin of a score, 0..BINS - 1, ascending. */
export function binOf(score: number): number {
  float[0] = score < 0 ? -score : score;
  const k = ((bits[0]! & 0x7fffffff) >>> 21) - FIRST;
  if (k < 0) return ZERO;
  const bin = k >= SIDE ? SIDE : k + 1;
  return score < 0 ? ZERO - bin : ZERO + bin;
}

/** Lower edges of the bins, and the upper edge of the last. */
export const EDGES = new Float64Array(BINS + 1);
for (let k = 0; k <= SIDE; k++) {
  const edge = exp2(LOWEST + (k >> 2)) * (1 + (k & 3) / 4);
  EDGES[ZERO + 1 + k] = edge;
  EDGES[ZERO - k] = -edge;
}

/** Probability of each bin under the Laplace distribution with mean absolute value 1: what scores are before any came. */
export const LAPLACE = new Float64Array(BINS);
for (let k = 0; k < SIDE; k++) {
  const low = EDGES[ZERO + 1 + k]!;
  const high = k === SIDE - 1 ? 1e9 : EDGES[ZERO + 2 + k]!;
  LAPLACE[ZERO + 1 + k] = LAPLACE[ZERO - 1 - k] = (exp(-low) - exp(-high)) / 2;
}
LAPLACE[ZERO] = 1 - exp(-EDGES[ZERO + 1]!);

/** A histogram inside a larger array, and the weight it is given. */
export interface Part {
  readonly array: ArrayLike<number>;
  readonly from: number;
  readonly weight: number;
}

/**
 * Quantiles of the sum of two weighted histograms that together hold a mass of 1, by linear interpolation in a bin.
 * @param levels ascending
 */
export function mixtureQuantiles(own: Part, prior: Part, levels: readonly number[], out: Float64Array): void {
  const { array: a, from: i, weight: u } = own;
  const { array: b, from: j, weight: v } = prior;
  let bin = 0;
  let below = 0;
  let inside = u * a[i]! + v * b[j]!;
  for (let g = 0; g < levels.length; g++) {
    const rank = levels[g]!;
    while (bin < BINS - 1 && below + inside < rank) {
      below += inside;
      bin++;
      inside = u * a[i + bin]! + v * b[j + bin]!;
    }
    const share = inside > 0 ? Math.min(1, Math.max(0, (rank - below) / inside)) : 0.5;
    out[g] = EDGES[bin]! + share * (EDGES[bin + 1]! - EDGES[bin]!);
  }
}
