import { parseDuration } from '../../core/duration.ts';
import { exp } from '../../core/math.ts';
import { Rng } from '../../core/rng.ts';
import type { Grid } from './grid.ts';
import type { Population } from './population.ts';
import type { SharedIngredient } from './rows.ts';

interface Regime {
  readonly rng: Rng;
  readonly everyMs: number;
  readonly deviation: number;
}

/**
 * Sudden lasting changes, as after a release or a new customer: a pair's level jumps at exponential times to a
 * fresh log-normal value of mean 1, independent of the last. It starts at 1.
 */
export class Regimes implements SharedIngredient {
  readonly #stepMs: number;
  readonly #regimes: readonly (Regime | undefined)[];
  /** Per pair: its level now, and when the next regime begins, ms from the start. */
  readonly #level: Float64Array;
  readonly #until: Float64Array;

  constructor({ applications, users, pairs }: Population, grid: Grid, seed: number) {
    this.#stepMs = grid.stepMs;
    this.#regimes = pairs.map(({ application, user }) => {
      const { id, ingredients } = applications[application]!;
      if (ingredients.regimes === 'none') return undefined;
      const rng = new Rng(seed, 'regimes', id, users[user]!);
      return {
        rng,
        everyMs: parseDuration(ingredients.regimes.every),
        deviation: ingredients.regimes.deviation,
      };
    });
    this.#level = new Float64Array(pairs.length).fill(1);
    this.#until = Float64Array.from(this.#regimes, (regime) =>
      regime ? regime.rng.exponential(regime.everyMs) : Number.POSITIVE_INFINITY,
    );
  }

  apply(t: number, factor: Float64Array): void {
    const now = (t + 0.5) * this.#stepMs;
    const level = this.#level;
    const until = this.#until;
    for (let p = 0; p < factor.length; p++) {
      while (until[p]! <= now) {
        const { rng, deviation, everyMs } = this.#regimes[p]!;
        level[p] = exp(deviation * (rng.normal() - 0.5 * deviation));
        until[p]! += rng.exponential(everyMs);
      }
      factor[p]! *= level[p]!;
    }
  }
}
