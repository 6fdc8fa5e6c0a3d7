import initMstl, { MSTL } from '@bsull/augurs/mstl';
import { z } from 'zod';
import { DAY } from '../duration.ts';
import { ForesizeError } from '../errors.ts';
import type { AugursRuntime } from './augurs.ts';
import { Conformal } from './conformal.ts';
import { Curve, fitCurves } from './curve.ts';
import { retrainOptions, retrainParams, samplingParams } from './retrain-params.ts';
import { Retrained } from './retrained.ts';
import type { FitFailure, FittedShape, ShapeModel, TrainingBatch } from './shape-model.ts';
import type { ForecastContext, Forecaster } from './types.ts';

export const mstlParams = z
  .strictObject({
    ...retrainParams,
    ...samplingParams(30, 1),
    weekly: z
      .boolean()
      .default(true)
      .describe(
        'Whether to fit a weekly season, from a window of two weeks on; the daily one is always fitted.',
      ),
  })
  .describe('MSTL decomposition into daily and weekly season and a trend, which ETS forecasts.');

export type MstlParams = z.infer<typeof mstlParams>;

/**
 * MSTL (Bandara, Hyndman & Bergmeir 2021) with AutoETS for the trend, refitted to every pair at intervals.
 * @throws ForesizeError FORECAST_SAMPLE_INVALID when a day is not a whole number of samples, two or more
 */
export async function createMstl(
  params: MstlParams,
  ctx: ForecastContext,
  runtime: AugursRuntime,
): Promise<Forecaster> {
  const options = retrainOptions(params, ctx.stepMs);
  if (!(2 * options.sampleTicks * ctx.stepMs <= DAY && DAY % (options.sampleTicks * ctx.stepMs) === 0)) {
    throw new ForesizeError({
      code: 'FORECAST_SAMPLE_INVALID',
      what: `a day is not a whole number of training samples of ${options.sampleTicks} ticks of ${ctx.stepMs} ms`,
      where: 'forecast.sampleMinutes',
      remedy: 'choose a multiple of the tick that divides a day, such as 30',
    });
  }
  const shapes = await MstlShapes.load(params, options.retrainTicks, ctx.stepMs, runtime);
  return new Conformal(new Retrained(shapes, options, ctx), [0.5], ctx);
}

/** MSTL fits as curves. A season needs two whole periods in the window; missing samples are filled by `filled`. */
export class MstlShapes implements ShapeModel {
  readonly name = 'mstl';
  readonly version = 1;
  readonly parameters: { readonly weekly: boolean };
  readonly #weekly: boolean;
  readonly #retrainTicks: number;
  readonly #stepMs: number;

  private constructor(weekly: boolean, retrainTicks: number, stepMs: number) {
    this.parameters = { weekly };
    this.#weekly = weekly;
    this.#retrainTicks = retrainTicks;
    this.#stepMs = stepMs;
  }

  static async load(
    params: Pick<MstlParams, 'weekly'>,
    retrainTicks: number,
    stepMs: number,
    runtime: AugursRuntime,
  ): Promise<MstlShapes> {
    await initMstl({ module_or_path: await runtime.wasm('mstl') });
    return new MstlShapes(params.weekly, retrainTicks, stepMs);
  }

  fit(batch: TrainingBatch): (FittedShape | FitFailure)[] {
    const { every, length } = batch;
    const perDay = DAY / (every * this.#stepMs);
    const weekly = this.#weekly && length >= 14 * perDay;
    const periods = weekly ? [perDay, 7 * perDay] : [perDay];
    const repeat = periods.at(-1)!;
    const horizon = Math.max(Math.ceil(this.#retrainTicks / every) + perDay, repeat);
    return fitCurves(batch, horizon, repeat, (values, ahead) => {
      const model = MSTL.ets(periods);
      try {
        model.fit(filled(values, perDay));
        return { inSample: model.predictInSample().point, ahead: model.predict(ahead).point };
      } finally {
        model.free();
      }
    });
  }

  parse(saved: unknown): FittedShape {
    return Curve.parse(saved);
  }
}

/**
 * A copy without missing samples: each takes the value at the same time of the nearest day that has one, the earlier of
 * two; where no day has, the mean of the series.
 */
export function filled(values: Float64Array, perDay: number): Float64Array {
  const n = values.length;
  const out = Float64Array.from(values);
  let sum = 0;
  let seen = 0;
  for (const v of values) {
    if (Number.isNaN(v)) continue;
    sum += v;
    seen++;
  }
  for (let i = 0; i < n; i++) {
    if (!Number.isNaN(values[i]!)) continue;
    out[i] = sum / seen;
    for (let d = perDay; d < n; d += perDay) {
      const near = [values[i - d], values[i + d]].find((v) => v !== undefined && !Number.isNaN(v));
      if (near === undefined) continue;
      out[i] = near;
      break;
    }
  }
  return out;
}
