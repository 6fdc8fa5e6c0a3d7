import { grown } from '../model.ts';

/**
 * Slopes of daily values by exponentially weighted least squares, one a column. Days are counted back from the newest,
 * so that the five sums move along with time and stay small. 48 bytes a column.
 */
export class Trends {
  readonly #decay: number;
  /** Sums of weights, of weighted days and their squares, of values and of day x value; then the newest day. */
  #sums = new Float64Array(0);

  /** @param decay what is left of a day's weight after another day */
  constructor(decay: number) {
    this.#decay = decay;
  }

  grow(columns: number): void {
    this.#sums = grown(this.#sums, columns * 6);
  }

  /** Adds the value of `day`, which is later than any before. */
  add(column: number, day: number, value: number): void {
    const s = this.#sums;
    const at = column * 6;
    const empty = s[at] === 0;
    for (let passed = empty ? 0 : day - s[at + 5]!; passed > 0; passed--) {
      s[at + 2] = this.#decay * (s[at + 2]! - 2 * s[at + 1]! + s[at]!);
      s[at + 4] = this.#decay * (s[at + 4]! - s[at + 3]!);
      s[at + 1] = this.#decay * (s[at + 1]! - s[at]!);
      s[at + 3]! *= this.#decay;
      s[at]! *= this.#decay;
    }
    s[at]! += 1;
    s[at + 3]! += value;
    s[at + 5] = day;
  }

  /** Change a day; 0 before there are two days. */
  slope(column: number): number {
    const s = this.#sums;
    const at = column * 6;
    const spread = s[at]! * s[at + 2]! - s[at + 1]! * s[at + 1]!;
    return spread > 1e-9 ? (s[at]! * s[at + 4]! - s[at + 1]! * s[at + 3]!) / spread : 0;
  }
}
