import { parseDuration } from '../../core/duration.ts';
import { exp } from '../../core/math.ts';
import { grown } from '../../core/model.ts';
import { hashString, mix } from '../../core/rng.ts';
import type { Grid } from './grid.ts';
import type { Ingredients } from './ingredients.ts';
import type { Pair, Population } from './population.ts';
import { fastExp, NORMAL, normalOf, tickKey } from './random.ts';
import type { Ingredient, Rows } from './rows.ts';
import type { PopulationConfig } from './schema.ts';

const STEP = hashString('noise');
const START = hashString('noise start');

/** Standard deviation of the logarithm of a pair's load, of which a share is its own and the rest shared. */
export function deviationOf({ noise }: Ingredients, { traits }: Pair): number {
  return noise === 'none' ? 0 : noise.deviation * traits.burstiness;
}

/**
 * A VM's own noise: a factor e^(s x - s^2 / 2), mean 1, where x is an AR(1) process of unit variance, the
 * Ornstein-Uhlenbeck process seen at the ticks. The part of the noise shared with other VMs is in tenants.ts.
 */
export class Noise implements Ingredient {
  readonly #rows: Rows;
  /** Per pair: s, the autoregressive coefficient, and what a new draw weighs. */
  readonly #deviation: Float64Array;
  readonly #keep: Float64Array;
  readonly #gain: Float64Array;
  #x = new Float64Array(0);

  constructor(
    { applications, pairs }: Population,
    rows: Rows,
    grid: Grid,
    correlation: PopulationConfig['correlation'],
  ) {
    this.#rows = rows;
    const own = Math.sqrt(Math.max(0, 1 - correlation.application - correlation.user));
    const of = (pair: Pair) => applications[pair.application]!.ingredients;
    this.#deviation = Float64Array.from(pairs, (pair) => own * deviationOf(of(pair), pair));
    this.#keep = Float64Array.from(pairs, (pair) => {
      const { noise } = of(pair);
      return noise === 'none' ? 0 : exp(-grid.stepMs / parseDuration(noise.persistence));
    });
    this.#gain = this.#keep.map((keep) => Math.sqrt(1 - keep * keep));
  }

  grow(capacity: number): void {
    this.#x = grown(this.#x, capacity);
  }

  admit(row: number): void {
    this.#x[row] = normalOf(this.#rows.key[row]!, START);
  }

  apply(t: number, load: Float64Array): void {
    const { high, pair, key } = this.#rows;
    const deviation = this.#deviation;
    const keep = this.#keep;
    const gain = this.#gain;
    const states = this.#x;
    const now = tickKey(t, STEP);
    for (let row = 0; row < high; row++) {
      const p = pair[row]!;
      const s = deviation[p]!;
      const x = keep[p]! * states[row]! + gain[p]! * NORMAL[mix(key[row]! ^ now) >>> 20]!;
      states[row] = x;
      load[row]! *= fastExp(s * (x - 0.5 * s));
    }
  }
}
