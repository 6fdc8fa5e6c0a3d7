import { exp2, normalQuantile } from '../math.ts';
import { grown, R } from '../model.ts';
import { pack, unpack } from './float-codec.ts';
import type { Hierarchy } from './hierarchy.ts';
import type { SavedState } from './model-document.ts';
import { BINS, binOf, LAPLACE, mixtureQuantiles, type Part } from './score-histogram.ts';

/** Levels that are tabulated; others are interpolated on the normal scale. */
export const GRID = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995] as const;
export const G = GRID.length;
export const PROBITS: readonly number[] = GRID.map(normalQuantile);
/** First step of each bucket of steps that share their scores; the last goes to STEPS. */
export const BUCKETS = [1, 2, 3, 7] as const;
export const B = BUCKETS.length;

/** Half-life of a score, ticks. */
const MEMORY = 600;
/** Ticks between refreshes of a pair's offsets, and of its parents' histograms. */
const REFRESH = 12;
const POOL = 72;
/** Pseudo-scores with which a parent's histogram enters its child's. */
const PARENT_WEIGHT = 12;
/** Weights grow instead of the past shrinking; after so many ticks everything is brought back to scale. */
const RESCALE = 8 * MEMORY;

/**
 * The scores of past forecasts per row of the hierarchy, resource, bucket of steps and level, as histograms that
 * forget exponentially, and the offsets they imply. `rb` is (row * R + resource) * B + bucket.
 */
export class Scores {
  /** Offset of each level of the grid, in spreads: rb * G + g. */
  offsets = new Float32Array(0);
  readonly #hierarchy: Hierarchy;
  readonly #levels: number;
  /** Which of the levels each level of the grid starts from. */
  readonly #base: ArrayLike<number>;
  readonly #first: number;
  #histograms = new Float32Array(0);
  /** Mass of each histogram. */
  #mass = new Float64Array(0);
  /** Histograms of the parents, completed by their own parents', each summing to 1. */
  #pooled = new Float32Array(0);
  #rows = 0;
  #clock = 0;
  #weight = 1;
  readonly #quantiles = new Float64Array(G);

  /** @param first bucket that is scored; those before it have no offsets */
  constructor(hierarchy: Hierarchy, levels: number, base: ArrayLike<number>, first = 0) {
    this.#first = first;
    this.#hierarchy = hierarchy;
    this.#levels = levels;
    this.#base = base;
    this.grow();
  }

  /** Makes room for the rows of the hierarchy; a new one starts with what its parent knows. */
  grow(): void {
    const { size } = this.#hierarchy;
    if (size === this.#rows) return;
    const perRow = R * B * this.#levels * BINS;
    if (size * R * B * G > this.offsets.length) {
      const capacity = Math.max(size, 2 * this.#rows);
      this.#histograms = grown(this.#histograms, capacity * perRow);
      this.#mass = grown(this.#mass, capacity * R * B * this.#levels);
      this.#pooled = grown(this.#pooled, capacity * perRow);
      this.offsets = grown(this.offsets, capacity * R * B * G);
    }
    for (let row = this.#rows; row < size; row++) {
      if (!this.#hierarchy.isPair(row)) this.#pool(row);
      this.#refresh(row);
    }
    this.#rows = size;
  }

  add(rb: number, level: number, score: number): void {
    const k = rb * this.#levels + level;
    this.#histograms[k * BINS + binOf(score)]! += this.#weight;
    this.#mass[k]! += this.#weight;
  }

  /** Ends the scoring of a tick: refreshes the offsets of the rows that are due. */
  tick(t: number): void {
    const { size } = this.#hierarchy;
    if (t % POOL === 0) this.#poolAll();
    for (let row = t % REFRESH; row < size; row += REFRESH)
      if (this.#hierarchy.isPair(row)) this.#refresh(row);
    if (t - this.#clock >= RESCALE) this.#rescale(t);
    this.#weight = exp2((t + 1 - this.#clock) / MEMORY);
  }

  #rescale(t: number): void {
    const scale = exp2((this.#clock - t) / MEMORY);
    for (let k = 0; k < this.#histograms.length; k++) this.#histograms[k]! *= scale;
    for (let k = 0; k < this.#mass.length; k++) this.#mass[k]! *= scale;
    this.#clock = t;
  }

  /** Histograms of every application and of all, from those of the pairs. */
  #poolAll(): void {
    const { size } = this.#hierarchy;
    const per = R * B * this.#levels;
    this.#hierarchy.sumUp(this.#histograms, per * BINS);
    this.#hierarchy.sumUp(this.#mass, per);
    for (let row = 0; row < size; row++) if (!this.#hierarchy.isPair(row)) this.#pool(row);
  }

  #pool(row: number): void {
    const per = R * B * this.#levels;
    for (let k = row * per; k < (row + 1) * per; k++) {
      const { own, prior } = this.#parts(row, k);
      for (let bin = 0; bin < BINS; bin++) {
        this.#pooled[k * BINS + bin] =
          own.weight * own.array[own.from + bin]! + prior.weight * prior.array[prior.from + bin]!;
      }
    }
  }

  /** Histogram k of a row, and its parent's, weighted to a mass of 1. */
  #parts(row: number, k: number): { own: Part; prior: Part } {
    const per = R * B * this.#levels;
    const parent = this.#hierarchy.parent[row]!;
    const mass = this.#mass[k]!;
    const count = mass / this.#weight;
    const share = count / (count + PARENT_WEIGHT);
    return {
      own: { array: this.#histograms, from: k * BINS, weight: mass > 0 ? share / mass : 0 },
      prior:
        parent < 0
          ? { array: LAPLACE, from: 0, weight: 1 - share }
          : { array: this.#pooled, from: (parent * per + (k % per)) * BINS, weight: 1 - share },
    };
  }

  #refresh(row: number): void {
    for (let rb = row * R * B; rb < (row + 1) * R * B; rb++) {
      if (rb % B < this.#first) continue;
      for (let level = 0; level < this.#levels; level++) {
        const { own, prior } = this.#parts(row, rb * this.#levels + level);
        mixtureQuantiles(own, prior, GRID, this.#quantiles);
        for (let g = 0; g < G; g++) {
          if (this.#base[g] === level) this.offsets[rb * G + g] = this.#quantiles[g]!;
        }
      }
    }
  }

  save(row: number): SavedState {
    return { clock: this.#clock, columns: pack(this.#columns(row)) };
  }

  /** Puts a row back that was saved after tick `t`. */
  load(row: number, saved: SavedState, t: number): void {
    const clock = saved['clock'];
    if (typeof clock !== 'number' || !(clock <= t)) throw new RangeError('scores without a clock');
    unpack(saved['columns'], this.#columns(row));
    if (this.#clock < clock) this.#rescale(clock);
    this.#weight = exp2((t + 1 - this.#clock) / MEMORY);
    if (this.#clock === clock) return;
    const scale = exp2((clock - this.#clock) / MEMORY);
    const [histograms, mass] = this.#columns(row);
    for (const column of [histograms!, mass!]) for (let k = 0; k < column.length; k++) column[k]! *= scale;
  }

  #columns(row: number): (Float64Array | Float32Array)[] {
    const per = R * B * this.#levels;
    return [
      this.#histograms.subarray(row * per * BINS, (row + 1) * per * BINS),
      this.#mass.subarray(row * per, (row + 1) * per),
      this.offsets.subarray(row * R * B * G, (row + 1) * R * B * G),
      ...(this.#hierarchy.isPair(row)
        ? []
        : [this.#pooled.subarray(row * per * BINS, (row + 1) * per * BINS)]),
    ];
  }
}
