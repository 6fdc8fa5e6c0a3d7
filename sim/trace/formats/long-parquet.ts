import { CPU, R } from '../../../core/model.ts';
import { asMs, forEachRow, isNumeric, literal, type Schema, schemaOf, withDuckDb } from '../duckdb.ts';
import { hashFile, type TraceFile } from '../files.ts';
import {
  badHeader,
  badId,
  badNumber,
  badStamp,
  emptyFile,
  negative,
  notFinite,
  zeroCores,
} from '../problems.ts';
import type { ReadContext } from '../reader.ts';
import { CAPACITY_COLUMNS, LONG_COLUMNS, VALUE_COLUMNS } from './long-columns.ts';

/** Reads one Parquet file of the generic long format. */
export async function readLongParquet(file: TraceFile, { builder, reading }: ReadContext): Promise<void> {
  reading.hashes.set(file.name, await hashFile(file.path, reading.onBytes));
  await withDuckDb(async (connection) => {
    const schema = await schemaOf(connection, file.path);
    const sql = query(file.path, schema);
    const place = { row: 0, where: '' };
    Object.defineProperty(place, 'where', { get: () => `${file.path}:row ${place.row}` });
    const rows = await forEachRow(connection, file.path, sql, reading.signal, (columns, at, row) => {
      place.row = row;
      builder.rows++;
      const id = columns[1]![at];
      if (typeof id !== 'string' || id === '') throw badId(place.where, 'vm_id');
      const vm = builder.vm(id);
      if (!vm) return;
      const time = columns[0]![at];
      if (typeof time !== 'number' || !(time >= 0 && time <= Number.MAX_SAFE_INTEGER)) {
        throw badStamp(place.where, String(time), 'a time in epoch milliseconds');
      }
      if (vm.count === 0) {
        const application = columns[2]![at];
        const user = columns[3]![at];
        if (typeof application === 'string') vm.applicationId = application;
        if (typeof user === 'string') vm.userId = user;
      }
      const number = (c: number, name: string): number => {
        const value = columns[c]![at];
        if (value === null) return Number.NaN;
        if (typeof value !== 'number' || !Number.isFinite(value))
          throw notFinite(place.where, name, String(value));
        if (value < 0) throw negative(place.where, name, String(value));
        return value;
      };
      for (let r = 0; r < R; r++) {
        const size = number(4 + R + r, CAPACITY_COLUMNS[r]!);
        if (Number.isNaN(size)) continue;
        if (r === CPU && size === 0) throw zeroCores(place.where, vm.id);
        if (!(size <= vm.size[r]!)) vm.size[r] = size;
      }
      const value = (r: number) => number(4 + r, VALUE_COLUMNS[r]!);
      builder.add(vm, place, time, 0, value(0), value(1), value(2), value(3));
    });
    if (rows === 0) throw emptyFile(file.path);
  });
}

function query(path: string, schema: Schema): string {
  const missing = ['timestamp', 'vm_id'].find((name) => !schema.has(name));
  if (missing) throw badHeader(path, `there is no column ${missing}`, LONG_COLUMNS.join(','));
  if (!VALUE_COLUMNS.some((name) => schema.has(name))) {
    throw badHeader(path, 'there is no column of usage', LONG_COLUMNS.join(','));
  }
  const time = asMs('timestamp', schema.get('timestamp'));
  if (!time) throw badStamp(path, schema.get('timestamp')!, 'a column of integers or of the type TIMESTAMP');
  const text = (name: string) => (schema.has(name) ? `CAST("${name}" AS VARCHAR)` : 'NULL');
  const number = (name: string) => {
    if (!schema.has(name)) return 'CAST(NULL AS DOUBLE)';
    if (!isNumeric(schema.get(name))) throw badNumber(path, `column ${name}`, schema.get(name)!);
    return `CAST("${name}" AS DOUBLE)`;
  };
  const parts = [time, text('vm_id'), text('application_id'), text('user_id')];
  for (const name of [...VALUE_COLUMNS, ...CAPACITY_COLUMNS]) parts.push(number(name));
  return `SELECT ${parts.join(', ')} FROM read_parquet(${literal(path)})`;
}
