import { R, type VmSpec } from '../../core/model.ts';
import { CAPACITY_COLUMNS, LONG_COLUMNS } from '../trace/formats/long-columns.ts';
import type { Workload } from './types.ts';

/** Digits after the point: a ten-thousandth of a core, a tenth of a MiB, a byte/s. */
const DIGITS = [4, 1, 0, 0] as const;

export interface LongCsvOptions {
  /** Told the rows written so far and the intervals done, after every interval. */
  readonly onProgress?: (rows: number, done: number) => void;
}

/**
 * A workload's demand in the generic long format (columns and units: sim/trace/formats/long-columns.ts), with the
 * requests as sizes: interval by interval, VM by VM in order of arrival, a piece of text per interval. Resources
 * that are not managed stay empty.
 */
export function* longCsv(workload: Workload, { onProgress }: LongCsvOptions = {}): Generator<string> {
  const { epochMs, stepMs, intervals } = workload;
  yield `${[...LONG_COLUMNS, ...CAPACITY_COLUMNS].join(',')}\n`;
  const stream = workload.open();
  let here: Line[] = [];
  let rows = 0;
  for (let t = 0; t < intervals; t++) {
    here = here.filter(({ until }) => until > t);
    for (const { vm, spec, until } of stream.arrivals(t)) here.push({ vm, until, ...textsOf(spec) });
    const slots = Int32Array.from(here.keys());
    const demand = new Float64Array(here.length * R);
    stream.demand(
      t,
      here.length,
      Int32Array.from(here, ({ vm }) => vm),
      slots,
      demand,
    );
    const time = String(epochMs + t * stepMs);
    let text = '';
    here.forEach(({ names, managed, sizes }, k) => {
      text += time + names;
      for (let r = 0; r < R; r++) text += managed[r] ? `,${demand[k * R + r]!.toFixed(DIGITS[r]!)}` : ',';
      text += sizes;
    });
    rows += here.length;
    yield text;
    onProgress?.(rows, t + 1);
  }
}

interface Line {
  readonly vm: number;
  readonly until: number;
  readonly names: string;
  readonly managed: readonly boolean[];
  readonly sizes: string;
}

/** What is the same in every row of a VM. */
function textsOf({ applicationId, userId, vmId, requested }: VmSpec): Omit<Line, 'vm' | 'until'> {
  return {
    names: `,${[applicationId, userId, vmId].map(field).join(',')}`,
    managed: requested.map((size) => size > 0),
    sizes: `,${requested.map((size) => (size > 0 ? String(size) : '')).join(',')}\n`,
  };
}

function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
