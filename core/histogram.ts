import { pow } from './math.ts';
import { grown } from './model.ts';

const float = new Float32Array(1);
const floatBits = new Uint32Array(float.buffer);
/** Upper 16 bits of the 32-bit float 1: sign, exponent and 7 bits of the mantissa. */
const ONE = 0x3f80;

/**
 * Buckets that widen geometrically: bucket n starts at first x (ratio^n - 1) / (ratio - 1), so the first is `first`
 * wide and each next one `ratio` times wider. The last bucket takes whatever is larger. This is the exponential
 * histogram of the Kubernetes VPA (recommender/util/histogram_options.go).
 */
export class BucketGrid {
  /** Number of buckets: ceil(log_ratio(max x (ratio - 1) / first + 1)) + 1. */
  readonly count: number;
  /** Start of each bucket. */
  readonly starts: Float64Array;
  /** End of each bucket; of the last, which has none, its start. What a percentile reads as. */
  readonly ends: Float64Array;
  readonly #scale: number;
  /** Bucket at the lower edge of each cell of y = value x (ratio - 1) / first + 1, 128 cells to an octave. */
  readonly #cells: Uint16Array;

  /** @param first width of the first bucket, @param max largest value to resolve; of one unit */
  constructor(first: number, max: number, ratio: number) {
    this.#scale = (ratio - 1) / first;
    const reach = max * this.#scale + 1;
    let power = 1;
    while (pow(ratio, power) < reach) power++;
    this.count = power + 1;
    this.starts = Float64Array.from({ length: this.count }, (_, n) => (pow(ratio, n) - 1) / this.#scale);
    this.starts[1] = first;
    this.ends = Float64Array.from({ length: this.count }, (_, n) => this.starts[n + 1] ?? this.starts[n]!);

    let octaves = 0;
    while (2 ** octaves < reach * ratio) octaves++;
    this.#cells = new Uint16Array(octaves * 128);
    let bucket = 0;
    for (let cell = 0; cell < this.#cells.length; cell++) {
      floatBits[0] = (ONE + cell) << 16;
      const edge = (float[0]! - 1) / this.#scale;
      while (bucket < this.count - 1 && this.starts[bucket + 1]! <= edge) bucket++;
      this.#cells[cell] = bucket;
    }
  }

  /** The bucket of a value >= 0. Without a logarithm: a table over the bits of a 32-bit float, and one comparison. */
  find(value: number): number {
    float[0] = value * this.#scale + 1;
    const cell = (floatBits[0]! >>> 16) - ONE;
    if (cell >= this.#cells.length) return this.count - 1;
    const bucket = this.#cells[cell]!;
    // A cell is at most 1/128 wide and a bucket `ratio` - 1: the value lies in this bucket or the next, or,
    // when rounding to 32 bits took it over the cell's edge, in the one before.
    if (bucket < this.count - 1 && value >= this.starts[bucket + 1]!) return bucket + 1;
    return value < this.starts[bucket]! ? bucket - 1 : bucket;
  }
}

/**
 * Weighted histograms as columns, each with the buckets of a few percentiles kept up to date: 4 bytes a bucket. Weights
 * grow instead of decaying (the newest weighs most); `scale` brings all of them down again.
 *
 * The percentile p is in the first bucket whose cumulative weight reaches p x total. Its bucket is moved as samples
 * come, from running sums, instead of being searched for. It is the bucket a search finds unless a cumulative weight
 * is within 1e-5 of p x total, because buckets are 32-bit floats; every change of range brings both together again.
 * A bucket lighter than `epsilon` counts as empty.
 */
export class Histograms {
  readonly buckets: number;
  readonly #percentiles: readonly number[];
  readonly #epsilon: number;
  #weights = new Float32Array(0);
  /** Per histogram: first and last bucket that is not empty, then the bucket of each percentile. */
  #marks = new Uint16Array(0);
  /** Per histogram: total weight, then, of each percentile's bucket, the weight before it and up to its end. */
  #sums = new Float64Array(0);
  readonly #marksEach: number;
  readonly #sumsEach: number;

  /** @param percentiles which to keep up to date, as fractions */
  constructor(buckets: number, percentiles: readonly number[], epsilon: number) {
    this.buckets = buckets;
    this.#percentiles = percentiles;
    this.#epsilon = epsilon;
    this.#marksEach = 2 + percentiles.length;
    this.#sumsEach = 1 + 2 * percentiles.length;
  }

  grow(length: number): void {
    this.#weights = grown(this.#weights, length * this.buckets);
    this.#marks = grown(this.#marks, length * this.#marksEach);
    this.#sums = grown(this.#sums, length * this.#sumsEach);
  }

  clear(i: number): void {
    this.#weights.fill(0, i * this.buckets, (i + 1) * this.buckets);
    this.#sums[i * this.#sumsEach] = 0;
    this.#marks[i * this.#marksEach] = this.buckets - 1;
    this.#marks[i * this.#marksEach + 1] = 0;
  }

  /** Total weight; 0 while the histogram is empty. */
  total(i: number): number {
    return this.#sums[i * this.#sumsEach]!;
  }

  /** Bucket of the percentile of that number in the list given. Meaningless while the histogram is empty. */
  bucket(i: number, percentile: number): number {
    return this.#marks[i * this.#marksEach + 2 + percentile]!;
  }

  add(i: number, bucket: number, weight: number): void {
    this.pour(i, bucket, weight);
    this.follow(i, bucket, weight);
  }

  /**
   * First half of `add`: the bucket itself. A loop over a fleet that first pours all its samples lets the processor
   * wait for many buckets at once; most are in no cache.
   */
  pour(i: number, bucket: number, weight: number): void {
    this.#weights[i * this.buckets + bucket]! += weight;
  }

  /** Second half of `add`: the total and the percentiles. */
  follow(i: number, bucket: number, weight: number): void {
    const marks = this.#marks;
    const sums = this.#sums;
    let m = i * this.#marksEach;
    let s = i * this.#sumsEach;
    const total = sums[s]! + weight;
    sums[s] = total;
    if (bucket < marks[m]! || bucket > marks[m + 1]!) {
      this.#widen(i, bucket);
      return;
    }
    const percentiles = this.#percentiles;
    m += 2;
    s += 1;
    for (let p = 0; p < percentiles.length; p++, m++, s += 2) {
      const past = bucket - marks[m]!;
      // Sign bits in place of comparisons, which the processor would guess wrong half the time.
      const before = sums[s]! + weight * (past >>> 31);
      const upTo = sums[s + 1]! + weight * ((past - 1) >>> 31);
      sums[s] = before;
      sums[s + 1] = upTo;
      const threshold = percentiles[p]! * total;
      if (upTo < threshold || before >= threshold) this.#move(i, p, threshold);
    }
  }

  /** Takes a sample out again; what is left below epsilon goes too. */
  subtract(i: number, bucket: number, weight: number): void {
    const at = i * this.buckets + bucket;
    const held = this.#weights[at]!;
    const taken = weight > held - this.#epsilon ? held : weight;
    this.#weights[at] = held - taken;
    this.#sums[i * this.#sumsEach]! -= taken;
    this.#settle(i);
  }

  /** Multiplies the weights of one histogram, to keep growing weights within range. */
  scale(i: number, factor: number): void {
    const end = (i + 1) * this.buckets;
    for (let b = i * this.buckets; b < end; b++) this.#weights[b]! *= factor;
    this.#sums[i * this.#sumsEach]! *= factor;
    this.#settle(i);
  }

  /** Bucket of any percentile, searched for. Meaningless while the histogram is empty. */
  search(i: number, percentile: number): number {
    const threshold = percentile * this.total(i);
    const at = i * this.buckets;
    const high = this.#marks[i * this.#marksEach + 1]!;
    let bucket = this.#marks[i * this.#marksEach]!;
    for (let sum = 0; bucket < high; bucket++) {
      sum += this.#weights[at + bucket]!;
      if (sum >= threshold) break;
    }
    return bucket;
  }

  weight(i: number, bucket: number): number {
    return this.#weights[i * this.buckets + bucket]!;
  }

  #widen(i: number, bucket: number): void {
    if (this.weight(i, bucket) >= this.#epsilon) {
      const m = i * this.#marksEach;
      this.#marks[m] = Math.min(this.#marks[m]!, bucket);
      this.#marks[m + 1] = Math.max(this.#marks[m + 1]!, bucket);
    }
    this.#synchronise(i);
  }

  /** Narrows the range of buckets after weights became smaller. */
  #settle(i: number): void {
    const m = i * this.#marksEach;
    let low = this.#marks[m]!;
    let high = this.#marks[m + 1]!;
    while (low < this.buckets - 1 && this.weight(i, low) < this.#epsilon) low++;
    while (high > 0 && this.weight(i, high) < this.#epsilon) high--;
    this.#marks[m] = low;
    this.#marks[m + 1] = high;
    this.#synchronise(i);
  }

  #synchronise(i: number): void {
    const low = this.#marks[i * this.#marksEach]!;
    for (let p = 0; p < this.#percentiles.length; p++) {
      const bucket = this.search(i, this.#percentiles[p]!);
      let before = 0;
      for (let b = low; b < bucket; b++) before += this.weight(i, b);
      this.#place(i, p, bucket, before, before + this.weight(i, bucket));
    }
  }

  #move(i: number, p: number, threshold: number): void {
    const m = i * this.#marksEach;
    const s = i * this.#sumsEach + 1 + 2 * p;
    const low = this.#marks[m]!;
    const high = this.#marks[m + 1]!;
    let bucket = this.#marks[m + 2 + p]!;
    let before = this.#sums[s]!;
    let upTo = this.#sums[s + 1]!;
    while (upTo < threshold && bucket < high) {
      bucket++;
      before = upTo;
      upTo += this.weight(i, bucket);
    }
    while (before >= threshold && bucket > low) {
      bucket--;
      upTo = before;
      before = bucket === low ? 0 : before - this.weight(i, bucket);
    }
    this.#place(i, p, bucket, before, upTo);
  }

  #place(i: number, p: number, bucket: number, before: number, upTo: number): void {
    this.#marks[i * this.#marksEach + 2 + p] = bucket;
    const s = i * this.#sumsEach + 1 + 2 * p;
    this.#sums[s] = before;
    this.#sums[s + 1] = upTo;
  }
}
