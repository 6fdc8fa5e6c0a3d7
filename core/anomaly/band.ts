import { grown } from '../model.ts';
import { TailLikelihood } from './likelihood.ts';

/** Weight of the newest error in the usual size, once 1000 have been seen, and where it is clipped for that. */
const RATE = 1 / 1000;
const CLIP = 3;
/** Errors to see before any is clipped. */
const LEARN = 50;
/** Share of errors outside the band. */
const OUTSIDE = 0.01;

/**
 * The band that holds 99 % of the errors of an expectation so far: the conformal quantile of the errors in units of
 * their usual size, times that size. An error is clipped before it moves the usual size, or the first hour of an
 * anomaly would pass for the usual by the second.
 */
export class Band {
  readonly #errors = new TailLikelihood();
  #usual = new Float64Array(0);

  grow(rows: number): void {
    this.#errors.grow(rows);
    this.#usual = grown(this.#usual, rows);
  }

  reset(row: number): void {
    this.#errors.reset(row);
    this.#usual[row] = 0;
  }

  /** Half-width of the band. */
  width(row: number): number {
    return this.#usual[row]! * this.#errors.quantile(row, OUTSIDE);
  }

  /**
   * Tail surprise of an absolute error among those before.
   * @param floor smallest usual size to reckon with, > 0
   * @param learn whether to take it in
   */
  step(row: number, error: number, floor: number, learn: boolean): number {
    const seen = this.#errors.count(row);
    const usual = this.#usual[row]!;
    if (!learn) return this.#errors.step(row, error / (usual + floor), false);
    const clipped = seen < LEARN ? error : Math.min(error, CLIP * (usual + floor));
    const next = usual + Math.max(RATE, 1 / (seen + 1)) * (clipped - usual);
    this.#usual[row] = next;
    return this.#errors.step(row, error / (next + floor));
  }
}
