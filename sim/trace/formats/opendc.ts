import { dirname } from 'node:path';
import { MEMORY } from '../../../core/model.ts';
import { asMs, forEachRow, isNumeric, literal, type Schema, schemaOf, withDuckDb } from '../duckdb.ts';
import { hashFile, oneOf, stat, type TraceFile } from '../files.ts';
import {
  badHeader,
  badNumber,
  badStamp,
  emptyFile,
  missingFile,
  negative,
  notFinite,
  unknownTask,
  zeroCores,
} from '../problems.ts';
import { type ReadContext, SMALL_VM, type TraceReader } from '../reader.ts';
import type { VmSamples } from '../samples.ts';

const KIB = 1024;

/**
 * OpenDC v4: `tasks.parquet` (id, submission_time, duration, cpu_count, cpu_capacity MHz of all cores together,
 * mem_capacity in KB as OpenDC's own loader takes it) and `fragments.parquet` (id, duration ms, cpu_usage MHz). The
 * fragments of a task follow each other from its submission on, each for its duration.
 */
export const opendc: TraceReader = {
  format: 'opendc',
  about: 'OpenDC v4: a folder with tasks.parquet and fragments.parquet',
  has: [true, false, false, false],
  sample: 'span',
  hasMax: false,
  assume: SMALL_VM,

  async read(context) {
    const { path, builder, reading } = context;
    const folder = stat(path).isDirectory() ? path : dirname(path);
    const files = ['tasks.parquet', 'fragments.parquet'].map((name) => {
      const file = oneOf(folder, [name]);
      if (!file) throw missingFile(folder, name);
      return file;
    });
    for (const file of files) reading.hashes.set(file.name, await hashFile(file.path, reading.onBytes));
    await withDuckDb(async (connection) => {
      const [tasks, fragments] = files as [TraceFile, TraceFile];
      const cursors = new Map<string, Cursor>();
      const taskSql = taskQuery(tasks, await schemaOf(connection, tasks.path));
      await forEachRow(connection, tasks.path, taskSql, reading.signal, (columns, at, row) => {
        addTask(columns, at, `${tasks.path}:row ${row}`, context, cursors);
      });
      const sql = fragmentQuery(fragments, await schemaOf(connection, fragments.path));
      const rows = await forEachRow(connection, fragments.path, sql, reading.signal, (columns, at, row) => {
        builder.rows++;
        addFragment(columns, at, `${fragments.path}:row ${row}`, context, cursors);
      });
      if (rows === 0) throw emptyFile(fragments.path);
    });
  },
};

/** Where the next fragment of a task begins; `vm` is undefined when the task is not asked for. */
interface Cursor {
  readonly vm: VmSamples | undefined;
  time: number;
}

type Columns = readonly (readonly unknown[])[];

function addTask(
  columns: Columns,
  at: number,
  where: string,
  { builder }: ReadContext,
  cursors: Map<string, Cursor>,
): void {
  const id = String(columns[0]![at]);
  const time = columns[1]![at];
  if (typeof time !== 'number' || !(time >= 0))
    throw badStamp(where, String(time), 'a time in epoch milliseconds');
  const vm = builder.vm(id);
  cursors.set(id, { vm, time });
  if (!vm) return;
  const cores = number(columns[2]![at], 'cpu_count', where);
  const capacity = number(columns[3]![at], 'cpu_capacity', where);
  const memory = number(columns[4]![at], 'mem_capacity', where);
  if (!(capacity > 0)) throw zeroCores(where, id);
  builder.setCores(vm, cores, where);
  vm.scale[0] = cores / capacity;
  if (memory > 0) vm.size[MEMORY] = memory / KIB;
}

function addFragment(
  columns: Columns,
  at: number,
  where: string,
  { builder }: ReadContext,
  cursors: Map<string, Cursor>,
): void {
  const id = String(columns[0]![at]);
  const cursor = cursors.get(id);
  if (!cursor) throw unknownTask(where, id);
  if (!cursor.vm) return;
  const duration = number(columns[1]![at], 'duration', where);
  const mhz = number(columns[2]![at], 'cpu_usage', where);
  builder.add(cursor.vm, { where }, cursor.time, duration, mhz, Number.NaN, Number.NaN, Number.NaN);
  cursor.time += duration;
}

function number(value: unknown, column: string, where: string): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw notFinite(where, column, String(value));
  if (value < 0) throw negative(where, column, String(value));
  return value;
}

function taskQuery(file: TraceFile, schema: Schema): string {
  const numbers = ['cpu_count', 'cpu_capacity', 'mem_capacity'];
  need(file, schema, ['id', 'submission_time', ...numbers], numbers);
  const time = asMs('submission_time', schema.get('submission_time'));
  if (!time)
    throw badStamp(
      file.path,
      schema.get('submission_time')!,
      'a column of integers or of the type TIMESTAMP',
    );
  return select(file, [time, ...numbers.map(asDouble)]);
}

function fragmentQuery(file: TraceFile, schema: Schema): string {
  const numbers = ['duration', 'cpu_usage'];
  need(file, schema, ['id', ...numbers], numbers);
  return select(file, numbers.map(asDouble));
}

function select(file: TraceFile, parts: readonly string[]): string {
  return `SELECT CAST("id" AS VARCHAR), ${parts.join(', ')} FROM read_parquet(${literal(file.path)})`;
}

function asDouble(column: string): string {
  return `CAST("${column}" AS DOUBLE)`;
}

function need(file: TraceFile, schema: Schema, columns: readonly string[], numbers: readonly string[]): void {
  const missing = columns.find((name) => !schema.has(name));
  if (missing) throw badHeader(file.path, `there is no column ${missing}`, columns.join(', '));
  const text = numbers.find((name) => !isNumeric(schema.get(name)));
  if (text) throw badNumber(file.path, `column ${text}`, schema.get(text)!);
}
