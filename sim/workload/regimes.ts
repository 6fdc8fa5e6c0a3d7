import { parseDuration } from '../../core/duration.ts';
import { exp } from '../../core/math.ts';
import { Rng } from '../../core/rng.ts';
import type { Grid } from './grid.ts';
import type { Population } from './population.ts';
import type { SharedIngredient } from './rows.ts';

interface Regime {
  readonly pair: number;
  readonly rng: Rng;
  readonly everyMs: number;
  readonly deviation: number;
  level: number;
  /** When the next regime begins, ms from the start. */
  until: number;
}

/**
 * Sudden lasting changes, as after a release or a new customer: a pair's level jumps at exponential times to a
 * fresh log-normal value of mean 1, independent of the last. It starts at 1.
 */
export class Regimes implements SharedIngredient {
  readonly #stepMs: number;
  readonly #regimes: readonly Regime[];

  constructor({ applications, users, pairs }: Population, grid: Grid, seed: number) {
    this.#stepMs = grid.stepMs;
    this.#regimes = pairs.flatMap(({ application, user }, pair) => {
      const { id, ingredients } = applications[application]!;
      if (ingredients.regimes === 'none') return [];
      const rng = new Rng(seed, 'regimes', id, users[user]!);
      const everyMs = parseDuration(ingredients.regimes.every);
      const { deviation } = ingredients.regimes;
      return [{ pair, rng, everyMs, deviation, level: 1, until: rng.exponential(everyMs) }];
    });
  }

  apply(t: number, factor: Float64Array): void {
    const now = (t + 0.5) * this.#stepMs;
    for (const regime of this.#regimes) {
      while (regime.until <= now) {
        const { rng, deviation, everyMs } = regime;
        regime.level = exp(deviation * (rng.normal() - 0.5 * deviation));
        regime.until += rng.exponential(everyMs);
      }
      factor[regime.pair]! *= regime.level;
    }
  }
}
