import { z } from 'zod';
import { Conformal } from '../conformal.ts';
import { retrainOptions, retrainParams, samplingParams } from '../retrain-params.ts';
import { Retrained } from '../retrained.ts';
import type { ForecastContext } from '../types.ts';
import type { Holiday } from './parameters.ts';
import { ProphetRidgeShapes } from './shape.ts';

const DAY_MS = 86_400_000;

const time = z.iso.datetime({ offset: true });

/** Parameters of Prophet's design, shared by `prophet` and `prophet-ridge`. */
export const prophetDesignParams = {
  changepoints: z.int().min(0).max(200).default(25).describe('Candidate change points of the trend.'),
  changepointRange: z
    .number()
    .min(0.1)
    .max(1)
    .default(0.8)
    .describe('Share of the window, from its start, that change points may lie in.'),
  changepointScale: z
    .number()
    .positive()
    .default(0.05)
    .describe('Scale of the Laplace prior of change points: larger follows the trend more closely.'),
  dailyOrder: z.int().min(0).max(20).default(4).describe('Harmonics of the daily season; 0 leaves it out.'),
  weeklyOrder: z.int().min(0).max(20).default(3).describe('Harmonics of the weekly season; 0 leaves it out.'),
  seasonalityScale: z.number().positive().default(10).describe('Prior standard deviation of the seasons.'),
  holidayScale: z.number().positive().default(10).describe('Prior standard deviation of holiday effects.'),
  holidays: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        occurrences: z
          .array(z.strictObject({ start: time, end: time }))
          .min(1)
          .describe('Intervals that include their start, not their end.'),
      }),
    )
    .default([])
    .describe('Named sets of intervals with an effect of their own: releases, sales, public holidays.'),
} as const;

export const prophetRidgeParams = z
  .strictObject({ ...prophetDesignParams, ...retrainParams, ...samplingParams(15, 32) })
  .describe(
    "Prophet's trend and seasons, solved directly, carried to where the VM is now by regression on its recent past.",
  );

export type ProphetRidgeParams = z.infer<typeof prophetRidgeParams>;

/** The seasons and holidays that the parameters ask for. */
export function designOf(params: {
  dailyOrder: number;
  weeklyOrder: number;
  holidays: readonly { name: string; occurrences: readonly { start: string; end: string }[] }[];
}): { seasonalities: { name: string; periodMs: number; order: number }[]; holidays: Holiday[] } {
  return {
    seasonalities: [
      { name: 'daily', periodMs: DAY_MS, order: params.dailyOrder },
      { name: 'weekly', periodMs: 7 * DAY_MS, order: params.weeklyOrder },
    ].filter((s) => s.order > 0),
    holidays: params.holidays.map(({ name, occurrences }) => ({
      name,
      occurrences: occurrences.map(({ start, end }) => [Date.parse(start), Date.parse(end)] as const),
    })),
  };
}

/**
 * Prophet for fleets: `ProphetRidge` fits on a schedule, `DynamicRegression` between them, `Conformal` quantiles.
 */
export function createProphetRidge(params: ProphetRidgeParams, ctx: ForecastContext): Conformal {
  const shapes = new ProphetRidgeShapes({ ...params, ...designOf(params) }, ctx.stepMs, ctx.epochMs);
  return new Conformal(new Retrained(shapes, retrainOptions(params, ctx.stepMs), ctx), [0.5], ctx);
}
