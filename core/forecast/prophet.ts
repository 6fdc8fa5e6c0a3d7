import initProphet, {
  Prophet,
  type ProphetOptions,
  type ProphetSeasonalityOption,
} from '@bsull/augurs/prophet';
import { z } from 'zod';
import { DAY } from '../duration.ts';
import type { AugursRuntime } from './augurs.ts';
import { Conformal } from './conformal.ts';
import { Curve, fitCurves } from './curve.ts';
import { designOf, prophetDesignParams } from './prophet-ridge/forecaster.ts';
import type { Holiday } from './prophet-ridge/parameters.ts';
import { retrainOptions, retrainParams, samplingParams } from './retrain-params.ts';
import { Retrained } from './retrained.ts';
import type { FitFailure, FittedShape, ShapeModel, TrainingBatch } from './shape-model.ts';
import type { ForecastContext, Forecaster } from './types.ts';

export const prophetParams = z
  .strictObject({ ...prophetDesignParams, ...retrainParams, ...samplingParams(30, 1) })
  .describe(
    'Prophet itself, compiled to WebAssembly, carried to where the VM is now by regression on its recent past.',
  );

export type ProphetParams = z.infer<typeof prophetParams>;

/** Prophet (Taylor & Letham, "Forecasting at scale", 2018), refitted to every pair at intervals. */
export async function createProphet(
  params: ProphetParams,
  ctx: ForecastContext,
  runtime: AugursRuntime,
): Promise<Forecaster> {
  const options = retrainOptions(params, ctx.stepMs);
  const shapes = await ProphetShapes.load(params, options.retrainTicks, ctx, runtime);
  return new Conformal(new Retrained(shapes, options, ctx), [0.5], ctx);
}

/**
 * Prophet fits as curves. Missing samples are left out, as Prophet does. Fits are never kept: what is predicted until
 * well after the next training is tabulated at once, and that is what is saved.
 */
export class ProphetShapes implements ShapeModel {
  readonly name = 'prophet';
  readonly version = 1;
  readonly parameters: ProphetParams;
  readonly #optimizer: ProphetOptions['optimizer'];
  readonly #holidays: readonly Holiday[];
  readonly #retrainTicks: number;
  readonly #stepMs: number;
  readonly #epochMs: number;

  private constructor(
    params: ProphetParams,
    optimizer: ProphetOptions['optimizer'],
    retrainTicks: number,
    ctx: Pick<ForecastContext, 'stepMs' | 'epochMs'>,
  ) {
    this.parameters = params;
    this.#holidays = designOf(params).holidays;
    this.#optimizer = optimizer;
    this.#retrainTicks = retrainTicks;
    this.#stepMs = ctx.stepMs;
    this.#epochMs = ctx.epochMs;
  }

  static async load(
    params: ProphetParams,
    retrainTicks: number,
    ctx: Pick<ForecastContext, 'stepMs' | 'epochMs'>,
    runtime: AugursRuntime,
  ): Promise<ProphetShapes> {
    await initProphet({ module_or_path: await runtime.wasm('prophet') });
    return new ProphetShapes(params, await runtime.optimizer(), retrainTicks, ctx);
  }

  fit(batch: TrainingBatch): (FittedShape | FitFailure)[] {
    const { every, length } = batch;
    const perDay = Math.max(1, Math.round(DAY / (every * this.#stepMs)));
    // A shorter window says nothing of the other days of the week.
    const weekly = this.parameters.weeklyOrder > 0 && length >= 7 * perDay;
    const repeat = weekly ? 7 * perDay : perDay;
    const ahead = Math.max(Math.ceil(this.#retrainTicks / every) + perDay, repeat);
    // Seconds since the epoch, in the middle of each sample.
    const seconds = (i: number): number =>
      (this.#epochMs + (batch.from + i * every + (every - 1) / 2) * this.#stepMs) / 1000;
    const times = Array.from({ length: length + ahead }, (_, i) => seconds(i));
    return fitCurves(batch, ahead, repeat, (values) => {
      const ds: number[] = [];
      const y: number[] = [];
      values.forEach((v, i) => {
        if (Number.isNaN(v)) return;
        ds.push(times[i]!);
        y.push(v);
      });
      const model = this.#model(weekly);
      try {
        model.fit({ ds, y }, { seed: 1 });
        const { point } = model.predict({ ds: times }).yhat;
        return { inSample: point.slice(0, length), ahead: point.slice(length) };
      } finally {
        model.free();
      }
    });
  }

  parse(saved: unknown): FittedShape {
    return Curve.parse(saved);
  }

  #model(weekly: boolean): Prophet {
    const { changepoints, changepointRange, changepointScale, seasonalityScale, holidayScale } =
      this.parameters;
    const { dailyOrder, weeklyOrder } = this.parameters;
    // Not `auto`: that drops the weekly season from windows of less than 14 full days, as those with a gap are.
    return new Prophet({
      optimizer: this.#optimizer,
      yearlySeasonality: season(0),
      weeklySeasonality: season(weekly ? weeklyOrder : 0),
      dailySeasonality: season(dailyOrder),
      nChangepoints: changepoints,
      changepointRange,
      changepointPriorScale: changepointScale,
      seasonalityPriorScale: seasonalityScale,
      uncertaintySamples: 0,
      ...(this.#holidays.length > 0 && {
        holidays: new Map(
          this.#holidays.map(({ name, occurrences }) => [
            name,
            {
              occurrences: occurrences.map(([start, end]) => ({ start: start / 1000, end: end / 1000 })),
              priorScale: holidayScale,
            },
          ]),
        ),
      }),
    });
  }
}

function season(order: number): ProphetSeasonalityOption {
  return order > 0 ? { type: 'fourier', order } : { type: 'manual', enabled: false };
}
