import { z } from 'zod';
import type { FitFailure, FittedShape, TrainingBatch } from './shape-model.ts';

/** Ticks before the end of the window that a curve covers: as far back as `DynamicRegression` looks. */
const BEFORE_TICKS = 12;

const curveSchema = z.strictObject({
  from: z.number(),
  every: z.number().positive(),
  repeat: z.int().min(1),
  loss: z.number().min(0),
  values: z.array(z.number()).min(1),
});

/**
 * What a model predicted, as a table: for models that cannot be written down, whose predictions can. Straight between
 * samples; before the table its first value; past it the last `repeat` samples again and again.
 */
export class Curve implements FittedShape {
  readonly loss: number;
  readonly #from: number;
  readonly #every: number;
  readonly #repeat: number;
  readonly #values: Float64Array;

  /**
   * @param from tick at which the first value stands, a fraction where a sample is the mean of an even number of ticks
   * @param every ticks between values
   * @param repeat values in a season, at most as many as there are
   */
  constructor(from: number, every: number, repeat: number, values: Float64Array, loss: number) {
    this.#from = from;
    this.#every = every;
    this.#repeat = Math.min(repeat, values.length);
    this.#values = values;
    this.loss = loss;
  }

  at(tick: number): number {
    const values = this.#values;
    const x = (tick - this.#from) / this.#every;
    if (!(x > 0)) return values[0]!;
    const k = Math.floor(x);
    const low = this.#value(k);
    return low + (x - k) * (this.#value(k + 1) - low);
  }

  #value(k: number): number {
    const n = this.#values.length;
    if (k < n) return this.#values[k]!;
    return this.#values[n - this.#repeat + ((k - n) % this.#repeat)]!;
  }

  save(): z.infer<typeof curveSchema> {
    return {
      from: this.#from,
      every: this.#every,
      repeat: this.#repeat,
      loss: this.loss,
      values: Array.from(this.#values),
    };
  }

  /** @throws when `saved` is not what `save` wrote */
  static parse(saved: unknown): Curve {
    const { from, every, repeat, loss, values } = curveSchema.parse(saved);
    return new Curve(from, every, repeat, Float64Array.from(values), loss);
  }
}

/** Predictions for the samples of a training window and the `ahead` that follow it. */
export type FitCurve = (
  values: Float64Array,
  ahead: number,
) => { readonly inSample: ArrayLike<number>; readonly ahead: ArrayLike<number> };

/**
 * Fits every series of a batch and tabulates what was predicted. A constant series is its own forecast; one of which
 * over half is missing is not fitted; whatever the fit throws, or predicts that is not finite, is a failure of that
 * series alone.
 *
 * @param ahead samples to tabulate past the window
 * @param repeat samples of the longest season that was fitted
 */
export function fitCurves(
  batch: TrainingBatch,
  ahead: number,
  repeat: number,
  predict: FitCurve,
): (FittedShape | FitFailure)[] {
  const { count, length, every } = batch;
  const back = Math.min(length, Math.ceil(BEFORE_TICKS / every) + 1);
  const from = batch.from + (length - back) * every + (every - 1) / 2;
  const results: (FittedShape | FitFailure)[] = [];
  for (let s = 0; s < count; s++) {
    const values = batch.values.subarray(s * length, (s + 1) * length);
    let seen = 0;
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const v of values) {
      if (Number.isNaN(v)) continue;
      seen++;
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
    if (2 * seen < length || seen < 2) {
      results.push({ failed: `${seen} of ${length} samples in the training window` });
    } else if (low === high) {
      results.push(new Curve(from, every, 1, Float64Array.of(low), 0));
    } else {
      results.push(
        tabulated(values, ahead, back, predict, (table, loss) => new Curve(from, every, repeat, table, loss)),
      );
    }
  }
  return results;
}

function tabulated(
  values: Float64Array,
  ahead: number,
  back: number,
  predict: FitCurve,
  make: (table: Float64Array, loss: number) => Curve,
): FittedShape | FitFailure {
  try {
    const predicted = predict(values, ahead);
    const n = values.length;
    const table = new Float64Array(back + ahead);
    for (let k = 0; k < back; k++) table[k] = predicted.inSample[n - back + k]!;
    for (let k = 0; k < ahead; k++) table[back + k] = predicted.ahead[k]!;
    let squares = 0;
    let seen = 0;
    for (let i = 0; i < n; i++) {
      if (Number.isNaN(values[i]!)) continue;
      squares += (values[i]! - predicted.inSample[i]!) ** 2;
      seen++;
    }
    if (!Number.isFinite(squares) || !table.every(Number.isFinite))
      return { failed: 'predictions that are not finite' };
    return make(table, Math.sqrt(squares / seen));
  } catch (error) {
    // What WebAssembly throws is of no one type; the data made it, so it is the series' failure.
    return { failed: error instanceof Error ? error.message : String(error) };
  }
}
