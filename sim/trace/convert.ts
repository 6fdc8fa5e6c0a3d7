import { createWriteStream, existsSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { CPU, DISK_IO, MEMORY, NETWORK, R } from '../../core/model.ts';
import { literal, withDuckDb } from './duckdb.ts';
import { CAPACITY_COLUMNS, LONG_COLUMNS } from './formats/long-columns.ts';
import { badTarget, quoted, unreadable } from './problems.ts';
import type { Trace, TraceVm } from './types.ts';

export interface Written {
  readonly path: string;
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Writes a trace in the generic long format: `.csv`, `.csv.gz` or `.parquet` by the name of `to`, VM by VM in sorted
 * order, one row an interval with a value. Values are written so that reading them gives the same 32-bit numbers. The
 * file is written under a temporary name and then renamed: what has the right name is whole.
 *
 * @param from what the trace was read from: never written over, nor into
 * @throws ForesizeError TRACE_BAD_TARGET
 */
export async function writeTrace(
  trace: Trace,
  to: string,
  from: string,
  signal?: AbortSignal,
): Promise<Written> {
  const kind = /\.(csv|csv\.gz|parquet)$/i.exec(to)?.[1]?.toLowerCase();
  if (!kind) throw badTarget(to, 'the name says no format', 'end it in .csv, .csv.gz or .parquet');
  if (!existsSync(dirname(to))) throw badTarget(to, 'its folder does not exist', 'make the folder first');
  if (existsSync(to) && statSync(to).isDirectory()) throw badTarget(to, 'it is a folder', 'name a file');
  if (isInside(to, from))
    throw badTarget(to, 'it would lie in the trace that is read', 'write to another folder');
  const part = `${to}.${process.pid}.part`;
  const table = `${part}.csv`;
  try {
    const counter = { rows: 0 };
    const hasSizes = trace.vms.some((vm) => vm.size.some((size) => !Number.isNaN(size)));
    const text = Readable.from(csvOf(trace, hasSizes, counter), { objectMode: false });
    if (kind === 'csv') await pipeline(text, createWriteStream(part), { signal });
    else if (kind === 'csv.gz') await pipeline(text, createGzip(), createWriteStream(part), { signal });
    else {
      await pipeline(text, createWriteStream(table), { signal });
      await toParquet(table, part, hasSizes);
    }
    renameSync(part, to);
    return { path: to, rows: counter.rows, bytes: statSync(to).size };
  } catch (cause) {
    if (typeof (cause as NodeJS.ErrnoException).syscall === 'string') throw unreadable(to, cause);
    throw cause;
  } finally {
    rmSync(part, { force: true });
    rmSync(table, { force: true });
  }
}

/** Whether `to` is the file `from`, or lies in the folder `from`: writing it would change the trace. */
function isInside(to: string, from: string): boolean {
  const place = existsSync(to) ? realpathSync(to) : join(realpathSync(dirname(to)), basename(to));
  const way = relative(realpathSync(from), place);
  return way === '' || (statSync(from).isDirectory() && !way.startsWith('..') && !isAbsolute(way));
}

/** DuckDB reads the CSV as a stream, so a large trace needs no second copy in memory. */
async function toParquet(table: string, to: string, hasSizes: boolean): Promise<void> {
  const types = ['BIGINT', 'VARCHAR', 'VARCHAR', 'VARCHAR', 'FLOAT', 'FLOAT', 'FLOAT', 'FLOAT'];
  const columns = LONG_COLUMNS.map((name, i) => `${literal(name)}: ${literal(types[i]!)}`);
  if (hasSizes) for (const name of CAPACITY_COLUMNS) columns.push(`${literal(name)}: 'DOUBLE'`);
  const csv = `read_csv(${literal(table)}, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', columns = {${columns.join(', ')}})`;
  await withDuckDb(async (connection) => {
    await connection.run(`COPY (FROM ${csv}) TO ${literal(to)} (FORMAT parquet, COMPRESSION zstd)`);
  });
}

const CHUNK = 1 << 16;

function* csvOf(trace: Trace, hasSizes: boolean, counter: { rows: number }): Generator<string> {
  let text = `${[...LONG_COLUMNS, ...(hasSizes ? CAPACITY_COLUMNS : [])].join(',')}\n`;
  for (const vm of trace.vms) {
    const names = `${csvField(vm.applicationId)},${csvField(vm.userId)},${csvField(vm.vmId)}`;
    const sizes = hasSizes
      ? `,${vm.size.map((size) => (Number.isNaN(size) ? '' : String(size))).join(',')}`
      : '';
    for (let k = 0; k < vm.usage.length / R; k++) {
      const values = valuesOf(vm, k);
      if (values === ',,,') continue;
      counter.rows++;
      text += `${trace.epochMs + (vm.start + k) * trace.stepMs},${names},${values}${sizes}\n`;
      if (text.length > CHUNK) {
        yield text;
        text = '';
      }
    }
  }
  yield text;
}

function valuesOf({ usage }: TraceVm, k: number): string {
  const at = k * R;
  return `${shortest(usage[at + CPU]!)},${shortest(usage[at + MEMORY]!)},${shortest(usage[at + DISK_IO]!)},${shortest(usage[at + NETWORK]!)}`;
}

/** The shortest decimal that gives the same 32-bit number; empty for NaN. Nine digits always do. */
export function shortest(value: number): string {
  if (Number.isNaN(value)) return '';
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(9)));
}

function csvField(text: string): string {
  if (/[\r\n]/.test(text))
    throw badTarget(quoted(text), 'an id with a line break cannot be written', 'rename the VM');
  return /[",]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
