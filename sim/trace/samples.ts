import { grown, R } from '../../core/model.ts';
import type { Resampled } from './resample.ts';

/** Longest stretch of one VM, in intervals: 20 years of 5 minutes. A stamp beyond it has the wrong unit. */
export const MAX_INTERVALS = 1 << 21;
/** Year 255,000: beyond it `Date` has no dates. */
export const MAX_TIME = 8e15;
/** Far above any usage or size in any unit here, and far below what a 32-bit number holds. */
export const MAX_VALUE = 1e18;
const MAX_EXAMPLES = 5;
const NOTHING = new Float64Array(0);
const NO_VALUES = new Float32Array(0);

/**
 * The rows of one VM as a reader found them, in growing columns: 8 bytes a stamp and 4 a value, nothing for a
 * resource the format does not have. Kept until the VM is resampled, because only then is it known which rows are
 * out of order and which stamps come twice.
 */
export class VmSamples {
  readonly id: string;
  applicationId: string;
  userId: string;
  /** Row of R in `UNITS`; NaN where unknown. */
  readonly size = [Number.NaN, Number.NaN, Number.NaN, Number.NaN];
  /** What to multiply the values with to get `UNITS`. */
  readonly scale = [1, 1, 1, 1];

  count = 0;
  times = NOTHING;
  /** Row-major, `columns.length` wide. */
  values = NO_VALUES;
  /** ms a sample stands for; empty where samples are instants. */
  durations = NOTHING;
  /** Which resource each column of `values` is. */
  readonly columns: readonly number[];

  latest = Number.NEGATIVE_INFINITY;
  outOfOrder = 0;
  invalid = 0;
  readonly examples: string[] = [];
  /** The VM on the grid, once it is settled; null when it has no value. */
  settled: Resampled | null | undefined;

  readonly #spans: boolean;
  readonly #maxSpanMs: number;
  #first = Number.NaN;

  /** @param spare a settled VM whose columns are taken over */
  constructor(id: string, applicationId: string, userId: string, shape: SampleShape, spare?: VmSamples) {
    this.id = id;
    this.applicationId = applicationId;
    this.userId = userId;
    this.columns = shape.columns;
    this.#spans = shape.spans;
    this.#maxSpanMs = shape.stepMs * MAX_INTERVALS;
    if (spare) {
      this.times = spare.times;
      this.values = spare.values;
      this.durations = spare.durations;
      spare.release();
    }
  }

  /** Lets the rows go. */
  release(): void {
    this.times = this.durations = NOTHING;
    this.values = NO_VALUES;
  }

  /** Whether a sample may lie there: not further from the first one than any trace is long. */
  reaches(timeMs: number, durationMs: number): boolean {
    const first = Number.isNaN(this.#first) ? timeMs : this.#first;
    return timeMs + durationMs - first <= this.#maxSpanMs && first - timeMs <= this.#maxSpanMs;
  }

  /** Adds a row. A value NaN means: not measured. Call `reaches` first. */
  add(
    timeMs: number,
    durationMs: number,
    cpu: number,
    memory: number,
    diskIo: number,
    network: number,
  ): void {
    const width = this.columns.length;
    const n = this.count++;
    if (n === this.times.length) {
      const capacity = Math.max(16, n * 2);
      this.times = grown(this.times, capacity);
      this.values = grown(this.values, capacity * width);
      if (this.#spans) this.durations = grown(this.durations, capacity);
    }
    if (n === 0) this.#first = timeMs;
    if (timeMs < this.latest) this.outOfOrder++;
    else this.latest = timeMs;
    this.times[n] = timeMs;
    if (this.#spans) this.durations[n] = durationMs;
    for (let c = 0; c < width; c++) {
      const resource = this.columns[c]!;
      this.values[n * width + c] =
        resource === 0 ? cpu : resource === 1 ? memory : resource === 2 ? diskIo : network;
    }
  }

  /** Counts a value that was there but not valid. */
  sawInvalid(example: string): void {
    this.invalid++;
    if (this.examples.length < MAX_EXAMPLES) this.examples.push(example);
  }
}

/** What all VMs of a trace have in common. */
export interface SampleShape {
  readonly stepMs: number;
  /** Samples stand for a span of time, not for an instant. */
  readonly spans: boolean;
  /** Resources the format has, ascending. */
  readonly columns: readonly number[];
}

export function shapeOf(stepMs: number, spans: boolean, has: readonly boolean[]): SampleShape {
  const columns: number[] = [];
  for (let r = 0; r < R; r++) if (has[r]) columns.push(r);
  return { stepMs, spans, columns };
}
