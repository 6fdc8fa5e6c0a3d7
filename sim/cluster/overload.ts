import { orderStatistic } from '../../core/order-statistic.ts';

/** Samples of host load that the adaptive detectors look back on, and the fewest they need. */
export const LOAD_HISTORY = 30;
const FEWEST = 12;
/** Samples the local regression fits: few, so that it follows the latest. */
const REGRESSED = 10;
/** Threshold of a detector that has not seen enough yet. */
const FALLBACK = 0.7;

/**
 * Overload detection of Beloglazov and Buyya (CCPE 2012, section 6.1): a fixed threshold, thresholds lowered by the
 * spread of the load (inter-quartile range, median absolute deviation), or a local regression that looks one migration
 * ahead.
 */
export type OverloadRule =
  | { readonly kind: 'thr'; readonly threshold: number }
  | { readonly kind: 'iqr' | 'mad' | 'lr'; readonly safety: number };

const scratch = new Float64Array(LOAD_HISTORY);

/**
 * Whether a host is overloaded.
 * @param load requested / capacity now
 * @param history past loads of the VMs that are on it, the latest first, from `from` on
 * @param count how many of them there are
 * @param ahead intervals that moving its largest VM away takes
 */
export function overloaded(
  rule: OverloadRule,
  load: number,
  history: Float64Array,
  from: number,
  count: number,
  ahead: number,
): boolean {
  if (rule.kind === 'thr') return load > rule.threshold;
  const n = known(history, from, count);
  if (rule.kind === 'lr') {
    if (n < REGRESSED) return load > FALLBACK;
    return rule.safety * regressed(history, from, ahead) >= 1;
  }
  if (n < FEWEST) return load > FALLBACK;
  const spread = rule.kind === 'iqr' ? interquartileRange(history, from, n) : deviation(history, from, n);
  return load > 1 - rule.safety * spread;
}

/** Samples up to the oldest at which any of the VMs did anything. */
function known(history: Float64Array, from: number, count: number): number {
  let n = count;
  while (n > 0 && history[from + n - 1] === 0) n--;
  return n;
}

/** Third minus first quartile, each the nearest rank of (n + 1) q. */
export function interquartileRange(values: Float64Array, from: number, n: number): number {
  const rank = (q: number) => Math.round(q * (n + 1)) - 1;
  const at = (q: number) => {
    for (let i = 0; i < n; i++) scratch[i] = values[from + i]!;
    return orderStatistic(scratch, n, rank(q));
  };
  return at(0.75) - at(0.25);
}

/** Median of the distances from the median. */
export function deviation(values: Float64Array, from: number, n: number): number {
  for (let i = 0; i < n; i++) scratch[i] = values[from + i]!;
  const middle = median(n);
  for (let i = 0; i < n; i++) scratch[i] = Math.abs(middle - values[from + i]!);
  return median(n);
}

/** Median of scratch[0..n); it may come out in another order. */
function median(n: number): number {
  const upper = orderStatistic(scratch, n, n >> 1);
  return n % 2 === 1 ? upper : (upper + orderStatistic(scratch, n, (n >> 1) - 1)) / 2;
}

/**
 * The least-squares line through the last ten loads, `ahead` intervals past the latest. The paper weighs them by the
 * tricube function; its CloudSim code applies the weights only to series that are mostly zeros, so never, and so do we.
 */
export function regressed(history: Float64Array, from: number, ahead: number): number {
  const n = REGRESSED;
  const centre = (n + 1) / 2;
  let sum = 0;
  let slope = 0;
  for (let i = 0; i < n; i++) {
    const y = history[from + n - 1 - i]!;
    sum += y;
    slope += (i + 1 - centre) * y;
  }
  slope /= (n * (n * n - 1)) / 12;
  return sum / n + slope * (n + ahead - centre);
}
