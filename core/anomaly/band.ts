import { grown } from '../model.ts';

/** Step of the quantile search relative to the width, once 500 values have been seen. */
const RATE = 0.002;
const QUANTILE = 0.99;
/** Narrowest band, in mean absolute deviations. */
const NARROWEST = 0.3;
/** Before this many values the band is that of a normal distribution: 2.33 sigma. */
const LEARN = 20;
const NORMAL = 2.9;

/**
 * The band a series keeps around its expectation: the .99 quantile of its errors above it and below it, found by
 * stochastic approximation (Robbins and Monro 1951) with steps in proportion to the width. It moves by at most
 * 0.2 % a tick, so that an anomaly is over before the band has taken it in.
 */
export class Band {
  #above = new Float64Array(0);
  #below = new Float64Array(0);

  grow(rows: number): void {
    this.#above = grown(this.#above, rows);
    this.#below = grown(this.#below, rows);
  }

  above(row: number): number {
    return this.#above[row]!;
  }

  below(row: number): number {
    return this.#below[row]!;
  }

  /**
   * Takes in an error and returns it as a multiple of the band's width on its side: more than 1 is outside.
   * @param deviation mean absolute deviation of the errors, > 0
   */
  step(row: number, error: number, deviation: number, seen: number): number {
    if (seen < LEARN) {
      this.#above[row] = NORMAL * deviation;
      this.#below[row] = NORMAL * deviation;
      return 0;
    }
    const above = this.#above[row]!;
    const below = this.#below[row]!;
    const rate = Math.max(RATE, 1 / seen);
    const least = NARROWEST * deviation;
    const up = rate * QUANTILE;
    const down = rate * (1 - QUANTILE);
    this.#above[row] = Math.max(least, above * (error > above ? 1 + up : 1 - down));
    this.#below[row] = Math.max(least, below * (-error > below ? 1 + up : 1 - down));
    return error > 0 ? error / above : -error / below;
  }
}
