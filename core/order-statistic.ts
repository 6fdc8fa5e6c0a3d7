/** Up to this many largest values are kept in order by insertion, which branches far less than partitioning. */
const MOST_KEPT = 32;
const kept = new Float64Array(MOST_KEPT);

/** Sorted sample that a first guess of the threshold is taken from. */
const SAMPLE = 16;
const sample = new Float64Array(SAMPLE);
let candidates = new Float64Array(512);

/** The element that would stand at `rank` (0-based) if a[0..n) were sorted. May reorder a. */
export function orderStatistic(a: Float32Array | Float64Array, n: number, rank: number): number {
  return n - rank <= MOST_KEPT ? smallestOfLargest(a, n, n - rank) : quickselect(a, n, rank);
}

/**
 * The smallest of the `count` largest values: a p95 of a day needs only the top 15 of 288. A threshold guessed from a
 * sample leaves few to put in order; where it was guessed too high, all are looked at.
 */
function smallestOfLargest(a: Float32Array | Float64Array, n: number, count: number): number {
  if (n < 8 * SAMPLE) return smallestByInsertion(a, n, count);
  const stride = Math.floor(n / SAMPLE);
  for (let i = 0; i < SAMPLE; i++) insert(sample, i, a[i * stride]!);
  const share = Math.max(0, 1 - (2 * count) / n - 1 / SAMPLE);
  const threshold = sample[Math.floor(share * SAMPLE)]!;
  if (candidates.length < n) candidates = new Float64Array(n);
  let found = 0;
  for (let i = 0; i < n; i++) {
    const value = a[i]!;
    candidates[found] = value;
    if (value >= threshold) found++;
  }
  return found >= count ? smallestByInsertion(candidates, found, count) : smallestByInsertion(a, n, count);
}

function smallestByInsertion(a: Float32Array | Float64Array, n: number, count: number): number {
  for (let i = 0; i < count; i++) insert(kept, i, a[i]!);
  for (let i = count; i < n; i++) {
    const value = a[i]!;
    if (value <= kept[0]!) continue;
    let j = 1;
    for (; j < count && kept[j]! < value; j++) kept[j - 1] = kept[j]!;
    kept[j - 1] = value;
  }
  return kept[0]!;
}

/** Puts `value` in its place among the ascending sorted[0..length). */
function insert(sorted: Float64Array, length: number, value: number): void {
  let j = length;
  for (; j > 0 && sorted[j - 1]! > value; j--) sorted[j] = sorted[j - 1]!;
  sorted[j] = value;
}

/** Hoare's selection with a median of three, expected 2n comparisons. */
function quickselect(a: Float32Array | Float64Array, n: number, rank: number): number {
  let low = 0;
  let high = n - 1;
  while (low < high) {
    const x = a[low]!;
    const y = a[(low + high) >> 1]!;
    const z = a[high]!;
    const pivot = Math.max(Math.min(x, y), Math.min(Math.max(x, y), z));
    let i = low;
    let j = high;
    while (i <= j) {
      while (a[i]! < pivot) i++;
      while (a[j]! > pivot) j--;
      if (i <= j) {
        const t = a[i]!;
        a[i] = a[j]!;
        a[j] = t;
        i++;
        j--;
      }
    }
    if (rank <= j) high = j;
    else if (rank >= i) low = i;
    else break;
  }
  return a[rank]!;
}
