import type { Ingredient, Rows } from './rows.ts';

/**
 * A service has so many workers and locks, and asks for ever less the more there is to do: up to the VM's size
 * load stays as it is; beyond, x times the size becomes 2 - 1 / x times, twice the size at most.
 */
export class Saturation implements Ingredient {
  readonly #rows: Rows;

  constructor(rows: Rows) {
    this.#rows = rows;
  }

  grow(): void {}
  admit(): void {}

  apply(_t: number, load: Float64Array): void {
    const { high, cores } = this.#rows;
    for (let row = 0; row < high; row++) {
      const size = cores[row]!;
      if (load[row]! > size) load[row] = size * (2 - size / load[row]!);
    }
  }
}
