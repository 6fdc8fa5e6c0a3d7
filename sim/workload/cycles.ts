import { DAY, HOUR, parseDuration, WEEK } from '../../core/duration.ts';
import { cosTurns, exp } from '../../core/math.ts';
import { grown } from '../../core/model.ts';
import { GENERATED_EPOCH, type Grid } from './grid.ts';
import type { CycleConfig } from './ingredients.ts';
import type { Population } from './population.ts';
import type { Ingredient, Rows } from './rows.ts';

/** Points of the table of a week: one every 5 minutes, with Monday 00:00 once more at the end. */
const POINTS = 2016;

/** Nothing is ever quite idle: the system itself takes a twentieth of the mean load. */
const IDLE = 0.05;

/**
 * Load of a week relative to its mean, POINTS + 1 numbers from Monday 00:00 UTC.
 *
 * A day is a von Mises bump, 1 + amplitude (e^(k cos x) - I0(k)) / (e^k - I0(k)), whose mean is 1 and whose peak
 * is 1 + amplitude whatever k, the focus: k = 0 is a sine, and the peak narrows as k grows. Saturday and Sunday
 * are scaled by `weekend`, with three hours around midnight to change over.
 */
export function weekTable(config: CycleConfig | 'none'): Float64Array {
  const table = new Float64Array(POINTS + 1).fill(1);
  if (config === 'none') return table;
  const day = dayShape(config.focus);
  const peak = parseDuration(config.peak) / DAY;
  let sum = 0;
  for (let i = 0; i < POINTS; i++) {
    const days = (i * 7) / POINTS;
    const value = Math.max(0, 1 + config.amplitude * day(days - peak)) * weekendFactor(days, config.weekend);
    table[i] = value;
    sum += value;
  }
  for (let i = 0; i < POINTS; i++) table[i]! *= POINTS / sum;
  table[POINTS] = table[0]!;
  return table;
}

function dayShape(focus: number): (turns: number) => number {
  if (focus === 0) return cosTurns;
  let mean = 0; // the modified Bessel function I0, by the trapezoid rule, which is exact for a periodic function
  for (let i = 0; i < 288; i++) mean += exp(focus * cosTurns(i / 288)) / 288;
  const height = exp(focus) - mean;
  return (turns) => (exp(focus * cosTurns(turns)) - mean) / height;
}

function weekendFactor(days: number, weekend: number): number {
  const half = (1.5 * HOUR) / DAY;
  // Distance into the weekend: from Friday midnight (day 5) to Sunday midnight (day 7, which is day 0).
  const inside = days < half ? -days : Math.min(days - 5, 7 - days);
  const share = Math.min(1, Math.max(0, (inside + half) / (2 * half)));
  return 1 + (weekend - 1) * share;
}

/** Daily and weekly cycle: sets the load to the VM's level at this time of its user's week. */
export class Cycles implements Ingredient {
  readonly #rows: Rows;
  readonly #grid: Grid;
  readonly #tables: Float64Array;
  /** Per pair: where its application's table begins, and the swing of its user. */
  readonly #table: Int32Array;
  readonly #swing: Float64Array;
  /** How far the VM's week lags, in points of the table, 0 <= lag < POINTS. */
  #lag = new Float64Array(0);

  constructor(population: Population, rows: Rows, grid: Grid) {
    this.#rows = rows;
    this.#grid = grid;
    const { applications, pairs } = population;
    this.#tables = new Float64Array(applications.length * (POINTS + 1));
    applications.forEach((app, a) => {
      this.#tables.set(weekTable(app.ingredients.cycle), a * (POINTS + 1));
    });
    this.#table = Int32Array.from(pairs, (pair) => pair.application * (POINTS + 1));
    this.#swing = Float64Array.from(pairs, (pair) => pair.traits.amplitude);
  }

  grow(capacity: number): void {
    this.#lag = grown(this.#lag, capacity);
  }

  admit(row: number): void {
    this.#lag[row] = weekPoint(this.#rows.phaseMs[row]!);
  }

  apply(t: number, load: Float64Array): void {
    const { high, pair, level } = this.#rows;
    const tables = this.#tables;
    const table = this.#table;
    const swing = this.#swing;
    const lag = this.#lag;
    // The middle of the interval stands for its mean.
    const now = weekPoint(this.#grid.epochMs + (t + 0.5) * this.#grid.stepMs - GENERATED_EPOCH);
    for (let row = 0; row < high; row++) {
      const p = pair[row]!;
      let point = now - lag[row]!;
      if (point < 0) point += POINTS;
      const before = Math.floor(point);
      const at = table[p]! + before;
      const here = tables[at]!;
      const value = here + (point - before) * (tables[at + 1]! - here);
      load[row] = level[row]! * Math.max(IDLE, 1 + swing[p]! * (value - 1));
    }
  }
}

/** Where in the table of a week a time lies that is `ms` after a Monday 00:00, 0 <= point < POINTS. */
function weekPoint(ms: number): number {
  const point = (ms / WEEK - Math.floor(ms / WEEK)) * POINTS;
  return point < POINTS ? point : 0;
}
