import { cosTurns, sinTurns } from '../../math.ts';
import { cholesky, solveFactored } from '../linear-algebra.ts';
import { Design, type DesignOptions, TREND } from './design.ts';
import type { Holiday, ProphetRidgeParameters } from './parameters.ts';

/** The priors, on the scale of y / max |y| and t in [0, 1]. Defaults are Prophet's. */
export interface PriorOptions {
  /** Scale of the Laplace prior of the change points. */
  readonly changepointScale: number;
  /** Standard deviation of the normal priors of Fourier and holiday coefficients. */
  readonly seasonalityScale: number;
  readonly holidayScale: number;
}

export interface RidgeOptions extends DesignOptions, PriorOptions {
  readonly holidays: readonly Holiday[];
}

export type FitFailure = { readonly failed: string };

/** Prophet's fixed priors: k, m ~ N(0, 5), sigma ~ half-normal(0.5). */
const TREND_PRECISION = 1 / 25;
const SIGMA_PRIOR_VARIANCE = 0.25;
/** Below this a change point's reweighted prior stops sharpening; on the scale above it is nothing. */
const SMALLEST_DELTA = 1e-6;
/** At most this many values of sigma, and reweightings for each; it stops when nothing moves by TOLERANCE of max |y|. */
const MAX_ROUNDS = 8;
const PASSES = 8;
const TOLERANCE = 1e-3;

/**
 * Prophet's maximum a posteriori fit without a general optimiser: the Laplace prior |d| / tau is majorised by
 * the quadratic d^2 / (2 tau |d0|) + const and the quadratic problem solved exactly, again and again with d0 the
 * last answer (iteratively reweighted least squares; Hunter & Lange 2004, "A tutorial on MM algorithms");
 * sigma is at its conditional optimum in between.
 */
export class ProphetRidge {
  readonly options: RidgeOptions;
  readonly #designs = new Map<string, Design>();
  #gram = new Float64Array(0);
  #work = new Float64Array(0);
  #y = new Float64Array(0);
  /** The pattern of missing samples that `#gram` was made for. */
  #pattern: { design: Design; from: number; missing: Uint8Array } | undefined;

  constructor(options: RidgeOptions) {
    this.options = options;
  }

  /**
   * Fits one series.
   * @param values evenly spaced samples, NaN where one is missing
   * @param from time of the first sample, ms since the epoch
   */
  fit(values: Float64Array, from: number): ProphetRidgeParameters | FitFailure {
    const n = values.length;
    const { stepMs, holidays } = this.options;
    if (this.#y.length < n) this.#y = new Float64Array(n);
    const y = this.#y.subarray(0, n);
    let count = 0;
    let scale = 0;
    let lowest = Number.POSITIVE_INFINITY;
    let highest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < n; i++) {
      const v = values[i]!;
      if (Number.isNaN(v)) continue;
      count++;
      if (v < lowest) lowest = v;
      if (v > highest) highest = v;
      scale = Math.max(scale, Math.abs(v));
    }
    if (count < 2) return { failed: `${count} samples in the training window` };
    if (!Number.isFinite(scale)) return { failed: 'a sample that is not finite' };
    if (scale === 0) scale = 1;
    let squares = 0;
    for (let i = 0; i < n; i++) {
      const v = values[i]!;
      y[i] = Number.isNaN(v) ? 0 : v / scale;
      squares += y[i]! * y[i]!;
    }

    const design = this.#design(n);
    const active = holidays.map((h) => holidayRows(h, from, stepMs, n));
    const p = design.p + holidays.length;
    const theta = new Float64Array(p);
    let sigma2 = 1e-18;
    if (highest === lowest) {
      theta[0] = highest / scale;
    } else {
      const gram = this.#gramOf(design, values, from, active, p);
      const moments = new Float64Array(p);
      design.moments(y, moments);
      for (let h = 0; h < holidays.length; h++) {
        for (const i of active[h]!) moments[design.p + h]! += y[i]!;
      }
      const solved = this.#iterate(design, gram, moments, squares, count, theta);
      if (solved === undefined) return { failed: 'normal equations that are not positive definite' };
      sigma2 = solved;
    }
    for (const v of theta) if (!Number.isFinite(v)) return { failed: 'coefficients that are not finite' };
    return this.#parameters(design, theta, sigma2, { from, scale, count });
  }

  #design(n: number): Design {
    const span = n * this.options.stepMs;
    // A season shorter than the window only: a cycle never seen in full is trend.
    const seasonalities = this.options.seasonalities.filter((s) => s.periodMs <= span);
    const key = `${n}`;
    let design = this.#designs.get(key);
    if (!design) {
      if (this.#designs.size >= 64) this.#designs.clear();
      design = new Design(n, { ...this.options, seasonalities });
      this.#designs.set(key, design);
    }
    return design;
  }

  /** X'X over the samples that are there. The four resources of a VM miss the same ones: the last is kept. */
  #gramOf(
    design: Design,
    values: Float64Array,
    from: number,
    active: readonly number[][],
    p: number,
  ): Float64Array {
    const n = design.n;
    const last = this.#pattern;
    if (last?.design === design && (last.from === from || active.length === 0)) {
      let same = true;
      for (let i = 0; i < n && same; i++) same = (last.missing[i] === 1) === Number.isNaN(values[i]!);
      if (same) return this.#gram;
    }
    if (this.#gram.length !== p * p) {
      this.#gram = new Float64Array(p * p);
      this.#work = new Float64Array(p * p);
    }
    const gram = this.#gram;
    gram.fill(0);
    const missing = new Uint8Array(n);
    let gone = 0;
    for (let i = 0; i < n; i++) if (Number.isNaN(values[i]!)) gone += missing[i] = 1;
    const row = new Float64Array(p);
    if (gone * 2 < n) {
      for (let a = 0; a < design.p; a++) {
        for (let b = 0; b <= a; b++) gram[a * p + b] = design.gram[a * design.p + b]!;
      }
      for (let i = 0; i < n; i++) if (missing[i]) design.addOuter(i, -1, gram, p, row);
    } else {
      for (let i = 0; i < n; i++) if (!missing[i]) design.addOuter(i, 1, gram, p, row);
    }
    for (let h = 0; h < active.length; h++) {
      const at = (design.p + h) * p;
      for (const i of active[h]!) {
        if (missing[i]) continue;
        design.row(i, row);
        for (let b = 0; b < design.p; b++) gram[at + b]! += row[b]!;
        for (let g = 0; g <= h; g++) if (active[g]!.includes(i)) gram[at + design.p + g]! += 1;
      }
    }
    this.#pattern = { design, from, missing };
    return gram;
  }

  /** @returns sigma^2 at the optimum, theta in place; undefined when a factorisation fails */
  #iterate(
    design: Design,
    gram: Float64Array,
    moments: Float64Array,
    squares: number,
    count: number,
    theta: Float64Array,
  ): number | undefined {
    const p = theta.length;
    const { changepointScale: tau, seasonalityScale, holidayScale } = this.options;
    const { first, p: second } = design;
    const precision = new Float64Array(p);
    precision.fill(TREND_PRECISION, 0, TREND);
    precision.fill(1 / (seasonalityScale * seasonalityScale), TREND, first);
    precision.fill(1 / (tau * tau), first, second);
    precision.fill(1 / (holidayScale * holidayScale), second);
    // Only the change points are reweighted: everything before them is eliminated once for each sigma.
    const work = this.#work;
    const q = p - first;
    const block = new Float64Array(q * q);
    const right = new Float64Array(p);
    const tail = new Float64Array(q);
    const mean = moments[0]! / count;
    let sigma2 = Math.max(squares / count - mean * mean, 1e-12);
    for (let round = 0; round < MAX_ROUNDS; round++) {
      for (let a = 0; a < p; a++) {
        for (let b = 0; b <= a; b++) work[a * p + b] = gram[a * p + b]!;
        if (a < first) work[a * p + a]! += sigma2 * precision[a]!;
      }
      if (!cholesky(work, p, first)) return undefined;
      for (let i = 0; i < p; i++) {
        let s = moments[i]!;
        for (let k = 0; k < Math.min(i, first); k++) s -= work[i * p + k]! * right[k]!;
        right[i] = i < first ? s / work[i * p + i]! : s;
      }
      let moved = 0;
      for (let pass = 0; pass < PASSES; pass++) {
        for (let a = 0; a < q; a++) {
          const from = (first + a) * p + first;
          for (let b = 0; b <= a; b++) block[a * q + b] = work[from + b]!;
          block[a * q + a]! += sigma2 * precision[first + a]!;
          tail[a] = right[first + a]!;
        }
        if (!cholesky(block, q)) return undefined;
        solveFactored(block, q, tail);
        let change = 0;
        for (let a = 0; a < q; a++) {
          change = Math.max(change, Math.abs(tail[a]! - theta[first + a]!));
          theta[first + a] = tail[a]!;
        }
        moved = Math.max(moved, change);
        for (let j = first; j < second; j++) {
          precision[j] = 1 / (tau * Math.max(Math.abs(theta[j]!), SMALLEST_DELTA));
        }
        if (change < TOLERANCE) break;
      }
      for (let i = first - 1; i >= 0; i--) {
        let s = right[i]!;
        for (let k = i + 1; k < p; k++) s -= work[k * p + i]! * theta[k]!;
        theta[i] = s / work[i * p + i]!;
      }
      const rss = Math.max(residualSquares(gram, moments, squares, theta), 1e-8 * squares);
      // Stationary point of n log s + RSS / 2 s^2 + s^2 / 2 v in s^2.
      const v = SIGMA_PRIOR_VARIANCE;
      const last = sigma2;
      sigma2 = (2 * rss) / (count + Math.sqrt(count * count + (4 * rss) / v));
      if (moved < TOLERANCE && Math.abs(sigma2 - last) < 1e-4 * sigma2) break;
    }
    return sigma2;
  }

  #parameters(
    design: Design,
    theta: Float64Array,
    sigma2: number,
    about: { from: number; scale: number; count: number },
  ): ProphetRidgeParameters {
    const { from, scale, count } = about;
    let c = TREND;
    const seasonalities = design.seasonalities.map((s) => {
      // From phases that count from the first sample to phases that count from the epoch.
      const coefficients: number[] = [];
      for (let h = 1; h <= s.order; h++) {
        const turns = h * ((from / s.periodMs) % 1);
        const cos = cosTurns(turns);
        const sin = sinTurns(turns);
        const a = theta[c++]! * scale;
        const b = theta[c++]! * scale;
        coefficients.push(cos * a + sin * b, cos * b - sin * a);
      }
      return { name: s.name, periodMs: s.periodMs, coefficients };
    });
    return {
      from,
      stepMs: this.options.stepMs,
      samples: design.n,
      observed: count,
      scale,
      intercept: theta[0]! * scale,
      slope: theta[1]! * scale,
      changepoints: Array.from(design.changepoints),
      deltas: Array.from(theta.subarray(design.first, design.p), (d) => d * scale),
      seasonalities,
      holidays: this.options.holidays.map((h, i) => ({ ...h, effect: theta[design.p + i]! * scale })),
      sigma: Math.sqrt(sigma2) * scale,
    };
  }
}

/** Indices of the samples that fall in an occurrence of the holiday. */
function holidayRows(holiday: Holiday, from: number, stepMs: number, n: number): number[] {
  const rows: number[] = [];
  for (let i = 0; i < n; i++) {
    const at = from + i * stepMs;
    if (holiday.occurrences.some(([start, end]) => at >= start && at < end)) rows.push(i);
  }
  return rows;
}

/** y'y - 2 theta'X'y + theta'X'X theta. */
function residualSquares(
  gram: Float64Array,
  moments: Float64Array,
  squares: number,
  theta: Float64Array,
): number {
  const p = theta.length;
  let rss = squares;
  for (let a = 0; a < p; a++) {
    let s = -2 * moments[a]! + gram[a * p + a]! * theta[a]!;
    for (let b = 0; b < a; b++) s += 2 * gram[a * p + b]! * theta[b]!;
    rss += s * theta[a]!;
  }
  return rss;
}
