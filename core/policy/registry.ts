import type { PolicyConfig } from '../config.ts';
import { createAutopilotMl } from './autopilot-ml.ts';
import { createAutopilotWindow } from './autopilot-window.ts';
import { createQuantile, type QuantileParams } from './quantile.ts';
import { createStatic } from './static.ts';
import { createThreshold } from './threshold.ts';
import { createTimetable } from './timetable.ts';
import type { Policy, PolicyContext } from './types.ts';
import { createVpa } from './vpa.ts';

export function createPolicy(config: PolicyConfig, ctx: PolicyContext): Policy {
  switch (config.kind) {
    case 'static':
      return createStatic();
    case 'threshold':
      return createThreshold(config, ctx);
    case 'quantile':
      return createQuantile(config, ctx);
    case 'oracle':
      return createQuantile(foresight(config.horizon), ctx);
    case 'autopilot-ml':
      return createAutopilotMl(config, ctx);
    case 'autopilot-window':
      return createAutopilotWindow(config, ctx);
    case 'timetable':
      return createTimetable(config, ctx);
    case 'vpa':
      return createVpa(config, ctx);
  }
}

/** No quantile to choose, no margin and no band: what will be needed is known. */
function foresight(horizon: number): QuantileParams {
  const certain = { quantile: 0.5, horizon, margin: 0 };
  return { ...certain, memory: { ...certain, holdHours: 0 }, upBand: 0, downBand: 0 };
}
