import type { ForecastConfig } from '../config.ts';
import { ForesizeError } from '../errors.ts';
import { createLastValue } from './last-value.ts';
import type { ForecastContext, Forecaster } from './types.ts';

/** Makes the forecaster a configuration names. Heavy ones are loaded only here, when asked for. */
export async function createForecaster(config: ForecastConfig, ctx: ForecastContext): Promise<Forecaster> {
  switch (config.model) {
    case 'last-value':
      return createLastValue({}, ctx);
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
      return day;
    case 'oracle':
      return 1;
  }
}
