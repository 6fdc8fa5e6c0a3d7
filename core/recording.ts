import type { ControllerConfig } from './config.ts';
import type { VmSpec } from './model.ts';

/** A stretch of a live run as columns, from which the simulator can make the same demand again. */
export interface Recording {
  readonly controller: ControllerConfig;
  readonly seed: number;
  readonly stepMs: number;
  /** Time of the first tick, ms since the Unix epoch. */
  readonly epochMs: number;
  /** Intervals between ticks: interval t lies between tick t and tick t + 1. */
  readonly intervals: number;
  readonly vms: readonly RecordedDemand[];
}

export interface RecordedDemand {
  readonly spec: VmSpec;
  /** Intervals in which it was here: [from, until). */
  readonly from: number;
  readonly until: number;
  /**
   * By interval since `from` x R, NaN where nothing is known: demand as estimated from usage and pressure, usage,
   * the share of work held back, and what was granted at the interval's end.
   */
  readonly demand: Float64Array;
  readonly usage: Float64Array;
  readonly pressure: Float64Array;
  readonly allocation: Float64Array;
  /** What was granted when it was first seen, by resource; NaN where nothing is known. */
  readonly granted: Float64Array;
  /** Resizes wanted, by resource. */
  readonly resizes: readonly number[];
}
