import { grown, R } from '../../model.ts';
import { GLOBAL, type Hierarchy } from '../hierarchy.ts';
import { cholesky, solveFactored } from '../linear-algebra.ts';

/** Added to |error| in the curvature, in units of the terms. */
const SMOOTH = 0.05;
/** Observations that a pair's, and a parent's, coefficients follow: fewer is faster, more is steadier. */
const WINDOW = 100;
const PARENT_WINDOW = 2000;
/** A solution takes at most this share of the way to what the newest observations say. */
const CAUTION = 0.5;
/** Pseudo-observations with which a parent's coefficients enter its child's. */
const PARENT_WEIGHT = 20;
const PRIOR_WEIGHT = 100;
/** Ridge, as a share of the diagonal. */
const RIDGE = 1e-3;

/**
 * Quantile regressions that learn as they go, per row of the hierarchy, resource and model (a bucket of steps and a level).
 *
 * The pinball loss has slope q - 1[error < 0] and hardly any curvature of its own; its majoriser by a parabola
 * (Hunter & Lange 2000, "Quantile regression via an MM algorithm") has curvature 1 / (e + |error|). Observations add to
 * a gradient at the coefficients of the day and, forgotten slowly, to that curvature; a solution is a Newton step
 * on what came since the last. Every observation pulls with at most its slope, however wild it is.
 *
 * Parents learn from all observations below them, and pull their children towards their own coefficients.
 */
export class QuantileEquations {
  readonly p: number;
  readonly models: number;
  /** ((row * R + r) * models + m) * p. */
  coefficients = new Float64Array(0);
  readonly #levels: readonly number[];
  readonly #prior: readonly Float64Array[];
  readonly #hierarchy: Hierarchy;
  readonly #triangle: number;
  /** Lower triangle of the curvature, and the weight of observations in it. */
  #curvature = new Float64Array(0);
  #count = new Float64Array(0);
  /** Sum of slope times terms since the last solution, and how many observations that was. */
  #gradient = new Float64Array(0);
  #fresh = new Float64Array(0);
  #rows = 0;
  readonly #gram: Float64Array;
  readonly #right: Float64Array;

  /**
   * @param levels the quantile of each model
   * @param prior coefficients of each model before anything is known
   */
  constructor(hierarchy: Hierarchy, levels: readonly number[], prior: readonly Float64Array[]) {
    this.#hierarchy = hierarchy;
    this.#levels = levels;
    this.#prior = prior;
    this.models = levels.length;
    this.p = prior[0]!.length;
    this.#triangle = (this.p * (this.p + 1)) / 2;
    this.#gram = new Float64Array(this.p * this.p);
    this.#right = new Float64Array(this.p);
  }

  /** Makes room for the rows of the hierarchy; new ones start with their parent's coefficients. */
  grow(): void {
    const { size, parent } = this.#hierarchy;
    if (size === this.#rows) return;
    const per = R * this.models;
    if (size * per > this.#count.length) {
      const capacity = Math.max(size, 2 * this.#rows) * per;
      this.coefficients = grown(this.coefficients, capacity * this.p);
      this.#gradient = grown(this.#gradient, capacity * this.p);
      this.#curvature = grown(this.#curvature, capacity * this.#triangle);
      this.#count = grown(this.#count, capacity);
      this.#fresh = grown(this.#fresh, capacity);
    }
    for (let row = this.#rows; row < size; row++) {
      if (row === GLOBAL)
        this.#prior.concat(this.#prior, this.#prior, this.#prior).forEach((c, k) => {
          this.coefficients.set(c, k * this.p);
        });
      else {
        const from = parent[row]! * per * this.p;
        this.coefficients.copyWithin(row * per * this.p, from, from + per * this.p);
      }
    }
    this.#rows = size;
  }

  /** Where the coefficients of a model are in `coefficients`. */
  at(row: number, resource: number, model: number): number {
    return ((row * R + resource) * this.models + model) * this.p;
  }

  /**
   * Adds the observation (x, y) to a model of a pair and to its parents'.
   * @returns the pinball loss of the pair's present coefficients
   */
  learn(row: number, resource: number, model: number, x: Float64Array, y: number): number {
    const p = this.p;
    const q = this.#levels[model]!;
    const { parent } = this.#hierarchy;
    let loss = 0;
    for (let up = row; up >= 0; up = parent[up]!) {
      const index = (up * R + resource) * this.models + model;
      const from = index * p;
      let error = y;
      for (let j = 0; j < p; j++) error -= this.coefficients[from + j]! * x[j]!;
      const size = error < 0 ? -error : error;
      // The slope of the smoothed loss: q - 1 far below, q far above.
      const slope = q - 0.5 + (0.5 * error) / (SMOOTH + size);
      for (let j = 0; j < p; j++) this.#gradient[from + j]! += slope * x[j]!;
      this.#fresh[index]!++;
      if (up !== row) continue;
      loss = error < 0 ? (q - 1) * error : q * error;
      const weight = 0.5 / (SMOOTH + size);
      let at = index * this.#triangle;
      for (let a = 0; a < p; a++) {
        const v = weight * x[a]!;
        for (let b = 0; b <= a; b++) this.#curvature[at++]! += v * x[b]!;
      }
      this.#count[index]!++;
    }
    return loss;
  }

  /** Multiplies what a row remembers by `keep`. */
  forget(row: number, keep: number): void {
    const per = R * this.models;
    for (let k = row * per; k < (row + 1) * per; k++) this.#count[k]! *= keep;
    const to = (row + 1) * per * this.#triangle;
    for (let k = row * per * this.#triangle; k < to; k++) this.#curvature[k]! *= keep;
  }

  /** Sums the curvature of every application and of all from the pairs', and solves them. */
  solveParents(): void {
    const { size } = this.#hierarchy;
    const per = R * this.models;
    this.#hierarchy.sumUp(this.#curvature, per * this.#triangle);
    this.#hierarchy.sumUp(this.#count, per);
    for (let row = 0; row < size; row++) if (!this.#hierarchy.isPair(row)) this.solve(row);
  }

  /** Takes a Newton step with what a row learned since the last. What cannot be solved keeps its coefficients. */
  solve(row: number): void {
    const per = R * this.models;
    for (let k = row * per; k < (row + 1) * per; k++) {
      this.#solve(row, k);
      this.#gradient.fill(0, k * this.p, (k + 1) * this.p);
      this.#fresh[k] = 0;
    }
  }

  #solve(row: number, k: number): void {
    const p = this.p;
    const per = R * this.models;
    const parent = this.#hierarchy.teacher(row);
    // The fleet itself is pulled towards the prior, in its own measure.
    const above = parent < 0 ? k : parent * per + (k % per);
    const goal = parent < 0 ? this.#prior[k % this.models]! : this.coefficients;
    const from = parent < 0 ? 0 : above * p;
    const count = this.#count[k]!;
    const fresh = this.#fresh[k]!;
    const parentCount = this.#count[above]!;
    const share = parentCount > 0 ? (parent < 0 ? PRIOR_WEIGHT : PARENT_WEIGHT) / parentCount : 0;
    if (count + parentCount === 0) return;
    const window = this.#hierarchy.isPair(row) ? WINDOW : PARENT_WINDOW;
    const gain =
      fresh > 0 ? Math.min(Math.max(1, count / window), (CAUTION * (count + PARENT_WEIGHT)) / fresh) : 0;
    // How far towards the parent: all the way while nothing was seen, then at the pace of learning.
    const pull = count > 0 ? Math.min(1, (gain * fresh) / count) : 1;
    const gram = this.#gram;
    const right = this.#right;
    const c = this.coefficients;
    for (let a = 0; a < p; a++) right[a] = gain * this.#gradient[k * p + a]!;
    let trace = 0;
    for (let a = 0, at = 0; a < p; a++) {
      for (let b = 0; b <= a; b++, at++) {
        const theirs = share > 0 ? share * this.#curvature[above * this.#triangle + at]! : 0;
        gram[a * p + b] = this.#curvature[k * this.#triangle + at]! + theirs;
        if (theirs === 0) continue;
        right[a]! += pull * theirs * (goal[from + b]! - c[k * p + b]!);
        if (a !== b) right[b]! += pull * theirs * (goal[from + a]! - c[k * p + a]!);
      }
      trace += gram[a * p + a]!;
    }
    for (let a = 0; a < p; a++) gram[a * p + a]! += RIDGE * gram[a * p + a]! + 1e-6 * (trace / p) + 1e-12;
    if (!cholesky(gram, p)) return;
    solveFactored(gram, p, right);
    for (let a = 0; a < p; a++) if (!Number.isFinite(right[a]!)) return;
    for (let a = 0; a < p; a++) c[k * p + a]! += right[a]!;
  }

  /** The columns that hold what a row has learned. */
  columns(row: number): Float64Array[] {
    const per = R * this.models;
    const part = (column: Float64Array, width: number): Float64Array =>
      column.subarray(row * per * width, (row + 1) * per * width);
    return [
      part(this.coefficients, this.p),
      part(this.#gradient, this.p),
      part(this.#curvature, this.#triangle),
      part(this.#count, 1),
      part(this.#fresh, 1),
    ];
  }
}
