import { cosTurns, sinTurns } from '../../math.ts';

/** A periodic component as Fourier terms: sine and cosine of 1..order times the base frequency. */
export interface Seasonality {
  readonly name: string;
  readonly periodMs: number;
  readonly order: number;
}

/** What the columns of a design are, apart from the number of samples. */
export interface DesignOptions {
  /** Time between samples, ms. */
  readonly stepMs: number;
  /** Candidate change points, spread evenly over the first `changepointRange` of the samples. */
  readonly changepoints: number;
  readonly changepointRange: number;
  readonly seasonalities: readonly Seasonality[];
}

/** Columns of the trend without change points: the intercept m and the slope k. The Fourier columns follow. */
export const TREND = 2;

/**
 * Prophet's design matrix for n evenly spaced samples (Taylor & Letham 2018, "Forecasting at Scale"): columns 1,
 * t in [0, 1], sine and cosine pairs, then (t - s_j)+ for each change point.
 *
 * Phases count from the first sample, not from the epoch. The prior of a pair is isotropic, so the fit is the
 * same and its coefficients are rotated afterwards; but the matrix, and so X'X, depends on n alone and is
 * shared by every series and every window of that length.
 */
export class Design {
  readonly n: number;
  readonly p: number;
  /** First column of the change points. */
  readonly first: number;
  /** Sample index of each change point, as Prophet places them. */
  readonly changepoints: Int32Array;
  readonly seasonalities: readonly Seasonality[];
  /** X'X over all n samples, lower triangle. */
  readonly gram: Float64Array;
  /** Per seasonality: rows of one period (or of all samples when the period is no whole number of them). */
  readonly #tables: readonly SeasonTable[];

  constructor(n: number, options: DesignOptions) {
    this.n = n;
    const history = Math.floor(n * options.changepointRange);
    const count = Math.max(0, Math.min(options.changepoints, history - 1));
    this.changepoints = new Int32Array(count);
    for (let j = 0; j < count; j++) {
      this.changepoints[j] = Math.round(((j + 1) * (history - 1)) / count);
    }
    this.seasonalities = options.seasonalities;
    this.#tables = options.seasonalities.map((s) => new SeasonTable(s, options.stepMs, n));
    this.first = TREND + this.#tables.reduce((sum, table) => sum + table.width, 0);
    this.p = this.first + count;
    this.gram = new Float64Array(this.p * this.p);
    const row = new Float64Array(this.p);
    for (let i = 0; i < n; i++) this.addOuter(i, 1, this.gram, this.p, row);
  }

  /** Writes row i of the matrix to `out`. */
  row(i: number, out: Float64Array): void {
    const scale = 1 / Math.max(1, this.n - 1);
    out[0] = 1;
    out[1] = i * scale;
    let c = TREND;
    for (const table of this.#tables) {
      const from = (i % table.length) * table.width;
      for (let j = 0; j < table.width; j++) out[c++] = table.values[from + j]!;
    }
    for (const at of this.changepoints) out[c++] = i > at ? (i - at) * scale : 0;
  }

  /** gram += weight * x x' for row i, lower triangle, where `gram` has the given stride. */
  addOuter(i: number, weight: number, gram: Float64Array, stride: number, row: Float64Array): void {
    this.row(i, row);
    for (let a = 0; a < this.p; a++) {
      const v = weight * row[a]!;
      if (v === 0) continue;
      for (let b = 0; b <= a; b++) gram[a * stride + b]! += v * row[b]!;
    }
  }

  /**
   * X'y, with y = 0 where a sample is missing. O(n): sums of y and i y from the right give the trend columns, y
   * folded to one period gives the Fourier columns.
   */
  moments(y: Float64Array, out: Float64Array): void {
    const n = this.n;
    const scale = 1 / Math.max(1, n - 1);
    let sum = 0;
    let weighted = 0;
    let i = n - 1;
    for (let j = this.changepoints.length - 1; j >= 0; j--) {
      const at = this.changepoints[j]!;
      for (; i > at; i--) {
        sum += y[i]!;
        weighted += i * y[i]!;
      }
      out[this.first + j] = (weighted - at * sum) * scale;
    }
    for (; i >= 0; i--) {
      sum += y[i]!;
      weighted += i * y[i]!;
    }
    out[0] = sum;
    out[1] = weighted * scale;
    let c = TREND;
    for (const table of this.#tables) {
      table.moments(y, n, out, c);
      c += table.width;
    }
  }
}

/** Values of a seasonality's columns by sample index modulo the period. */
class SeasonTable {
  readonly width: number;
  readonly length: number;
  readonly values: Float64Array;
  readonly #fold: Float64Array;

  constructor(seasonality: Seasonality, stepMs: number, n: number) {
    const period = seasonality.periodMs / stepMs;
    this.width = 2 * seasonality.order;
    this.length = Number.isInteger(period) ? Math.min(period, n) : n;
    this.values = new Float64Array(this.length * this.width);
    for (let i = 0; i < this.length; i++) {
      for (let h = 1; h <= seasonality.order; h++) {
        const turns = (h * i) / period;
        this.values[i * this.width + 2 * h - 2] = sinTurns(turns);
        this.values[i * this.width + 2 * h - 1] = cosTurns(turns);
      }
    }
    this.#fold = new Float64Array(this.length);
  }

  moments(y: Float64Array, n: number, out: Float64Array, column: number): void {
    const fold = this.#fold;
    fold.fill(0);
    for (let from = 0; from < n; from += this.length) {
      const m = Math.min(this.length, n - from);
      for (let i = 0; i < m; i++) fold[i]! += y[from + i]!;
    }
    const width = this.width;
    for (let j = 0; j < width; j++) out[column + j] = 0;
    for (let i = 0, at = 0; i < this.length; i++, at += width) {
      const v = fold[i]!;
      for (let j = 0; j < width; j++) out[column + j]! += v * this.values[at + j]!;
    }
  }
}
