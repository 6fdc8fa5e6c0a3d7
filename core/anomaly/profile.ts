import { grown } from '../model.ts';

const DAY_MS = 86_400_000;
const HOURS = 24;
/** Weight of the newest value in its hour's mean, once 50 have been seen: four days at 5 minutes. */
const RATE = 0.02;

/**
 * A series' own expectation, for when no forecaster speaks: the running mean of each hour of the day (UTC), and
 * of all values for an hour not seen yet.
 */
export class DayProfile {
  #mean = new Float32Array(0);
  #count = new Uint8Array(0);
  #overall = new Float64Array(0);

  grow(rows: number): void {
    this.#mean = grown(this.#mean, rows * HOURS);
    this.#count = grown(this.#count, rows * HOURS);
    this.#overall = grown(this.#overall, rows);
  }

  reset(row: number): void {
    this.#count.fill(0, row * HOURS, (row + 1) * HOURS);
    this.#overall[row] = 0;
  }

  expected(row: number, hour: number): number {
    const i = row * HOURS + hour;
    return this.#count[i]! > 0 ? this.#mean[i]! : this.#overall[row]!;
  }

  /** The highest hour's mean. */
  highest(row: number): number {
    let most = this.#overall[row]!;
    for (let i = row * HOURS; i < (row + 1) * HOURS; i++) {
      if (this.#count[i]! > 0 && this.#mean[i]! > most) most = this.#mean[i]!;
    }
    return most;
  }

  learn(row: number, hour: number, value: number, seen: number): void {
    const i = row * HOURS + hour;
    const count = this.#count[i]!;
    if (count === 0) this.#mean[i] = value;
    else this.#mean[i]! += Math.max(RATE, 1 / (count + 1)) * (value - this.#mean[i]!);
    if (count < 255) this.#count[i] = count + 1;
    this.#overall[row]! += (value - this.#overall[row]!) / (seen + 1);
  }

  /** Moves every hour: a lasting change becomes the new normal. */
  shift(row: number, by: number): void {
    for (let i = row * HOURS; i < (row + 1) * HOURS; i++) this.#mean[i]! += by;
    this.#overall[row]! += by;
  }
}

/** Hour of the day in UTC, 0..23. @param at ms since the epoch */
export function hourOf(at: number): number {
  return Math.floor(((((at % DAY_MS) + DAY_MS) % DAY_MS) / DAY_MS) * HOURS);
}
