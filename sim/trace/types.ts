/** The formats `loadTrace` reads; docs/traces.md has each one's layout, units and assumptions. */
export const TRACE_FORMATS = [
  'planetlab',
  'bitbrains',
  'azure',
  'azure-wide',
  'google2011',
  'google2019',
  'alibaba-machine',
  'alibaba-container',
  'vasim',
  'opendc',
  'long',
] as const;
export type TraceFormat = (typeof TRACE_FORMATS)[number];

/** What 100 % (or 1, where a trace is normalised to 1) stands for, where the trace itself does not say. */
export interface Assumed {
  readonly cores: number;
  readonly memoryMiB: number;
  readonly diskBytesPerS: number;
  readonly networkBytesPerS: number;
}

export interface LoadOptions {
  /** A file or a folder. */
  readonly path: string;
  /** Found out from names and first lines when absent. */
  readonly format?: TraceFormat | undefined;
  /** Length of an interval in ms; 300 000 when absent. */
  readonly stepMs?: number | undefined;
  /** Only the first so many VMs in sorted order of `vmId`. */
  readonly limit?: number | undefined;
  /** Only these VMs. */
  readonly vms?: readonly string[] | undefined;
  /** Window of intervals [from, to) of the trace; a window past the trace's end is an error. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  /** Which statistic of an interval to read, where the trace has both; `avg` when absent. */
  readonly statistic?: 'avg' | 'max' | undefined;
  /** Overrides of the format's own `Assumed`. */
  readonly assume?: Partial<Assumed> | undefined;
  readonly onProgress?: ((bytesRead: number, totalBytes: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** One VM of a trace, resampled to the tick. It lasts from its first interval with a value to its last. */
export interface TraceVm {
  readonly vmId: string;
  readonly applicationId: string;
  readonly userId: string;
  /**
   * Size, row of R in `UNITS`: as the trace states it, or what was assumed where usage is a share of an unstated
   * size (`report.notes` says so); NaN where neither holds.
   */
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
  /** Rows stamped earlier than a row of the same VM before them: put in order. */
  readonly outOfOrder: number;
  /** Rows with the stamp of another row of the same VM: the last value wins. */
  readonly duplicates: number;
  /** Values that are the format's marker for "not measured", or empty: taken as missing. */
  readonly invalid: number;
  /** Intervals between a VM's first and last value that got no value. */
  readonly gaps: number;
  /** First few invalid values, as `file:line: text`. */
  readonly examples: readonly string[];
  /** VMs left out because none of their rows has a value. */
  readonly vmsWithoutValues?: number;
  /** What was assumed or left out, in words. */
  readonly notes?: readonly string[];
  /**
   * Identity of the trace. One file: the SHA-256 of its bytes, as `sha256sum` prints it. Several: the SHA-256 of
   * the lines `<sha256>  <name>` of all files read, in sorted order of their names.
   */
  readonly sha256: string;
}
