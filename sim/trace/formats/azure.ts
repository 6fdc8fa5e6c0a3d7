import { basename, dirname, join } from 'node:path';
import { CPU, MEMORY } from '../../../core/model.ts';
import { byName, filesOf, oneOf, stat, type TraceFile } from '../files.ts';
import { forEachLine } from '../lines.ts';
import { badNumber, emptyFile } from '../problems.ts';
import { FIVE_MINUTES, type ReadContext, SMALL_VM, type TraceReader } from '../reader.ts';
import { Row } from '../row.ts';

const READINGS = /^vm_cpu_readings.*\.csv(\.gz)?$/i;
const TABLE_NAMES = ['vmtable.csv.gz', 'vmtable.csv'];
const READING_COLUMNS = 5;
const TABLE_COLUMNS = 11;
const GIB = 1024;

/** What Microsoft's own analysis of V2 puts in place of its open buckets. */
const OPEN_CORES = 30;
const OPEN_MEMORY_GIB = 70;

/**
 * Azure Public Dataset V1 and V2 (Cortez et al., SOSP 2017) as downloaded: `vm_cpu_readings-file-*` with
 * `timestamp,vmid,mincpu,maxcpu,avgcpu` (seconds, % of the VM's cores) and `vmtable` with sizes, subscription and
 * deployment, both without a header. The deployment is the application, the subscription the user.
 */
export const azure: TraceReader = {
  format: 'azure',
  about: 'Azure V1/V2 as downloaded: vm_cpu_readings-file-*.csv.gz and vmtable.csv.gz, 300 s',
  has: [true, false, false, false],
  sample: FIVE_MINUTES,
  hasMax: true,
  assume: SMALL_VM,

  async read(context) {
    const { readings, table } = locate(context.path);
    for (const file of readings) await readReadings(file, context);
    if (table) await readTable(table, context);
    else context.builder.note('vmtable.csv.gz is missing: sizes, applications and users are unknown');
    for (const vm of context.builder.kept()) context.builder.shareOfSize(vm, CPU, 100);
  },
};

/** Readings lie in the folder itself or in `vm_cpu_readings/`; the table beside them or in a `vmtable/` beside. */
function locate(path: string): { readings: TraceFile[]; table: TraceFile | undefined } {
  const isFolder = stat(path).isDirectory();
  const root = isFolder ? path : dirname(path);
  let readings: TraceFile[];
  let folder = root;
  if (isFolder && !hasReadings(path)) {
    folder = join(path, 'vm_cpu_readings');
    const files = filesOf(folder, READINGS, 'files named vm_cpu_readings-file-*.csv.gz');
    readings = files.map((file) => ({ ...file, name: `vm_cpu_readings/${file.name}` }));
  } else {
    readings = filesOf(path, READINGS, 'files named vm_cpu_readings-file-*.csv.gz');
  }
  const table =
    oneOf(folder, TABLE_NAMES) ??
    oneOf(root, TABLE_NAMES) ??
    oneOf(join(root, 'vmtable'), TABLE_NAMES, 'vmtable/') ??
    oneOf(join(dirname(root), 'vmtable'), TABLE_NAMES, 'vmtable/');
  return { readings: readings.sort(byNumber), table };
}

function hasReadings(folder: string): boolean {
  try {
    return filesOf(folder, READINGS, '').length > 0;
  } catch {
    return false;
  }
}

/** `file-2-of-195` before `file-10-of-195`: the order of time. */
function byNumber(a: TraceFile, b: TraceFile): number {
  return numberIn(a) - numberIn(b) || byName(a.name, b.name);
}

function numberIn({ name }: TraceFile): number {
  return Number(/-file-(\d+)-of-/.exec(basename(name))?.[1] ?? 0);
}

async function readReadings(file: TraceFile, { builder, reading, statistic }: ReadContext): Promise<void> {
  const row = new Row(file, ',');
  const field = statistic === 'max' ? 3 : 4;
  const column = statistic === 'max' ? 'maxcpu' : 'avgcpu';
  let rows = 0;
  await forEachLine(file, reading, (bytes, start, end, line) => {
    if (!row.set(bytes, start, end, line)) return;
    row.expect(READING_COLUMNS);
    if (rows === 0 && row.field(0) === 'timestamp') return;
    rows++;
    builder.rows++;
    const vm = builder.vm(row.id(1, 'vmid'));
    if (!vm) return;
    const time = row.time(0, 1000, 'a time in seconds');
    builder.add(
      vm,
      row,
      time,
      FIVE_MINUTES,
      row.usage(field, column, vm),
      Number.NaN,
      Number.NaN,
      Number.NaN,
    );
  });
  if (rows === 0) throw emptyFile(file.path);
}

async function readTable(file: TraceFile, { builder, reading }: ReadContext): Promise<void> {
  const row = new Row(file, ',');
  let open = 0;
  await forEachLine(file, reading, (bytes, start, end, line) => {
    if (!row.set(bytes, start, end, line)) return;
    row.expect(TABLE_COLUMNS);
    const vm = builder.known(row.field(0));
    if (!vm) return;
    vm.userId = row.field(1);
    vm.applicationId = row.field(2);
    if (isOpen(row, 9) || isOpen(row, 10)) open++;
    builder.setCores(vm, bucket(row, 9, 'vmcorecount', OPEN_CORES), row.where);
    vm.size[MEMORY] = bucket(row, 10, 'vmmemory', OPEN_MEMORY_GIB) * GIB;
  });
  if (open > 0) {
    builder.note(
      `sizes ">24" cores read as ${OPEN_CORES} and ">64" GiB as ${OPEN_MEMORY_GIB}; VMs of such a size: ${open}`,
    );
  }
}

function isOpen(row: Row, i: number): boolean {
  return row.field(i).startsWith('>');
}

/** A size, or the upper end of a bucket; `>24` and the like have none and are `open`. */
function bucket(row: Row, i: number, column: string, open: number): number {
  const text = row.field(i);
  if (/^>\s*\d+$/.test(text)) return open;
  const value = row.number(i, column);
  if (value < 0) throw badNumber(row.where, column, text);
  return value;
}
