import { grown } from '../model.ts';

/** Numbers closer than this, in mean absolute deviations, count as the same. */
const RADIUS = 0.25;
/** Weight of the newest number in the running mean and deviation, once 1000 have been seen. */
const RATE = 1 / 1000;

/**
 * How far a number lies from everything its series has shown before: the distance to the nearest remembered
 * number, in mean absolute deviations of the series, less the radius within which numbers count as the same.
 *
 * It is the negative log-likelihood of the number under a density with a Laplace kernel on each remembered number
 * (up to a constant, by the nearest kernel), so novelties of independent views of a series add. The memory
 * is a sorted sample of fixed size: a number within the radius of another adds nothing, and when it is full, the two
 * closest merge. That is the online clustering of adaptive resonance theory (Carpenter and Grossberg 1987) in one
 * dimension, with the radius as its vigilance. A value seen once is thereby never news again, which a tail
 * probability alone cannot say of the values between two clusters, nor of the largest ones.
 *
 * One row a series; a step costs a binary search and allocates nothing.
 */
export class Novelty {
  readonly #remember: number;
  /** Remembered numbers, ascending, `remember` to a row. */
  #value = new Float32Array(0);
  #count = new Uint16Array(0);
  #mean = new Float64Array(0);
  #deviation = new Float64Array(0);

  /** @param remember numbers kept a series, 2 to 65535 */
  constructor(remember: number) {
    this.#remember = remember;
  }

  grow(rows: number): void {
    this.#value = grown(this.#value, rows * this.#remember);
    this.#count = grown(this.#count, rows);
    this.#mean = grown(this.#mean, rows);
    this.#deviation = grown(this.#deviation, rows);
  }

  reset(row: number): void {
    this.#count[row] = 0;
    this.#mean[row] = 0;
    this.#deviation[row] = 0;
  }

  /** Running mean of the series. */
  mean(row: number): number {
    return this.#mean[row]!;
  }

  /** Running mean absolute deviation of the series. */
  deviation(row: number): number {
    return this.#deviation[row]!;
  }

  /**
   * Takes in a number.
   * @param seen how many the row has taken before
   * @param floor smallest deviation to reckon with, > 0: differences far below it are never news
   * @returns its novelty, 0 for the familiar
   */
  step(row: number, number: number, seen: number, floor: number): number {
    // Compared as stored, or a constant series would differ from its own memory by rounding.
    const x = Math.fround(number);
    const weight = Math.max(RATE, 1 / (seen + 1));
    const mean = seen === 0 ? x : this.#mean[row]!;
    const off = x - mean;
    this.#mean[row] = mean + weight * off;
    const deviation = this.#deviation[row]! + weight * (Math.abs(off) - this.#deviation[row]!);
    this.#deviation[row] = deviation;
    const scale = deviation + floor;

    const values = this.#value;
    const first = row * this.#remember;
    const end = first + this.#count[row]!;
    let at = first;
    for (let high = end; at < high; ) {
      const middle = (at + high) >> 1;
      if (values[middle]! < x) at = middle + 1;
      else high = middle;
    }
    let distance = Number.POSITIVE_INFINITY;
    if (at < end) distance = values[at]! - x;
    if (at > first && x - values[at - 1]! < distance) distance = x - values[at - 1]!;
    const news = distance / scale - RADIUS;
    if (!(news > 0)) return 0;
    this.#insert(row, x, at);
    return seen === 0 ? 0 : news;
  }

  #insert(row: number, x: number, at: number): void {
    const values = this.#value;
    const first = row * this.#remember;
    let end = first + this.#count[row]!;
    if (end - first === this.#remember) {
      let closest = first + 1;
      for (let i = first + 2; i < end; i++) {
        if (values[i]! - values[i - 1]! < values[closest]! - values[closest - 1]!) closest = i;
      }
      const merged = (values[closest - 1]! + values[closest]!) / 2;
      values[closest - 1] = merged;
      values.copyWithin(closest, closest + 1, end--);
      if (at > closest || (at === closest && merged > x)) at--;
    } else this.#count[row]!++;
    values.copyWithin(at + 1, at, end);
    values[at] = x;
  }
}
