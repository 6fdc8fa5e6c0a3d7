import { Rng } from '../../../core/rng.ts';
import { canonicalJson } from '../../canonical-json.ts';
import { quantile } from '../../compare/bca.ts';

/** How much of a measure's variation over the points of a sweep an axis explains by itself. */
export interface Sensitivity {
  readonly axis: string;
  readonly measure: string;
  /** First-order index: variance of the measure's mean given the axis over its variance, 0..1. */
  readonly share: number;
  /** Percentile interval from points drawn with replacement. */
  readonly low: number;
  readonly high: number;
  /** Spearman's rank correlation with a numeric axis: which way the measure goes. null for the others. */
  readonly correlation: number | null;
  readonly points: number;
}

const RESAMPLES = 500;

/**
 * The first-order sensitivity index (Sobol 1993) of one axis. Over a grid the groups are the axis' levels and the
 * share is exact, the eta squared of an analysis of variance. Over a sampled design a continuous axis is cut into
 * groups of equal size, about the cube root of their number, and the share is corrected for what groups explain by
 * chance (epsilon squared, Kelley 1935).
 * @returns undefined when the axis or the measure does not vary
 */
export function sensitivity(
  axis: string,
  measure: string,
  values: readonly unknown[],
  measures: readonly number[],
  options: { readonly exact: boolean; readonly level: number; readonly seed: number },
): Sensitivity | undefined {
  const n = values.length;
  const groups = grouped(values, options.exact);
  const k = new Set(groups).size;
  if (k < 2 || n <= k || new Set(measures).size < 2) return undefined;
  const indices = Array.from({ length: n }, (_, i) => i);
  const share = explained(groups, measures, indices, !options.exact);
  const rng = new Rng(options.seed, 'sensitivity', axis, measure);
  const replicates = new Float64Array(RESAMPLES);
  for (let b = 0; b < RESAMPLES; b++) {
    replicates[b] = explained(
      groups,
      measures,
      indices.map(() => rng.int(n)),
      // Points drawn twice make any grouping explain something; without the correction 0 would never be covered.
      true,
    );
  }
  replicates.sort();
  const tail = (1 - options.level) / 2;
  const numeric = values.every((value) => typeof value === 'number');
  return {
    axis,
    measure,
    share,
    low: quantile(replicates, tail),
    high: quantile(replicates, 1 - tail),
    correlation: numeric ? correlation(ranks(values as number[]), ranks(measures)) : null,
    points: n,
  };
}

/** Group of every point: its level, or its part of a continuous axis. */
function grouped(values: readonly unknown[], exact: boolean): number[] {
  const texts = values.map((value) => canonicalJson(value));
  const levels = [...new Set(texts)];
  const parts = Math.max(2, Math.round(Math.cbrt(values.length)));
  const continuous =
    !exact && levels.length > 2 * parts && values.every((value) => typeof value === 'number');
  if (!continuous) {
    const index = new Map(levels.map((level, i) => [level, i]));
    return texts.map((text) => index.get(text)!);
  }
  const rank = ranks(values as number[]);
  return rank.map((r) => Math.min(parts - 1, Math.floor(((r - 0.5) * parts) / values.length)));
}

/** Between-group share of the variance of the drawn points. */
function explained(
  groups: readonly number[],
  measures: readonly number[],
  drawn: readonly number[],
  correct: boolean,
): number {
  const sums = new Map<number, { count: number; sum: number }>();
  let total = 0;
  for (const i of drawn) {
    const group = sums.get(groups[i]!) ?? { count: 0, sum: 0 };
    group.count++;
    group.sum += measures[i]!;
    sums.set(groups[i]!, group);
    total += measures[i]!;
  }
  const n = drawn.length;
  const mean = total / n;
  let squares = 0;
  for (const i of drawn) squares += (measures[i]! - mean) * (measures[i]! - mean);
  if (!(squares > 0)) return 0;
  let between = 0;
  for (const { count, sum } of sums.values()) between += count * (sum / count - mean) * (sum / count - mean);
  const eta = Math.min(1, between / squares);
  const k = sums.size;
  if (!correct || n <= k) return eta;
  return Math.max(0, 1 - ((1 - eta) * (n - 1)) / (n - k));
}

/** Ranks from 1, ties at their mean. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const rank = new Array<number>(values.length);
  for (let i = 0; i < order.length; ) {
    let j = i;
    while (j < order.length && values[order[j]!] === values[order[i]!]) j++;
    for (let m = i; m < j; m++) rank[order[m]!] = (i + j + 1) / 2;
    i = j;
  }
  return rank;
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const n = a.length;
  const meanA = a.reduce((sum, x) => sum + x, 0) / n;
  const meanB = b.reduce((sum, x) => sum + x, 0) / n;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < n; i++) {
    const da = a[i]! - meanA;
    const db = b[i]! - meanB;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / Math.sqrt(aa * bb) : 0;
}
