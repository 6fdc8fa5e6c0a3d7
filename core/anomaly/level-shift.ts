import { grown } from '../model.ts';

/** Ticks over which the recent and the former level are averaged. */
const RECENT = 16;
const FORMER = 256;

/**
 * The level-shift test: an exponentially weighted mean over about 16 ticks less one over about 256. On its own, the
 * difference is in the units of the series; how unusual it is, `Novelty` tells.
 */
export class LevelShift {
  #recent = new Float64Array(0);
  #former = new Float64Array(0);

  grow(rows: number): void {
    this.#recent = grown(this.#recent, rows);
    this.#former = grown(this.#former, rows);
  }

  /** Mean over the recent ticks, and over the former ones. */
  recent(row: number): number {
    return this.#recent[row]!;
  }

  former(row: number): number {
    return this.#former[row]!;
  }

  /** Takes in a value, the row's `seen`-th from 0, and returns the shift of the level up to it. */
  step(row: number, value: number, seen: number): number {
    if (seen === 0) {
      this.#recent[row] = value;
      this.#former[row] = value;
    }
    const recent = this.#recent[row]! + Math.max(1 / RECENT, 1 / (seen + 1)) * (value - this.#recent[row]!);
    const former = this.#former[row]!;
    this.#recent[row] = recent;
    this.#former[row] = former + Math.max(1 / FORMER, 1 / (seen + 1)) * (value - former);
    return recent - former;
  }
}
