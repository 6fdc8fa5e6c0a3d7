import { normalQuantile } from '../../core/math.ts';
import { normalCdf, studentQuantile, studentTwoSided } from './distributions.ts';

/** A bootstrap distribution and the two constants of Efron's BCa method (Efron & Tibshirani 1993, ch. 14). */
export interface Bootstrapped {
  estimate: number;
  /** Ascending. */
  replicates: Float64Array;
  /** Bias correction z0 and acceleration a. */
  bias: number;
  acceleration: number;
  /** Standard deviation of the replicates. */
  error: number;
}

/** `replicates` is sorted in place; `jackknife` holds the estimate without each cluster in turn. */
export function bootstrapped(
  estimate: number,
  replicates: Float64Array,
  jackknife: Float64Array,
): Bootstrapped {
  replicates.sort();
  const n = replicates.length;
  let sum = 0;
  for (const x of replicates) sum += x;
  const mean = sum / n;
  let squares = 0;
  for (const x of replicates) squares += (x - mean) * (x - mean);
  return {
    estimate,
    replicates,
    bias: normalQuantile(shareBelow(replicates, estimate)),
    acceleration: acceleration(jackknife),
    error: Math.sqrt(squares / (n - 1)),
  };
}

/** Skewness of the jackknife values / 6 (eq. 14.15); 0 when they do not vary. */
export function acceleration(jackknife: Float64Array): number {
  const n = jackknife.length;
  let mean = 0;
  for (const x of jackknife) mean += x / n;
  let squares = 0;
  let cubes = 0;
  for (const x of jackknife) {
    const d = mean - x;
    squares += d * d;
    cubes += d * d * d;
  }
  return squares > 0 ? cubes / (6 * squares * Math.sqrt(squares)) : 0;
}

/**
 * The BCa interval. With `df` the tails are widened from the normal's to Student's t (Hesterberg 2015,
 * "expanded percentile"), without which an interval from a handful of clusters is too short.
 */
export function bcaInterval(b: Bootstrapped, level: number, df?: number): { low: number; high: number } {
  const tail = (1 - level) / 2;
  const z = df === undefined ? normalQuantile(tail) : studentQuantile(tail, df);
  return {
    low: quantile(b.replicates, normalCdf(adjusted(b, z))),
    high: quantile(b.replicates, normalCdf(adjusted(b, -z))),
  };
}

/**
 * Two-sided p of "the true value is 0": 1 - the level of the widest BCa interval that leaves 0 out. Where
 * fewer than ten replicates lie on the far side of 0 their share says little, and the normal tail with the
 * bootstrap's standard error takes over; otherwise no p could fall below 2 / replicates.
 */
export function bcaTwoSidedP(b: Bootstrapped, df: number): number {
  const n = b.replicates.length;
  const share = shareBelow(b.replicates, 0);
  if (b.error === 0) return b.estimate === 0 ? 1 : 0;
  let z = normalQuantile(share);
  const edge = -normalQuantile(Math.min(0.5, 10 / n));
  if (Math.abs(z) > edge) {
    const tail = Math.max(edge, Math.abs(b.estimate) / b.error);
    z = z < 0 ? -tail : tail;
  }
  const w = z - b.bias;
  const scale = 1 + b.acceleration * w;
  // scale <= 0: 0 lies beyond everything the transformation can reach.
  return scale > 0 ? studentTwoSided(w / scale - b.bias, df) : 0;
}

/** Where the level-z point lies on the scale of the replicates (eq. 14.10). */
function adjusted(b: Bootstrapped, z: number): number {
  const w = b.bias + z;
  const scale = 1 - b.acceleration * w;
  if (scale <= 0) return w < 0 ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return b.bias + w / scale;
}

/** Share of the replicates below `x`, ties counted half, kept off 0 and 1. */
function shareBelow(sorted: Float64Array, x: number): number {
  let below = 0;
  let equal = 0;
  for (const value of sorted) {
    if (value < x) below++;
    else if (value === x) equal++;
    else break;
  }
  const n = sorted.length;
  return Math.min(n - 0.5, Math.max(0.5, below + equal / 2)) / n;
}

/** The (n + 1) p-th of `sorted`, interpolated (Efron & Tibshirani 1993, p. 160). */
export function quantile(sorted: Float64Array, p: number): number {
  const n = sorted.length;
  const position = (n + 1) * p - 1;
  if (!(position > 0)) return sorted[0]!;
  if (position >= n - 1) return sorted[n - 1]!;
  const k = Math.floor(position);
  const low = sorted[k]!;
  const high = sorted[k + 1]!;
  return low === high ? low : low + (position - k) * (high - low);
}
