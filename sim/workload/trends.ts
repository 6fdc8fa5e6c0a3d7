import { WEEK } from '../../core/duration.ts';
import type { Grid } from './grid.ts';
import type { Population } from './population.ts';
import type { SharedIngredient } from './rows.ts';

/** Steady growth: 1 + perWeek x weeks since the start, at the middle of the interval; never below 0. */
export class Trends implements SharedIngredient {
  readonly #perStep: Float64Array;

  constructor({ applications, pairs }: Population, grid: Grid) {
    this.#perStep = Float64Array.from(pairs, ({ application }) => {
      const { trend } = applications[application]!.ingredients;
      return trend === 'none' ? 0 : (trend.perWeek * grid.stepMs) / WEEK;
    });
  }

  apply(t: number, factor: Float64Array): void {
    for (let p = 0; p < factor.length; p++) factor[p]! *= Math.max(0, 1 + (t + 0.5) * this.#perStep[p]!);
  }
}
