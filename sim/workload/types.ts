import type { VmSpec } from '../../core/model.ts';
import type { AnomalyKind } from './anomalies/kinds.ts';

/** A VM that comes at the start of a tick. `vm` is the workload's own number for it, dense from 0. */
export interface Arrival {
  readonly vm: number;
  readonly spec: VmSpec;
  /** First tick at which the VM is gone; Infinity when it stays to the end. */
  readonly until: number;
}

/** An anomaly that demand is made to show: the truth that detection is measured against. */
export interface InjectedAnomaly {
  readonly vmId: string;
  readonly kind: AnomalyKind;
  /** First interval it shows in, and the first in which it no longer does. */
  readonly from: number;
  readonly to: number;
  /** Intervals it would last if neither the VM nor the workload ended. */
  readonly lasts: number;
}

/** A piece of work with a deadline. Its CPU is part of `demand`: `cores` from `startMs` until the work is done. */
export interface BatchJob {
  readonly vm: number;
  /** When the job became known and could start, ms since the epoch. */
  readonly releaseMs: number;
  /** When it starts if nothing holds it back: the jobs of a VM run one after another in order of release. */
  readonly startMs: number;
  readonly deadlineMs: number;
  /** CPU work, core-seconds. */
  readonly work: number;
  /** Cores it keeps busy while it runs; unhindered it takes `work / cores` seconds. */
  readonly cores: number;
  /** When it is done if nothing holds it back, where it does not run from `startMs` without a pause: Infinity is never. */
  readonly endMs?: number;
}

/**
 * Where demand comes from: a replayed trace or a generator. Interval t lasts from tick t to tick t + 1, that is
 * [epochMs + t * stepMs, epochMs + (t + 1) * stepMs).
 */
export interface Workload {
  readonly name: string;
  readonly epochMs: number;
  readonly stepMs: number;
  /** Number of intervals. */
  readonly intervals: number;
  /** Starts from interval 0. Streams are independent: the oracle reads ahead on one of its own. */
  open(): WorkloadStream;
}

export interface WorkloadStream {
  /** VMs that arrive at the start of interval t. Call with t = 0, 1, 2, ... once each, before `demand(t)`. */
  arrivals(t: number): readonly Arrival[];
  /**
   * Demand during interval t (cores, MiB, bytes/s, bytes/s; 0 for a resource the workload does not have) of VMs
   * vm[0..count), all of which are here, written to out[slot[k] * R + r]. Always finite and >= 0.
   */
  demand(t: number, count: number, vm: Int32Array, slot: Int32Array, out: Float64Array): void;
  /** Jobs released during interval t, valid after `arrivals(t)`. Absent when the workload has no jobs. */
  jobs?(t: number): readonly BatchJob[];
  /** Anomalies of the VMs that have arrived so far. Absent when none are injected. */
  readonly anomalies?: readonly InjectedAnomaly[];
}
