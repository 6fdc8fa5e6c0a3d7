import { z } from 'zod';
import { cosTurns, normalQuantile, sinTurns } from '../../math.ts';

/** A named set of intervals [start, end), ms since the epoch, that share one additive effect. */
export interface Holiday {
  readonly name: string;
  readonly occurrences: readonly (readonly [start: number, end: number])[];
}

const finite = z.number();
const count = z.int().min(0);

/** A fitted model as plain data: JSON and back gives the same forecasts bit for bit. */
export const prophetRidgeSchema = z.strictObject({
  from: finite.describe('Time of the first sample, ms since the epoch'),
  stepMs: z.number().positive(),
  samples: z.int().min(2).describe('Length of the training window in samples'),
  observed: count.describe('Samples that were there'),
  scale: z.number().positive().describe('Largest absolute sample'),
  intercept: finite,
  slope: finite.describe('Growth over the whole window before any change point'),
  changepoints: z.array(count).describe('Sample indices'),
  deltas: z.array(finite).describe('Change of slope at each change point'),
  seasonalities: z.array(
    z.strictObject({
      name: z.string(),
      periodMs: z.number().positive(),
      coefficients: z.array(finite).describe('Sine and cosine of each harmonic, phases from the epoch'),
    }),
  ),
  holidays: z.array(
    z.strictObject({
      name: z.string(),
      occurrences: z.array(z.tuple([finite, finite])),
      effect: finite,
    }),
  ),
  sigma: z.number().min(0).describe('Standard deviation of the noise'),
});

export type ProphetRidgeParameters = {
  readonly from: number;
  readonly stepMs: number;
  readonly samples: number;
  readonly observed: number;
  readonly scale: number;
  readonly intercept: number;
  readonly slope: number;
  readonly changepoints: readonly number[];
  readonly deltas: readonly number[];
  readonly seasonalities: readonly {
    readonly name: string;
    readonly periodMs: number;
    readonly coefficients: readonly number[];
  }[];
  readonly holidays: readonly (Holiday & { readonly effect: number })[];
  readonly sigma: number;
};

/** The trend at a time, in units of the series. */
export function trendAt(model: ProphetRidgeParameters, at: number): number {
  const last = Math.max(1, model.samples - 1);
  const i = (at - model.from) / model.stepMs;
  let g = model.intercept + (model.slope * i) / last;
  for (let j = 0; j < model.deltas.length; j++) {
    const since = i - model.changepoints[j]!;
    if (since > 0) g += (model.deltas[j]! * since) / last;
  }
  return g;
}

/** Sum of the Fourier terms at a time. */
export function seasonalAt(model: ProphetRidgeParameters, at: number): number {
  let sum = 0;
  for (const { periodMs, coefficients } of model.seasonalities) {
    const turns = (at / periodMs) % 1;
    for (let h = 1; 2 * h <= coefficients.length; h++) {
      sum += coefficients[2 * h - 2]! * sinTurns(h * turns) + coefficients[2 * h - 1]! * cosTurns(h * turns);
    }
  }
  return sum;
}

export function holidayAt(model: ProphetRidgeParameters, at: number): number {
  let sum = 0;
  for (const { occurrences, effect } of model.holidays) {
    if (effect !== 0 && occurrences.some(([start, end]) => at >= start && at < end)) sum += effect;
  }
  return sum;
}

/** The forecast: trend + seasons + holidays. */
export function valueAt(model: ProphetRidgeParameters, at: number): number {
  return trendAt(model, at) + seasonalAt(model, at) + holidayAt(model, at);
}

/**
 * A quantile of the predictive distribution by Prophet's own account of uncertainty: observation noise, and a
 * trend that goes on changing as often (S a window) and as much (Laplace with the mean |delta|, b) as before. Prophet
 * draws samples; here is their variance, (2/3) S b^2 tau^3 at tau windows past the end, and a normal shape.
 */
export function quantileAt(model: ProphetRidgeParameters, at: number, quantile: number): number {
  const last = Math.max(1, model.samples - 1);
  const past = Math.max(0, (at - model.from) / model.stepMs / last - 1);
  const s = model.deltas.length;
  let b = 0;
  for (const d of model.deltas) b += Math.abs(d);
  if (s > 0) b /= s;
  const variance = model.sigma * model.sigma + (2 / 3) * s * b * b * past * past * past;
  return valueAt(model, at) + normalQuantile(quantile) * Math.sqrt(variance);
}
