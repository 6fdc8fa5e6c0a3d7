import { grown, R } from '../model.ts';
import type { Hierarchy } from './hierarchy.ts';
import { cholesky, solveFactored } from './linear-algebra.ts';

/** Pseudo-observations with which a parent's coefficients enter its child's fit. */
const PARENT_WEIGHT = 20;
/** Ridge towards the parent, as a share of the diagonal. */
const RIDGE = 1e-4;

/**
 * Weighted least squares that is always up to date: per row of the hierarchy and resource, `models` regressions of
 * `p` terms as running sums X'WX and X'Wy, forgotten exponentially. A row's coefficients are shrunk towards its
 * parent's, the parent being the sum of its children: (A + k A0) c = b + k A0 c0, where A0 is the parent's
 * mean X'WX, c0 its coefficients and k a fixed count (a g-prior; Zellner 1986).
 */
export class NormalEquations {
  readonly p: number;
  readonly models: number;
  /** Coefficients, ((row * R + r) * models + m) * p. */
  coefficients = new Float32Array(0);
  /** Lower triangle of X'WX, then X'Wy, then the count of observations, per model. */
  #sums = new Float64Array(0);
  readonly #width: number;
  readonly #hierarchy: Hierarchy;
  /** Coefficients of each model before anything is known. */
  readonly #prior: readonly Float64Array[];
  #rows = 0;
  readonly #gram: Float64Array;
  readonly #right: Float64Array;
  readonly #weighted: Float64Array;

  /** @param prior coefficients of each model while nothing is known */
  constructor(hierarchy: Hierarchy, prior: readonly Float64Array[]) {
    this.#hierarchy = hierarchy;
    this.p = prior[0]!.length;
    this.models = prior.length;
    this.#prior = prior;
    this.#width = (this.p * (this.p + 1)) / 2 + this.p + 1;
    this.#gram = new Float64Array(this.p * this.p);
    this.#right = new Float64Array(this.p);
    this.#weighted = new Float64Array(this.p);
  }

  /** Makes room for the rows of the hierarchy; new ones start with their parent's coefficients. */
  grow(): void {
    const rows = this.#hierarchy.size;
    if (rows === this.#rows) return;
    const capacity =
      rows <= this.coefficients.length / (R * this.models * this.p) ? 0 : Math.max(rows, this.#rows * 2);
    this.coefficients = grown(this.coefficients, capacity * R * this.models * this.p);
    this.#sums = grown(this.#sums, capacity * R * this.models * this.#width);
    for (let row = this.#rows; row < rows; row++) this.#inherit(row);
    this.#rows = rows;
  }

  /** Where the coefficients of a model are in `coefficients`. */
  at(row: number, resource: number, model: number): number {
    return ((row * R + resource) * this.models + model) * this.p;
  }

  /**
   * Adds the observation (x, y) to a model, weighted by 1 / (smooth + |error|) with the error of today's coefficients: so
   * that least squares ends up minimising absolute error (iteratively reweighted, one pass a solution).
   */
  learn(row: number, resource: number, model: number, x: Float64Array, y: number, smooth: number): void {
    const p = this.p;
    const index = (row * R + resource) * this.models + model;
    const coefficients = this.coefficients;
    const sums = this.#sums;
    const from = index * p;
    let error = y;
    for (let j = 0; j < p; j++) error -= coefficients[from + j]! * x[j]!;
    const weight = 1 / (smooth + (error < 0 ? -error : error));
    addWeightedOuter(sums, index * this.#width, x, p, weight);
    const at = index * this.#width + (p * (p + 1)) / 2;
    const v = weight * y;
    for (let a = 0; a < p; a++) sums[at + a]! += v * x[a]!;
    sums[at + p]! += 1;
  }

  /** Multiplies what a row remembers by `keep`. */
  forget(row: number, keep: number): void {
    const from = row * R * this.models * this.#width;
    const to = from + R * this.models * this.#width;
    for (let i = from; i < to; i++) this.#sums[i]! *= keep;
  }

  /** Sums of every application and of all from those of the pairs, and their coefficients. */
  solveParents(): void {
    const { size } = this.#hierarchy;
    const span = R * this.models * this.#width;
    this.#hierarchy.sumUp(this.#sums, span);
    for (let row = 0; row < size; row++) if (!this.#hierarchy.isPair(row)) this.solve(row);
  }

  /** Refreshes the coefficients of a row. What cannot be solved keeps its last coefficients. */
  solve(row: number): void {
    for (let r = 0; r < R; r++) for (let m = 0; m < this.models; m++) this.#solve(row, r, m);
  }

  #solve(row: number, resource: number, model: number): void {
    const p = this.p;
    const sums = this.#sums;
    const parent = this.#hierarchy.teacher(row);
    const index = (row * R + resource) * this.models + model;
    const above = (parent * R + resource) * this.models + model;
    const at = index * this.#width;
    const upper = above * this.#width;
    const count = sums[at + this.#width - 1]!;
    const from = index * p;
    const prior = parent < 0 ? this.#prior[model]! : this.coefficients.subarray(above * p, above * p + p);
    if (count < 1) {
      this.coefficients.set(prior, from);
      return;
    }
    const parentCount = parent < 0 ? 0 : sums[upper + this.#width - 1]!;
    const share = parentCount > 0 ? PARENT_WEIGHT / parentCount : 0;
    const gram = this.#gram;
    const right = this.#right;
    // Solve for the difference from the prior, so that the ridge pulls towards it.
    const product = this.#weighted.fill(0);
    let k = 0;
    let trace = 0;
    for (let a = 0; a < p; a++) {
      for (let b = 0; b <= a; b++, k++) {
        const own = sums[at + k]!;
        product[a]! += own * prior[b]!;
        if (a !== b) product[b]! += own * prior[a]!;
        gram[a * p + b] = own + (share > 0 ? share * sums[upper + k]! : 0);
      }
      trace += gram[a * p + a]!;
    }
    for (let a = 0; a < p; a++) {
      gram[a * p + a]! += RIDGE * gram[a * p + a]! + 1e-6 * (trace / p) + 1e-12;
      right[a] = sums[at + k + a]! - product[a]!;
    }
    if (!cholesky(gram, p)) return;
    solveFactored(gram, p, right);
    for (let a = 0; a < p; a++) if (!Number.isFinite(right[a]!)) return;
    for (let a = 0; a < p; a++) this.coefficients[from + a] = prior[a]! + right[a]!;
  }

  #inherit(row: number): void {
    const span = R * this.models * this.p;
    const parent = this.#hierarchy.parent[row]!;
    for (let i = 0; i < span; i++) {
      this.coefficients[row * span + i] =
        parent < 0
          ? this.#prior[Math.floor(i / this.p) % this.models]![i % this.p]!
          : this.coefficients[parent * span + i]!;
    }
  }

  /** The columns that hold what a row has learned. */
  columns(row: number): (Float64Array | Float32Array)[] {
    const a = R * this.models * this.#width;
    const b = R * this.models * this.p;
    return [this.#sums.subarray(row * a, (row + 1) * a), this.coefficients.subarray(row * b, (row + 1) * b)];
  }
}

/**
 * sums += weight * x x', lower triangle by rows from `at`. In blocks of four rows and columns: leaving a loop of one
 * row's length costs more than running it.
 */
function addWeightedOuter(s: Float64Array, at: number, x: Float64Array, p: number, weight: number): void {
  let a = 0;
  let r0 = at;
  for (; a + 3 < p; a += 4) {
    const v0 = weight * x[a]!;
    const v1 = weight * x[a + 1]!;
    const v2 = weight * x[a + 2]!;
    const v3 = weight * x[a + 3]!;
    let r1 = r0 + a + 1;
    let r2 = r1 + a + 2;
    let r3 = r2 + a + 3;
    for (let b = 0; b < a; b += 4) {
      const x0 = x[b]!;
      const x1 = x[b + 1]!;
      const x2 = x[b + 2]!;
      const x3 = x[b + 3]!;
      s[r0]! += v0 * x0;
      s[r0 + 1]! += v0 * x1;
      s[r0 + 2]! += v0 * x2;
      s[r0 + 3]! += v0 * x3;
      s[r1]! += v1 * x0;
      s[r1 + 1]! += v1 * x1;
      s[r1 + 2]! += v1 * x2;
      s[r1 + 3]! += v1 * x3;
      s[r2]! += v2 * x0;
      s[r2 + 1]! += v2 * x1;
      s[r2 + 2]! += v2 * x2;
      s[r2 + 3]! += v2 * x3;
      s[r3]! += v3 * x0;
      s[r3 + 1]! += v3 * x1;
      s[r3 + 2]! += v3 * x2;
      s[r3 + 3]! += v3 * x3;
      r0 += 4;
      r1 += 4;
      r2 += 4;
      r3 += 4;
    }
    const x0 = x[a]!;
    const x1 = x[a + 1]!;
    const x2 = x[a + 2]!;
    s[r0]! += v0 * x0;
    s[r1]! += v1 * x0;
    s[r1 + 1]! += v1 * x1;
    s[r2]! += v2 * x0;
    s[r2 + 1]! += v2 * x1;
    s[r2 + 2]! += v2 * x2;
    s[r3]! += v3 * x0;
    s[r3 + 1]! += v3 * x1;
    s[r3 + 2]! += v3 * x2;
    s[r3 + 3]! += v3 * x[a + 3]!;
    r0 = r3 + 4;
  }
  for (; a < p; a++) {
    const v = weight * x[a]!;
    for (let b = 0; b <= a; b++) s[r0++]! += v * x[b]!;
  }
}
