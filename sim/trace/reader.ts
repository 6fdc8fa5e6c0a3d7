import type { TraceBuilder } from './builder.ts';
import type { Reading } from './lines.ts';
import type { Assumed, TraceFormat } from './types.ts';

/** Everything a reader needs beside its own knowledge of the format. */
export interface ReadContext {
  readonly path: string;
  readonly builder: TraceBuilder;
  readonly reading: Reading;
  readonly stepMs: number;
  readonly statistic: 'avg' | 'max';
}

/** One format: what it has, and how to read it. */
export interface TraceReader {
  readonly format: TraceFormat;
  /** One line for `--help`, docs and errors. */
  readonly about: string;
  readonly has: readonly [boolean, boolean, boolean, boolean];
  /**
   * What a sample is: an `instant`; the state of a `span` the trace states; or, given as a number, a sample of that
   * many ms, held as a span when the step is shorter and else taken as an instant.
   */
  readonly sample: 'instant' | 'span' | number;
  /** Whether an interval has a maximum beside its average. */
  readonly hasMax: boolean;
  readonly assume: Assumed;
  read(context: ReadContext): Promise<void>;
}

/** The sampling period most public traces share, in ms. */
export const FIVE_MINUTES = 300_000;

/** What is assumed of a size nobody states: one core, 4 GiB, a disk of 500 MB/s, a link of 1 Gbit/s. */
export const SMALL_VM: Assumed = {
  cores: 1,
  memoryMiB: 4096,
  diskBytesPerS: 500e6,
  networkBytesPerS: 125e6,
};

/** Whether samples of a format are kept as spans at this step. */
export function keepsSpans(reader: TraceReader, stepMs: number): boolean {
  return reader.sample === 'span' || (typeof reader.sample === 'number' && stepMs < reader.sample);
}
