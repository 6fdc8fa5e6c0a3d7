import { grown, R } from '../model.ts';

/**
 * What is usual at each hour of a cycle, for each of many ids: exponentially weighted means over the cycles gone by. The
 * R resources of an hour lie together. 16 bytes an hour.
 */
export class Shapes {
  readonly #length: number;
  readonly #weight: number;
  #values = new Float32Array(0);

  /** @param length hours in a cycle, @param weight of the newest cycle; before there are 1 / weight, all are equal */
  constructor(length: number, weight: number) {
    this.#length = length;
    this.#weight = weight;
  }

  grow(ids: number): void {
    const from = this.#values.length;
    this.#values = grown(this.#values, ids * this.#length * R);
    this.#values.fill(Number.NaN, from);
  }

  /** @param cycles how many were seen before, @param hour within the cycle, @param values R of them, or NaN */
  add(id: number, cycles: number, hour: number, values: Float64Array): void {
    const at = (id * this.#length + hour) * R;
    const weight = Math.max(this.#weight, 1 / (cycles + 1));
    for (let r = 0; r < R; r++) {
      const value = values[r]!;
      if (Number.isNaN(value)) continue;
      const old = this.#values[at + r]!;
      this.#values[at + r] = Number.isNaN(old) ? value : old + weight * (value - old);
    }
  }

  /** What is usual at an hour of the cycle; NaN while it was not seen. */
  at(id: number, resource: number, hour: number): number {
    return this.#values[(id * this.#length + hour) * R + resource]!;
  }
}
