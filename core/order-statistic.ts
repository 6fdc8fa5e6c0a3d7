/** Where no more than this share is larger, few values pass a guessed threshold and need to be looked at again. */
const TAIL = 0.06;
/** Values that a threshold is guessed from. */
const SAMPLE = 16;
const candidates = new Float64Array(1440);

/**
 * The element that would stand at `rank` (0-based) if a[0..n) were sorted; no NaN. May reorder a.
 *
 * Written without branches on the values, which no processor could foresee: a comparison is added as 0 or 1.
 */
export function orderStatistic(a: Float32Array | Float64Array, n: number, rank: number): number {
  const count = n - rank;
  // A p95 of a day is the least of the top 15 of 288.
  if (count > TAIL * n || n < 8 * SAMPLE || n > candidates.length) return select(a, n, rank);
  const found = keepFrom(a, n, guess(a, n), candidates);
  // Where the threshold was guessed too high, all are looked at.
  return found < count ? select(a, n, rank) : select(candidates, found, found - count);
}

/** The third largest of a sample: about 50 of 288 reach it, and fewer than 15 in one of twenty cases. */
function guess(a: Float32Array | Float64Array, n: number): number {
  const stride = Math.floor(n / SAMPLE);
  let first = Number.NEGATIVE_INFINITY;
  let second = first;
  let third = first;
  for (let i = 0; i < SAMPLE; i++) {
    const value = a[i * stride]!;
    if (value <= third) continue;
    if (value <= second) third = value;
    else {
      third = second;
      if (value <= first) second = value;
      else {
        second = first;
        first = value;
      }
    }
  }
  return third;
}

/** Copies the values from `least` on to `out`, four at a turn, and tells how many they are. */
function keepFrom(a: Float32Array | Float64Array, n: number, least: number, out: Float64Array): number {
  let found = 0;
  let i = 0;
  for (const end = n - 3; i < end; i += 4) {
    const v = a[i]!;
    const w = a[i + 1]!;
    const x = a[i + 2]!;
    const y = a[i + 3]!;
    out[found] = v;
    found += +(v >= least);
    out[found] = w;
    found += +(w >= least);
    out[found] = x;
    found += +(x >= least);
    out[found] = y;
    found += +(y >= least);
  }
  for (; i < n; i++) {
    const v = a[i]!;
    out[found] = v;
    found += +(v >= least);
  }
  return found;
}

/** Hoare's selection with a median of three and Lomuto's partition, equal values apart. */
function select(a: Float32Array | Float64Array, n: number, rank: number): number {
  let low = 0;
  let high = n - 1;
  while (low < high) {
    const x = a[low]!;
    const y = a[(low + high) >> 1]!;
    const z = a[high]!;
    const pivot = Math.max(Math.min(x, y), Math.min(Math.max(x, y), z));
    let below = low;
    for (let i = low; i <= high; i++) {
      const value = a[i]!;
      a[i] = a[below]!;
      a[below] = value;
      below += +(value < pivot);
    }
    if (rank < below) {
      high = below - 1;
      continue;
    }
    let upTo = below;
    for (let i = below; i <= high; i++) {
      const value = a[i]!;
      a[i] = a[upTo]!;
      a[upTo] = value;
      upTo += +(value === pivot);
    }
    if (rank < upTo) return pivot;
    low = upTo;
  }
  return a[rank]!;
}
