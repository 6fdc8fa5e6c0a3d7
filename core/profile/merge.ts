import { R, RESOURCES, type Resource } from '../model.ts';
import { type Baselines, BUCKETS, bucketEnd, DAY, WEEK } from './baselines.ts';
import type { Shapes } from './shapes.ts';
import { BASELINE_QUANTILES, type ResourceBaseline } from './types.ts';

/** Distribution of hourly peaks over some pairs: for each resource, weights by bucket, their sum, and the range seen. */
export class PeakDistribution {
  readonly #weights = new Float64Array(R * BUCKETS);
  readonly #total = new Float64Array(R);
  readonly #least = new Float64Array(R).fill(Number.POSITIVE_INFINITY);
  readonly #largest = new Float64Array(R);
  readonly #requested = new Float64Array(R);

  constructor(baselines: Baselines, pairs: readonly number[]) {
    for (const pair of pairs) {
      for (let r = 0; r < R; r++) {
        const i = pair * R + r;
        for (let b = 0; b < BUCKETS; b++) this.#weights[r * BUCKETS + b]! += baselines.peaks.weight(i, b);
        this.#total[r]! += baselines.weight(pair, r);
        this.#requested[r]! += baselines.requested(pair, r);
        this.#least[r] = Math.min(this.#least[r]!, baselines.least[i]!);
        this.#largest[r] = Math.max(this.#largest[r]!, baselines.largest[i]!);
      }
    }
  }

  /** The end of the first bucket whose cumulative weight reaches q x total, within what was seen; NaN if nothing was. */
  quantile(resource: number, q: number): number {
    const total = this.#total[resource]!;
    if (total === 0) return Number.NaN;
    let sum = 0;
    let bucket = -1;
    while (bucket < BUCKETS - 1 && (sum < q * total || sum === 0)) {
      sum += this.#weights[resource * BUCKETS + ++bucket]!;
    }
    return Math.min(this.#largest[resource]!, Math.max(this.#least[resource]!, bucketEnd(resource, bucket)));
  }

  /** Mean size requested; NaN if nothing was seen. */
  requested(resource: number): number {
    return this.#requested[resource]! / this.#total[resource]!;
  }
}

/** The baselines of some pairs as one: each pair counts by its weighted VM-hours. */
export function mergeResources(
  baselines: Baselines,
  pairs: readonly number[],
): { resources: Record<Resource, ResourceBaseline>; correlation: number[][] } {
  const peaks = new PeakDistribution(baselines, pairs);
  const mean = RESOURCES.map((_, r) =>
    weighted(baselines, pairs, r, (p) => baselines.moments.mean[p * R + r]!),
  );
  // Within pairs and between them: E[C] + E[(m - mean)(m - mean)'].
  const covariance = RESOURCES.map((_, a) =>
    RESOURCES.map((_, b) =>
      weighted(baselines, pairs, a, (p) => {
        const m = baselines.moments.mean;
        return (
          baselines.moments.covariance(p, a, b) + (m[p * R + a]! - mean[a]!) * (m[p * R + b]! - mean[b]!)
        );
      }),
    ),
  );
  const deviation = covariance.map((row, r) => Math.sqrt(Math.max(0, row[r]!)));
  const resource = (r: number): ResourceBaseline => {
    const daily = ratios(shape(baselines, pairs, r, baselines.daily, DAY), () => 1);
    return {
      mean: mean[r]!,
      cv: mean[r]! > 0 ? deviation[r]! / mean[r]! : 0,
      quantiles: Object.fromEntries(
        BASELINE_QUANTILES.map((q) => [q, peaks.quantile(r, Number(q)) || 0]),
      ) as ResourceBaseline['quantiles'],
      daily,
      weekly: ratios(shape(baselines, pairs, r, baselines.weekly, WEEK), (h) => daily[h % DAY]!),
      trendPerDay: weighted(baselines, pairs, r, (p) => baselines.trends.slope(p * R + r)),
      requested: peaks.requested(r) || 0,
      samples: pairs.reduce((sum, p) => sum + baselines.samples[p * R + r]!, 0),
    };
  };
  return {
    resources: Object.fromEntries(RESOURCES.map((name, r) => [name, resource(r)])) as Record<
      Resource,
      ResourceBaseline
    >,
    correlation: RESOURCES.map((_, a) =>
      RESOURCES.map((_, b) => {
        if (a === b) return 1;
        const scale = deviation[a]! * deviation[b]!;
        const both = (covariance[a]![b]! + covariance[b]![a]!) / 2;
        return scale > 0 ? Math.max(-1, Math.min(1, both / scale)) : 0;
      }),
    ),
  };
}

/** Mean over pairs by weight; NaN values are left out, 0 if none is left. */
function weighted(
  baselines: Baselines,
  pairs: readonly number[],
  resource: number,
  value: (pair: number) => number,
): number {
  let sum = 0;
  let total = 0;
  for (const pair of pairs) {
    const weight = baselines.weight(pair, resource);
    const v = value(pair);
    if (weight === 0 || Number.isNaN(v)) continue;
    sum += weight * v;
    total += weight;
  }
  return total > 0 ? sum / total : 0;
}

/** What is usual at each hour of a cycle; NaN for an hour that no pair has seen. */
function shape(
  baselines: Baselines,
  pairs: readonly number[],
  resource: number,
  shapes: Shapes,
  length: number,
): number[] {
  return Array.from({ length }, (_, hour) => {
    const seen = pairs.filter((p) => !Number.isNaN(shapes.at(p, resource, hour)));
    return seen.length === 0
      ? Number.NaN
      : weighted(baselines, seen, resource, (p) => shapes.at(p, resource, hour));
  });
}

/** Each as a ratio to the mean of those that are known; 1 for all if that is 0, `otherwise` for the unknown. */
function ratios(values: readonly number[], otherwise: (hour: number) => number): number[] {
  const known = values.filter((v) => !Number.isNaN(v));
  const mean = known.reduce((a, b) => a + b, 0) / known.length;
  return values.map((v, hour) => (Number.isNaN(v) ? otherwise(hour) : mean === 0 ? 1 : v / mean));
}
