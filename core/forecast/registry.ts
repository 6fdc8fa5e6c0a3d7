import { type ForecastConfig, forecastSchema } from '../config.ts';
import { ForesizeError } from '../errors.ts';
import type { AugursRuntime } from './augurs.ts';
import { createAuto } from './auto/forecaster.ts';
import { createEts, etsHistory } from './ets.ts';
import { createHoltWinters } from './holt-winters.ts';
import { createLastValue } from './last-value.ts';
import { createLinearQuantile } from './linear-quantile/forecaster.ts';
import { lstmHistory } from './lstm/params.ts';
import { createMstl } from './mstl.ts';
import { createProphet } from './prophet.ts';
import { createProphetRidge } from './prophet-ridge/forecaster.ts';
import { createSeasonalNaive, seasonalNaiveDepth } from './seasonal-naive.ts';
import type { ForecastContext, Forecaster } from './types.ts';

/** Makes the forecaster a configuration names. Heavy ones are loaded only here, when asked for. */
export async function createForecaster(
  config: ForecastConfig,
  ctx: ForecastContext,
  augurs: AugursRuntime,
): Promise<Forecaster> {
  switch (config.model) {
    case 'last-value':
      return createLastValue({}, ctx);
    case 'seasonal-naive':
      return createSeasonalNaive(config, ctx);
    case 'holt-winters':
      return createHoltWinters(config, ctx);
    case 'prophet-ridge':
      return createProphetRidge(config, ctx);
    case 'prophet':
      return createProphet(config, ctx, augurs);
    case 'ets':
      return createEts(config, ctx, augurs);
    case 'mstl':
      return createMstl(config, ctx, augurs);
    case 'linear-quantile':
      return createLinearQuantile(config, ctx);
    case 'auto': {
      const candidates = config.candidates.map((model) => forecastSchema.parse({ model }));
      return createAuto(
        config,
        ctx,
        await Promise.all(candidates.map((candidate) => createForecaster(candidate, ctx, augurs))),
      );
    }
    case 'lstm':
      return (await import('./lstm/lstm.ts')).createLstm(config, ctx);
    case 'oracle':
      throw new ForesizeError({
        code: 'FORECAST_ORACLE_LIVE',
        what: 'the oracle knows true demand, which only a simulation has',
        remedy: 'choose another forecast model',
      });
  }
}

/** Ticks of history a model looks back on. */
export function historyDepth(config: ForecastConfig, stepMs: number): number {
  const day = Math.round(86_400_000 / stepMs);
  switch (config.model) {
    case 'last-value':
    case 'holt-winters':
    case 'prophet-ridge':
    case 'linear-quantile':
    case 'prophet':
    case 'mstl':
      return day;
    case 'ets':
      return etsHistory(config, stepMs);
    case 'seasonal-naive':
      return seasonalNaiveDepth(config, stepMs);
    case 'lstm':
      return lstmHistory(config, stepMs);
    case 'auto':
      return Math.max(
        ...config.candidates.map((model) => historyDepth(forecastSchema.parse({ model }), stepMs)),
      );
    case 'oracle':
      return 1;
  }
}
