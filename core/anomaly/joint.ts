import { grown, R } from '../model.ts';
import { SmoothedLikelihood, TailLikelihood } from './likelihood.ts';
import { Novelty } from './novelty.ts';

/** Weight of the newest tick in the covariance of the errors, once 1000 have been seen. */
const RATE = 1 / 1000;
/** Errors are clipped here, in half-widths of their band, before they teach the covariance. */
const CLIP = 2;
/** Errors count up to here. */
const FAR = 10;
/** Added to each variance: a resource whose errors are tiny does not dominate. */
const RIDGE = 0.02;
const PAIRS = (R * (R + 1)) / 2;

/**
 * The joint view of a VM's resources: the Mahalanobis distance of their errors, each as a multiple of its band, under
 * their own running covariance (Mahalanobis 1936), and how surprising that distance is. It sees what no
 * resource shows alone: several that are a little off at once, or two that always move together and do
 * not now, such as CPU time burnt without the requests that used to cause it.
 */
export class JointSurprise {
  /** Distance of the last tick, per slot. */
  distance = new Float64Array(0);
  #covariance = new Float64Array(0);
  readonly #news = new Novelty(32);
  readonly #tail = new TailLikelihood();
  readonly #likelihood = new SmoothedLikelihood();
  readonly #factor = new Float64Array(PAIRS);
  readonly #solved = new Float64Array(R);

  grow(rows: number): void {
    this.distance = grown(this.distance, rows);
    this.#covariance = grown(this.#covariance, rows * PAIRS);
    for (const part of [this.#news, this.#tail, this.#likelihood]) part.grow(rows);
  }

  reset(row: number): void {
    this.distance[row] = 0;
    this.#covariance.fill(0, row * PAIRS, (row + 1) * PAIRS);
    for (const part of [this.#news, this.#tail, this.#likelihood]) part.reset(row);
  }

  /**
   * @param errors a row of R from `first`: the errors of this tick in half-widths of their bands, 0 where unknown
   * @param seen ticks the slot has been watched
   * @returns the surprise, >= 0
   */
  step(slot: number, errors: Float64Array, first: number, seen: number): number {
    const distance = this.#mahalanobis(slot * PAIRS, errors, first);
    this.distance[slot] = distance;
    this.#learn(slot * PAIRS, errors, first, seen);
    const tail = this.#tail.step(slot, distance);
    return 0.5 * this.#news.step(slot, distance, seen, 0.1) + tail + 0.7 * this.#likelihood.step(slot, tail);
  }

  /** Forward substitution through the Cholesky factor of covariance + ridge. */
  #mahalanobis(at: number, errors: Float64Array, first: number): number {
    const covariance = this.#covariance;
    const factor = this.#factor;
    const solved = this.#solved;
    let sum = 0;
    for (let i = 0; i < R; i++) {
      const row = (i * (i + 1)) / 2;
      let right = Math.max(-FAR, Math.min(FAR, errors[first + i]!));
      for (let j = 0; j <= i; j++) {
        const other = (j * (j + 1)) / 2;
        let value = covariance[at + row + j]! + (i === j ? RIDGE : 0);
        for (let k = 0; k < j; k++) value -= factor[row + k]! * factor[other + k]!;
        factor[row + j] = i === j ? Math.sqrt(Math.max(value, RIDGE / 2)) : value / factor[other + j]!;
        if (j < i) right -= factor[row + j]! * solved[j]!;
      }
      const u = right / factor[row + i]!;
      solved[i] = u;
      sum += u * u;
    }
    return Math.sqrt(sum);
  }

  #learn(at: number, errors: Float64Array, first: number, seen: number): void {
    const weight = Math.max(RATE, 1 / (seen + 1));
    for (let i = 0, k = at; i < R; i++) {
      const a = Math.max(-CLIP, Math.min(CLIP, errors[first + i]!));
      for (let j = 0; j <= i; j++, k++) {
        const b = Math.max(-CLIP, Math.min(CLIP, errors[first + j]!));
        this.#covariance[k]! += weight * (a * b - this.#covariance[k]!);
      }
    }
  }
}
