import { log } from '../math.ts';
import { grown } from '../model.ts';

/** Ticks over which the size of steps is averaged, recently and formerly. */
const RECENT = 32;
const FORMER = 1024;

/**
 * How a series moves: its last step, and how rough it has become, as the logarithm of the mean size of its recent
 * steps to that of its former ones. A value that is stuck goes far below 0, one that flutters above.
 */
export class Roughness {
  #last = new Float64Array(0);
  #recent = new Float64Array(0);
  #former = new Float64Array(0);

  grow(rows: number): void {
    this.#last = grown(this.#last, rows);
    this.#recent = grown(this.#recent, rows);
    this.#former = grown(this.#former, rows);
  }

  /** Takes in a value, the row's `seen`-th from 0, and returns the step from the one before. */
  step(row: number, value: number, seen: number): number {
    const move = seen === 0 ? 0 : value - this.#last[row]!;
    this.#last[row] = value;
    const size = Math.abs(move);
    if (seen <= 1) {
      this.#recent[row] = size;
      this.#former[row] = size;
    } else {
      this.#recent[row]! += Math.max(1 / RECENT, 1 / seen) * (size - this.#recent[row]!);
      this.#former[row]! += Math.max(1 / FORMER, 1 / seen) * (size - this.#former[row]!);
    }
    return move;
  }

  /** Log ratio of recent to former roughness. @param floor smallest step that counts, > 0 */
  ratio(row: number, floor: number): number {
    const former = this.#former[row]!;
    return log((this.#recent[row]! + 0.01 * former + floor) / (1.01 * former + floor));
  }
}
