import { z } from 'zod';
import { anomaliesParams } from './anomaly/config.ts';
import { autoParams } from './forecast/auto/forecaster.ts';
import { etsParams } from './forecast/ets.ts';
import { holtWintersParams } from './forecast/holt-winters.ts';
import { lastValueParams } from './forecast/last-value.ts';
import { linearQuantileParams } from './forecast/linear-quantile/forecaster.ts';
import { lstmParams } from './forecast/lstm/params.ts';
import { mstlParams } from './forecast/mstl.ts';
import { prophetParams } from './forecast/prophet.ts';
import { prophetRidgeParams } from './forecast/prophet-ridge/forecaster.ts';
import { seasonalNaiveParams } from './forecast/seasonal-naive.ts';
import { autopilotMlParams } from './policy/autopilot-ml.ts';
import { autopilotWindowParams } from './policy/autopilot-window.ts';
import { guardParams } from './policy/guards.ts';
import { quantileParams } from './policy/quantile.ts';
import { thresholdParams } from './policy/threshold.ts';
import { timetableParams } from './policy/timetable.ts';
import { vpaParams } from './policy/vpa.ts';
import { priceParams } from './prices.ts';
import { profilerParams } from './profiler.ts';

/** A forecasting model and its parameters. */
export const forecastSchema = z.discriminatedUnion('model', [
  lastValueParams.extend({ model: z.literal('last-value') }),
  seasonalNaiveParams.extend({ model: z.literal('seasonal-naive') }),
  holtWintersParams.extend({ model: z.literal('holt-winters') }),
  prophetRidgeParams.extend({ model: z.literal('prophet-ridge') }),
  prophetParams.extend({ model: z.literal('prophet') }),
  etsParams.extend({ model: z.literal('ets') }),
  mstlParams.extend({ model: z.literal('mstl') }),
  linearQuantileParams.extend({ model: z.literal('linear-quantile') }),
  autoParams.extend({ model: z.literal('auto') }),
  lstmParams.extend({ model: z.literal('lstm') }),
  z.strictObject({ model: z.literal('oracle').describe('Perfect foresight of demand: simulator only.') }),
]);

export type ForecastConfig = z.infer<typeof forecastSchema>;

const forecast = forecastSchema
  .prefault({ model: 'last-value' })
  .describe('Where the prediction comes from.');

/** A policy by kind, with its parameters. */
export const policySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('static').describe('The allocation as requested.') }),
  thresholdParams.safeExtend({ kind: z.literal('threshold'), forecast }),
  quantileParams.extend({ kind: z.literal('quantile'), forecast }),
  vpaParams.extend({ kind: z.literal('vpa') }),
  autopilotWindowParams.extend({ kind: z.literal('autopilot-window') }),
  autopilotMlParams.extend({ kind: z.literal('autopilot-ml') }),
  timetableParams.extend({ kind: z.literal('timetable') }),
  z.strictObject({
    kind: z.literal('oracle').describe('Provides just what will be needed: the bound. Simulator only.'),
    horizon: z.int().min(1).max(2016).default(1),
    forecast: z.strictObject({ model: z.literal('oracle') }).prefault({ model: 'oracle' }),
  }),
]);

export type PolicyConfig = z.infer<typeof policySchema>;

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, 'letters, digits, dot, dash and underscore');

/** What the decision core is configured with: the same in simulation and live. */
export const controllerShape = {
  policies: z.record(name, policySchema).describe('Policies by name.'),
  policy: name.describe('The policy of applications that name none.'),
  applications: z.record(z.string(), name).prefault({}).describe('Policy names by application id.'),
  guards: guardParams.prefault({}).describe('Rules every wish of a policy passes.'),
  anomalies: anomaliesParams
    .optional()
    .describe('Look for anomalies, and what is done about them. Off when left out.'),
  profiler: profilerParams.prefault({}).describe('Baselines per application and user.'),
  prices: priceParams.describe('What allocations cost.'),
};

export const controllerSchema = z.strictObject(controllerShape);
export type ControllerConfig = z.infer<typeof controllerSchema>;
