import { CPU, DISK_IO, MEMORY, NETWORK } from '../../../core/model.ts';
import { filesOf, type TraceFile } from '../files.ts';
import { forEachLine } from '../lines.ts';
import { badHeader, badStamp, emptyFile, zeroCores } from '../problems.ts';
import { type ReadContext, SMALL_VM, type TraceReader } from '../reader.ts';
import { Row } from '../row.ts';
import { CAPACITY_COLUMNS, LONG_COLUMNS, VALUE_COLUMNS } from './long-columns.ts';
import { readLongParquet } from './long-parquet.ts';

/**
 * Foresize's own format, CSV or Parquet, one row a VM and instant; see `long-columns.ts`. A folder may hold several
 * files of it. An empty field (null in Parquet) says that there is no value.
 */
export const long: TraceReader = {
  format: 'long',
  about: `generic long CSV or Parquet: ${LONG_COLUMNS.join(',')}`,
  has: [true, true, true, true],
  sample: 'instant',
  hasMax: false,
  assume: SMALL_VM,

  async read(context) {
    for (const file of filesOf(context.path, /\.(csv|csv\.gz|parquet)$/i, 'CSV or Parquet files')) {
      if (/\.parquet$/i.test(file.path)) await readLongParquet(file, context);
      else await readLongCsv(file, context);
    }
  },
};

async function readLongCsv(file: TraceFile, { builder, reading }: ReadContext): Promise<void> {
  const row = new Row(file, ',', true);
  let at: LongHeader | undefined;
  let rows = 0;
  await forEachLine(file, reading, (bytes, start, end, line) => {
    if (!row.set(bytes, start, end, line)) return;
    if (!at) {
      at = readHeader(row);
      return;
    }
    row.expect(at.count);
    rows++;
    builder.rows++;
    const vm = builder.vm(row.id(at.vm, 'vm_id'));
    if (!vm) return;
    const time = stampOf(row, at.time);
    if (vm.count === 0) {
      if (at.application >= 0 && !row.isEmpty(at.application)) vm.applicationId = row.field(at.application);
      if (at.user >= 0 && !row.isEmpty(at.user)) vm.userId = row.field(at.user);
    }
    const { values, capacities } = at;
    for (let r = 0; r < capacities.length; r++) {
      const i = capacities[r]!;
      if (i < 0 || row.isEmpty(i)) continue;
      const size = row.usage(i, CAPACITY_COLUMNS[r]!, vm);
      if (r === CPU && size === 0) throw zeroCores(row.where, vm.id);
      if (!(size <= vm.size[r]!)) vm.size[r] = size;
    }
    const value = (r: number) =>
      values[r]! < 0 ? Number.NaN : row.optional(values[r]!, VALUE_COLUMNS[r]!, vm);
    builder.add(vm, row, time, 0, value(CPU), value(MEMORY), value(DISK_IO), value(NETWORK));
  });
  if (rows === 0) throw emptyFile(file.path);
}

/** Where the columns are; -1 for one that is not there. */
interface LongHeader {
  readonly count: number;
  readonly time: number;
  readonly vm: number;
  readonly application: number;
  readonly user: number;
  readonly values: readonly number[];
  readonly capacities: readonly number[];
}

function readHeader(row: Row): LongHeader {
  const names: string[] = [];
  for (let i = 0; i < row.count; i++) names.push(row.field(i).toLowerCase());
  if (names.length === 1 && /timestamp/i.test(row.text)) {
    const other = /[;\t|]/.exec(row.text)?.[0];
    if (other) throw row.wrongCount(row.text.split(other).length);
  }
  const header = {
    count: names.length,
    time: names.indexOf('timestamp'),
    vm: names.indexOf('vm_id'),
    application: names.indexOf('application_id'),
    user: names.indexOf('user_id'),
    values: VALUE_COLUMNS.map((name) => names.indexOf(name)),
    capacities: CAPACITY_COLUMNS.map((name) => names.indexOf(name)),
  };
  const missing = header.time < 0 ? 'timestamp' : header.vm < 0 ? 'vm_id' : undefined;
  if (missing) throw badHeader(row.where, `there is no column ${missing}`, LONG_COLUMNS.join(','));
  if (header.values.every((i) => i < 0)) {
    throw badHeader(row.where, 'there is no column of usage', LONG_COLUMNS.join(','));
  }
  return header;
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)?$/;
const WANTED = 'a time in epoch milliseconds or ISO 8601';

function stampOf(row: Row, i: number): number {
  if (!row.isDate(i)) return row.time(i, 1, WANTED);
  const text = row.field(i);
  const match = ISO.exec(text);
  const time = match ? Date.parse(`${text.replace(' ', 'T')}${match[6] ? '' : 'Z'}`) : Number.NaN;
  // Date.parse carries 30 February over into March: refuse it instead.
  const day =
    match && new Date(Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]))).getUTCDate();
  if (!(time >= 0) || day !== Number(match?.[3])) throw badStamp(row.where, text, WANTED);
  return time;
}
