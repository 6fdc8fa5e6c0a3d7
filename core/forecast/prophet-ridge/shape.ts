import { cosTurns, sinTurns } from '../../math.ts';
import type { FitFailure, FittedShape, ShapeModel, TrainingBatch } from '../shape-model.ts';
import { ProphetRidge, type RidgeOptions } from './fit.ts';
import { holidayAt, type ProphetRidgeParameters, prophetRidgeSchema, valueAt } from './parameters.ts';

/** Ridge fits as shapes over the ticks of a run. */
export class ProphetRidgeShapes implements ShapeModel {
  readonly name = 'prophet-ridge';
  readonly version = 1;
  readonly parameters: Omit<RidgeOptions, 'stepMs'>;
  readonly #fits = new Map<number, ProphetRidge>();
  readonly #stepMs: number;
  readonly #epochMs: number;
  readonly #waves: Waves;

  /** @param options.seasonalities and the rest of the design; the sampling comes with each batch */
  constructor(options: Omit<RidgeOptions, 'stepMs'>, stepMs: number, epochMs: number) {
    this.parameters = options;
    this.#stepMs = stepMs;
    this.#epochMs = epochMs;
    this.#waves = new Waves(stepMs, epochMs);
  }

  fit(batch: TrainingBatch): (FittedShape | FitFailure)[] {
    let ridge = this.#fits.get(batch.every);
    if (!ridge) {
      ridge = new ProphetRidge({ ...this.parameters, stepMs: this.#stepMs * batch.every });
      this.#fits.set(batch.every, ridge);
    }
    // A sample is the mean over its ticks: it stands at their middle.
    const from = this.#epochMs + (batch.from + (batch.every - 1) / 2) * this.#stepMs;
    const results: (FittedShape | FitFailure)[] = [];
    for (let k = 0; k < batch.count; k++) {
      const fit = ridge.fit(batch.values.subarray(k * batch.length, (k + 1) * batch.length), from);
      results.push('failed' in fit ? fit : this.#shape(fit));
    }
    return results;
  }

  parse(saved: unknown): FittedShape {
    return this.#shape(prophetRidgeSchema.parse(saved));
  }

  #shape(parameters: ProphetRidgeParameters): FittedShape {
    return new ProphetRidgeShape(parameters, this.#stepMs, this.#epochMs, this.#waves);
  }
}

/** Sine and cosine of a season's harmonics by tick, computed once for all shapes where the period is whole ticks. */
class Waves {
  readonly #stepMs: number;
  readonly #epochMs: number;
  readonly #tables = new Map<string, Float64Array>();

  constructor(stepMs: number, epochMs: number) {
    this.#stepMs = stepMs;
    this.#epochMs = epochMs;
  }

  /** Rows of 2 x order values for ticks 0..period - 1, or undefined when the period is no whole number of ticks. */
  table(periodMs: number, width: number): Float64Array | undefined {
    const period = periodMs / this.#stepMs;
    if (!Number.isInteger(period) || period > 100_000) return undefined;
    const key = `${periodMs}/${width}`;
    let table = this.#tables.get(key);
    if (!table) {
      table = new Float64Array(period * width);
      for (let t = 0; t < period; t++) {
        const turns = ((this.#epochMs + t * this.#stepMs) / periodMs) % 1;
        for (let j = 0; j < width; j += 2) {
          table[t * width + j] = sinTurns((j / 2 + 1) * turns);
          table[t * width + j + 1] = cosTurns((j / 2 + 1) * turns);
        }
      }
      this.#tables.set(key, table);
    }
    return table;
  }
}

class ProphetRidgeShape implements FittedShape {
  readonly #parameters: ProphetRidgeParameters;
  readonly #stepMs: number;
  readonly #epochMs: number;
  /** The trend past the last change point: a straight line over ticks. */
  readonly #after: number;
  readonly #level: number;
  readonly #slope: number;
  readonly #seasons: { period: number; width: number; table: Float64Array; coefficients: Float64Array }[] =
    [];
  readonly #plain: boolean;

  constructor(parameters: ProphetRidgeParameters, stepMs: number, epochMs: number, waves: Waves) {
    this.#parameters = parameters;
    this.#stepMs = stepMs;
    this.#epochMs = epochMs;
    const { from, samples, changepoints, deltas } = parameters;
    const last = Math.max(1, samples - 1);
    let slope = parameters.slope;
    let level = parameters.intercept;
    for (let j = 0; j < deltas.length; j++) {
      slope += deltas[j]!;
      level -= (deltas[j]! * changepoints[j]!) / last;
    }
    const perTick = (slope * stepMs) / (parameters.stepMs * last);
    this.#slope = perTick;
    this.#level = level + (slope * (epochMs - from)) / (parameters.stepMs * last);
    this.#after = (from + (changepoints.at(-1) ?? 0) * parameters.stepMs - epochMs) / stepMs;
    let tabulated = true;
    for (const { periodMs, coefficients } of parameters.seasonalities) {
      const table = waves.table(periodMs, coefficients.length);
      if (!table) tabulated = false;
      else {
        this.#seasons.push({
          period: periodMs / stepMs,
          width: coefficients.length,
          table,
          coefficients: Float64Array.from(coefficients),
        });
      }
    }
    this.#plain = tabulated;
  }

  get loss(): number {
    return this.#parameters.sigma;
  }

  at(tick: number): number {
    if (!this.#plain || tick < this.#after)
      return valueAt(this.#parameters, this.#epochMs + tick * this.#stepMs);
    let sum = this.#level + this.#slope * tick;
    for (const { period, width, table, coefficients } of this.#seasons) {
      const from = (tick % period) * width;
      for (let j = 0; j < width; j++) sum += coefficients[j]! * table[from + j]!;
    }
    if (this.#parameters.holidays.length > 0) {
      sum += holidayAt(this.#parameters, this.#epochMs + tick * this.#stepMs);
    }
    return sum;
  }

  save(): ProphetRidgeParameters {
    return this.#parameters;
  }
}
