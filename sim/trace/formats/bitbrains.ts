import { CPU, MEMORY } from '../../../core/model.ts';
import type { TraceFile } from '../files.ts';
import { forEachLine } from '../lines.ts';
import { badHeader, emptyFile, zeroCores } from '../problems.ts';
import { FIVE_MINUTES, type ReadContext, SMALL_VM, type TraceReader } from '../reader.ts';
import { Row } from '../row.ts';
import type { VmSamples } from '../samples.ts';
import { breathe, filesByVm } from './indexed.ts';

const COLUMNS = 11;
const KIB = 1024;

/**
 * Grid Workloads Archive GWA-T-12 Bitbrains (Shen, van Beek, Iosup, CCGrid 2015): a file a VM, `;` and a tab between
 * fields. The stamp is in epoch seconds whatever the header says ("Timestamp [ms]").
 *
 * CPU in cores is MHz used / MHz provisioned x cores; it may pass 100 % for a sample and is left so. KB are taken
 * as KiB: the sizes provisioned are powers of two of them. The provisioned size wobbles without being resized, so
 * a VM's size is the largest one its rows state. A row with 0 cores is a VM not provisioned at that time, counted
 * as invalid; a VM with no other rows is an error.
 */
export const bitbrains: TraceReader = {
  format: 'bitbrains',
  about: 'Bitbrains GWA-T-12: a folder of CSV files, one a VM, ";<tab>" between fields, 300 s',
  has: [true, true, true, true],
  sample: FIVE_MINUTES,
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
  const row = new Row(file, ';');
  let header = true;
  let cores = 0;
  let zeroAt = file.path;
  let memoryKiB = 0;
  let rows = 0;
  await forEachLine(file, reading, (bytes, start, end, line) => {
    if (!row.set(bytes, start, end, line)) return;
    row.expect(COLUMNS);
    if (header) {
      header = false;
      if (!/^"?timestamp/i.test(row.field(0))) {
        throw badHeader(row.where, 'the first line is no header', 'Timestamp [ms]; CPU cores; ...');
      }
      return;
    }
    builder.rows++;
    rows++;
    const time = row.time(0, 1000, 'a time in epoch seconds');
    const rowCores = row.usage(1, 'CPU cores', vm);
    const provisioned = row.usage(2, 'CPU capacity provisioned [MHz]', vm);
    if (rowCores === 0 || provisioned === 0) {
      if (vm.invalid === 0) zeroAt = row.where;
      vm.sawInvalid(`${row.where}: the VM has 0 cores in this row`);
      return;
    }
    const used = row.usage(3, 'CPU usage [MHz]', vm);
    const memorySize = row.usage(5, 'memory capacity provisioned [KB]', vm);
    const memory = row.usage(6, 'memory usage [KB]', vm) / KIB;
    const disk = (row.usage(7, 'disk read [KB/s]', vm) + row.usage(8, 'disk write [KB/s]', vm)) * KIB;
    const network =
      (row.usage(9, 'network received [KB/s]', vm) + row.usage(10, 'network transmitted [KB/s]', vm)) * KIB;
    if (rowCores > cores) cores = rowCores;
    if (memorySize > memoryKiB) memoryKiB = memorySize;
    builder.add(vm, row, time, FIVE_MINUTES, (used / provisioned) * rowCores, memory, disk, network);
  });
  if (rows === 0) throw emptyFile(file.path);
  if (cores === 0) throw zeroCores(zeroAt, vm.id);
  vm.size[CPU] = cores;
  if (memoryKiB > 0) vm.size[MEMORY] = memoryKiB / KIB;
}
