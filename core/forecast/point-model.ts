import type { Frame, PerSlot } from '../model.ts';

/**
 * A forecaster of one number a step, without quantiles. `BandedForecaster` makes a `Forecaster` of it by adding
 * the distribution of its own past errors. `index` is slot * R + resource throughout.
 */
export interface PointModel extends PerSlot {
  /** Takes in the frame of a tick. A sample that is NaN was lost: what was known of the VM stays. */
  observe(frame: Frame): void;
  /** Forecast of the usage `step` >= 1 ticks after the last observed one; NaN when no sample was ever seen. */
  at(index: number, step: number): number;
  /** Largest forecast over steps 1..horizon of each slot and resource, written to `out[slot * R + r]`. */
  peak(slots: Int32Array, horizon: number, out: Float64Array): void;
}

/** Whether a number is a sample: finite and not negative. What telemetry could not read is NaN. */
export function isSample(value: number): boolean {
  return value >= 0 && value < Number.POSITIVE_INFINITY;
}
