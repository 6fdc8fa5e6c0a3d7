import type { Resource } from '../../core/model.ts';

/** Quantiles a backtest asks for; the outer two of each side bound the 90 % interval. */
export const QUANTILES = [0.05, 0.5, 0.9, 0.95, 0.99] as const;
export const LOW = 0;
export const MEDIAN = 1;

/** Losses summed over one VM-day of one resource. All losses are in the resource's unit. */
export interface AccuracyRow {
  readonly vm: number;
  readonly day: number;
  /** Forecasts scored: origins x steps with an actual value. */
  points: number;
  actual: number;
  absoluteError: number;
  /** Pinball loss, and the number of actual values at or below the forecast, by QUANTILES. */
  readonly pinball: Float64Array;
  readonly covered: Float64Array;
  /** q.95 - q.05. */
  width: number;
}

/** What one model reached, by resource. */
export interface ModelAccuracy {
  readonly model: string;
  readonly vmIds: readonly string[];
  readonly rows: Partial<Record<Resource, AccuracyRow[]>>;
  /** Scale of each VM: mean |y(t) - y(t-1)| before the first origin, for MASE; 0 where it did not move. */
  readonly scales: Partial<Record<Resource, Float64Array>>;
  readonly fitSeconds: number;
  readonly predictSeconds: number;
  /** VM-forecasts of a whole horizon that were made. */
  readonly forecasts: number;
}

/** Figures of a model on a resource. Losses but for `wql` are in units of the VM's own scale. */
export interface AccuracySummary {
  readonly points: number;
  readonly mase: number;
  /** Mean pinball loss / scale, by QUANTILES. */
  readonly pinball: readonly number[];
  /** Weighted quantile loss: 2 x summed pinball / summed usage, by QUANTILES. */
  readonly wql: readonly number[];
  readonly coverage: readonly number[];
  /** Mean width of the 90 % interval / scale. */
  readonly width: number;
}

/** Pinball loss of quantile forecast `q` at level `tau` for the actual `y`. */
export function pinball(tau: number, q: number, y: number): number {
  return y >= q ? tau * (y - q) : (1 - tau) * (q - y);
}

/** Sums rows to figures; VMs whose usage never moved have no scale and count in coverage and `wql` alone. */
export function summarize(accuracy: ModelAccuracy, resource: Resource): AccuracySummary | undefined {
  const rows = accuracy.rows[resource];
  const scales = accuracy.scales[resource];
  if (!rows || !scales || rows.length === 0) return undefined;
  const zero = () => QUANTILES.map(() => 0);
  const pinballs = zero();
  const raw = zero();
  const covered = zero();
  let points = 0;
  let scaled = 0;
  let actual = 0;
  let error = 0;
  let width = 0;
  for (const row of rows) {
    const scale = scales[row.vm]!;
    points += row.points;
    actual += row.actual;
    QUANTILES.forEach((_, q) => {
      raw[q]! += row.pinball[q]!;
      covered[q]! += row.covered[q]!;
      if (scale > 0) pinballs[q]! += row.pinball[q]! / scale;
    });
    if (scale === 0) continue;
    scaled += row.points;
    error += row.absoluteError / scale;
    width += row.width / scale;
  }
  return {
    points,
    mase: error / scaled,
    pinball: pinballs.map((sum) => sum / scaled),
    wql: raw.map((sum) => (2 * sum) / actual),
    coverage: covered.map((sum) => sum / points),
    width: width / scaled,
  };
}
