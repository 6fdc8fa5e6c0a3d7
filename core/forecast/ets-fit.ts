import { AutoETS } from '@bsull/augurs/ets';
import type { FitFailure } from './shape-model.ts';

/** Smoothing of level and trend, and damping; and where the fitted series ended. */
export interface EtsFit {
  readonly alpha: number;
  readonly beta: number;
  readonly phi: number;
  readonly level: number;
  readonly trend: number;
}

/** Before anything is known: ETS(A,N,N) with alpha = 1 is last-value. */
export const AS_NOW = { alpha: 1, beta: 0, phi: 1 } as const;
/** AutoETS keeps a trend's beta above 1e-4; less is rounding. */
const NO_TREND = 1e-6;
/** Samples below which there is nothing to estimate from. */
export const MIN_SAMPLES = 24;

/**
 * Fits one series, once augurs' module is loaded, and reads the parameters off the forecasts, as augurs does not tell
 * them. An additive ETS without season has variances v_h = v_1 (1 + c_1^2 + ... + c_(h-1)^2) with c_j = alpha + beta (phi + ... + phi^j) (Hyndman et
 * al. 2008, table 6.2): three ratios give beta phi^2, phi and alpha exactly. The points give level and trend:
 * p_1 = l + phi b, and p_2 - p_1 = phi b, not phi^2 b, as augurs 0.10 sums phi + phi + phi^2 + ... for a damped trend.
 * The forecasts made here are the textbook's. A lost sample takes the last value; those before the first are left out.
 */
export function fitEts(values: Float64Array): EtsFit | FitFailure {
  const y = carried(values);
  let scale = 0;
  let seen = 0;
  let constant = true;
  for (const v of values) if (!Number.isNaN(v)) seen++;
  for (const v of y) {
    scale = Math.max(scale, Math.abs(v));
    if (v !== y[0]) constant = false;
  }
  if (seen < MIN_SAMPLES || 2 * seen < values.length) {
    return { failed: `${seen} of ${values.length} samples in the training window` };
  }
  if (constant) return { ...AS_NOW, level: y[0]!, trend: 0 };
  let point: number[];
  let upper: number[];
  try {
    const model = new AutoETS(1, 'AZN');
    try {
      model.fit(y.map((v) => v / scale));
      const forecast = model.predict(4, 0.8);
      point = forecast.point;
      upper = forecast.intervals?.upper ?? [];
    } finally {
      model.free();
    }
  } catch (error) {
    return { failed: error instanceof Error ? error.message : String(error) };
  }
  const v = point.map((p, h) => (upper[h]! - p) * (upper[h]! - p));
  const c = [1, 2, 3].map((j) => Math.sqrt(Math.max(0, (v[j]! - v[j - 1]!) / v[0]!)));
  const [c1, c2, c3] = c as [number, number, number];
  const trending = c2 - c1 > NO_TREND;
  const phi = trending ? Math.min(1, (c3 - c2) / (c2 - c1)) : 1;
  const beta = trending ? (c2 - c1) / (phi * phi) : 0;
  const alpha = Math.min(1, c1 - beta * phi);
  const trend = trending ? (point[1]! - point[0]!) / phi : 0;
  const fit = { alpha, beta, phi, level: (point[0]! - phi * trend) * scale, trend: trend * scale };
  if (!Object.values(fit).every(Number.isFinite)) return { failed: 'parameters that are not finite' };
  if (!(alpha >= 0 && beta <= alpha + NO_TREND && phi > 0))
    return { failed: `alpha ${alpha}, beta ${beta}, phi ${phi}` };
  return fit;
}

function carried(values: Float64Array): Float64Array {
  const first = values.findIndex((v) => !Number.isNaN(v));
  const out = values.slice(first < 0 ? values.length : first);
  for (let i = 1; i < out.length; i++) if (Number.isNaN(out[i]!)) out[i] = out[i - 1]!;
  return out;
}
