import { grown, R } from '../model.ts';

/** The distinct entries of a symmetric R x R matrix: their rows, their columns, and the entry of each (a, b). */
const ENTRIES = 10;
const ROW = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3] as const;
const COLUMN = [0, 1, 2, 3, 1, 2, 3, 2, 3, 3] as const;
const ENTRY = [0, 1, 2, 3, 1, 4, 5, 6, 2, 5, 7, 8, 3, 6, 8, 9] as const;

/**
 * Exponentially weighted means and covariances of R-vectors for each of many ids, from a batch of vectors an hour. An
 * hour counts once however many vectors it has. A batch whose differences from the old mean m have mean d and
 * mean product S makes it m + a d, and the covariance (1 - a) C + a S - a^2 d d': for a batch of one the
 * update of Finch (Incremental calculation of weighted mean and variance, 2009). 280 bytes an id.
 */
export class Moments {
  /** id x R. */
  mean = new Float64Array(0);
  /** Batches folded in, id x R. */
  batches = new Int32Array(0);
  readonly #weight: number;
  #covariance = new Float64Array(0);
  /** Of the open batch: sums of differences, sums of their products, and how many. */
  #difference = new Float64Array(0);
  #product = new Float64Array(0);
  #count = new Int32Array(0);
  readonly #weights = new Float64Array(R);

  /** @param weight of the newest batch; before there are 1 / weight, all weigh the same */
  constructor(weight: number) {
    this.#weight = weight;
  }

  grow(ids: number): void {
    this.mean = grown(this.mean, ids * R);
    this.batches = grown(this.batches, ids * R);
    this.#covariance = grown(this.#covariance, ids * ENTRIES);
    this.#difference = grown(this.#difference, ids * R);
    this.#product = grown(this.#product, ids * ENTRIES);
    this.#count = grown(this.#count, ids * ENTRIES);
  }

  /** Adds the vector at x[from .. from + R) to the open batch; elements that are NaN are left out. */
  add(id: number, x: Float64Array, from: number): void {
    const { mean, batches } = this;
    const count = this.#count;
    const product = this.#product;
    const means = id * R;
    const entries = id * ENTRIES;
    for (let r = 0; r < R; r++) {
      const value = x[from + r]!;
      if (Number.isNaN(value)) continue;
      // The first value ever is the origin: a constant has exactly no variance.
      if (batches[means + r] === 0 && count[entries + ENTRY[r * R + r]!] === 0) mean[means + r] = value;
      this.#difference[means + r]! += value - mean[means + r]!;
    }
    let e = entries;
    for (let a = 0; a < R; a++) {
      const difference = x[from + a]! - mean[means + a]!;
      for (let b = a; b < R; b++, e++) {
        const both = difference * (x[from + b]! - mean[means + b]!);
        if (Number.isNaN(both)) continue;
        product[e]! += both;
        count[e]!++;
      }
    }
  }

  /** Folds the open batch in and writes its mean to `batch`, NaN for what it did not have. */
  close(id: number, batch: Float64Array): void {
    const { mean, batches } = this;
    const weights = this.#weights;
    const means = id * R;
    const entries = id * ENTRIES;
    for (let r = 0; r < R; r++) {
      batch[r] = this.#difference[means + r]! / this.#count[entries + ENTRY[r * R + r]!]!;
      weights[r] = Math.max(this.#weight, 1 / (batches[means + r]! + 1));
    }
    for (let e = 0; e < ENTRIES; e++) {
      const n = this.#count[entries + e]!;
      if (n === 0) continue;
      const a = ROW[e]!;
      const b = COLUMN[e]!;
      const w = Math.max(weights[a]!, weights[b]!);
      const old = this.#covariance[entries + e]!;
      const product = this.#product[entries + e]! / n;
      this.#covariance[entries + e] = (1 - w) * old + w * product - w * w * batch[a]! * batch[b]!;
      this.#product[entries + e] = 0;
      this.#count[entries + e] = 0;
    }
    for (let r = 0; r < R; r++) {
      const difference = batch[r]!;
      if (Number.isNaN(difference)) continue;
      batch[r] = mean[means + r]! + difference;
      mean[means + r]! += weights[r]! * difference;
      batches[means + r]!++;
      this.#difference[means + r] = 0;
    }
  }

  covariance(id: number, a: number, b: number): number {
    return this.#covariance[id * ENTRIES + ENTRY[a * R + b]!]!;
  }
}
