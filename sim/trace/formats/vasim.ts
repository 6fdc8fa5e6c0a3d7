import type { TraceFile } from '../files.ts';
import { forEachLine } from '../lines.ts';
import { badHeader, badStamp, emptyFile } from '../problems.ts';
import { type ReadContext, SMALL_VM, type TraceReader } from '../reader.ts';
import { Row } from '../row.ts';
import type { VmSamples } from '../samples.ts';
import { breathe, filesByVm } from './indexed.ts';

const MINUTE = 60_000;
const STAMP = /^(\d{4})\.(\d{2})\.(\d{2})-(\d{2}):(\d{2}):(\d{2}):(\d{3})$/;

/**
 * The series of Microsoft's VASIM: a CSV file a container, `TIMESTAMP,CPU_USAGE_ACTUAL`, CPU in cores, the stamp
 * `YYYY.MM.DD-HH:mm:ss:SSS` taken as UTC. Further columns are let be; sizes are not in it.
 */
export const vasim: TraceReader = {
  format: 'vasim',
  about: 'VASIM: CSV files "TIMESTAMP,CPU_USAGE_ACTUAL", CPU in cores, 60 s',
  has: [true, false, false, false],
  sample: MINUTE,
  hasMax: false,
  assume: SMALL_VM,

  async read(context) {
    let count = 0;
    const { builder } = context;
    const { files, chosen } = filesByVm(context, /\.csv(\.gz)?$/i, 'CSV files');
    for (const id of chosen) {
      const vm = builder.vm(id)!;
      await readVm(files.get(id)!, context, vm);
      builder.settle(vm);
      await breathe(count++);
    }
  },
};

async function readVm(file: TraceFile, { builder, reading }: ReadContext, vm: VmSamples): Promise<void> {
  const row = new Row(file, ',');
  let stampAt = -1;
  let cpuAt = -1;
  let columns = 0;
  let rows = 0;
  await forEachLine(file, reading, (bytes, start, end, line) => {
    if (!row.set(bytes, start, end, line)) return;
    if (columns === 0) {
      columns = row.count;
      for (let i = 0; i < columns; i++) {
        if (row.field(i) === 'TIMESTAMP') stampAt = i;
        if (row.field(i) === 'CPU_USAGE_ACTUAL') cpuAt = i;
      }
      if (columns === 1 && /TIMESTAMP/.test(row.text)) throw row.wrongCount(2);
      if (stampAt < 0 || cpuAt < 0) {
        const missing = stampAt < 0 ? 'TIMESTAMP' : 'CPU_USAGE_ACTUAL';
        throw badHeader(row.where, `there is no column ${missing}`, 'TIMESTAMP,CPU_USAGE_ACTUAL');
      }
      return;
    }
    row.expect(columns);
    builder.rows++;
    rows++;
    const cpu = row.usage(cpuAt, 'CPU_USAGE_ACTUAL', vm);
    builder.add(vm, row, stampOf(row, stampAt), MINUTE, cpu, Number.NaN, Number.NaN, Number.NaN);
  });
  if (rows === 0) throw emptyFile(file.path);
}

function stampOf(row: Row, i: number): number {
  const text = row.field(i);
  const m = STAMP.exec(text);
  const [year, month, day, hour, minute, second, ms] = m ? m.slice(1).map(Number) : [];
  const time = m ? Date.UTC(year!, month! - 1, day!, hour!, minute!, second!, ms!) : Number.NaN;
  // Date.UTC carries a 31 April or a 25th hour over into the next day or month: refuse it instead.
  const back = new Date(time);
  if (
    !(time >= 0) ||
    back.getUTCMonth() !== month! - 1 ||
    back.getUTCDate() !== day ||
    back.getUTCMinutes() !== minute
  ) {
    throw badStamp(row.where, text, 'a stamp like 2023.04.02-00:09:00:000');
  }
  return time;
}
