import type { Raise } from '../anomaly/raise.ts';
import type { Fleet } from '../fleet.ts';
import type { Forecaster } from '../forecast/types.ts';
import type { Frame, PerSlot } from '../model.ts';

/** What a policy is given when it is made. */
export interface PolicyContext {
  readonly fleet: Fleet;
  /** Length of a tick, ms. */
  readonly stepMs: number;
  /** The forecaster the policy's configuration names, already registered and observing; policies share them. */
  readonly forecaster: Forecaster | undefined;
  /** What anomalous VMs are provided with beyond the policy's own quantile; absent where nobody looks for anomalies. */
  readonly raise?: Raise | undefined;
}

/**
 * Turns what was seen and forecast into desired allocations. Guards (bounds, cooldown, rounding, ...) come
 * after it and are not its business.
 */
export interface Policy extends PerSlot {
  readonly name: string;
  /**
   * Called every tick, after the forecaster observed. `slots` are the VMs this policy governs. Policies that
   * learn from usage themselves (vpa, autopilot) take in `frame` here. `desired` (slot x R) comes filled with the
   * current allocation: write only what should change. Never write to a resource whose `fleet.max` is 0. A NaN
   * usage is a lost sample: keep the allocation.
   */
  decide(frame: Frame, slots: Int32Array, desired: Float64Array): void;
}
