/** One VM of a trace, resampled to the tick. */
export interface TraceVm {
  readonly vmId: string;
  readonly applicationId: string;
  readonly userId: string;
  /** Size as the trace states it, row of R in `UNITS`; NaN where the trace does not say. */
  readonly size: readonly [number, number, number, number];
  /** First interval with a sample, relative to the trace's epoch. */
  readonly start: number;
  /** Usage per interval from `start`, interval x R, in `UNITS`; NaN where the trace has no value. */
  readonly usage: Float32Array;
}

/** A whole trace on one time grid. */
export interface Trace {
  readonly name: string;
  readonly format: string;
  /** Time of interval 0, ms since the Unix epoch. */
  readonly epochMs: number;
  readonly stepMs: number;
  /** Which resources the trace has at all, in the order of RESOURCES. */
  readonly has: readonly [boolean, boolean, boolean, boolean];
  /** Sorted by vmId. */
  readonly vms: readonly TraceVm[];
  readonly report: ReadReport;
}

/** What the reader met: nothing is dropped in silence. */
export interface ReadReport {
  readonly files: number;
  readonly rows: number;
  /** Samples by what was wrong with them, and what was done. */
  readonly outOfOrder: number;
  readonly duplicates: number;
  readonly invalid: number;
  /** Intervals between a VM's first and last sample that got no sample. */
  readonly gaps: number;
  /** First few invalid values, as `file:line: text`. */
  readonly examples: readonly string[];
  /** SHA-256 of the input bytes, in sorted order of file names: identity of the trace. */
  readonly sha256: string;
}
