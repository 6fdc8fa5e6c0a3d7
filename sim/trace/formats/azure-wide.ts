import { basename, dirname } from 'node:path';
import { CPU } from '../../../core/model.ts';
import { oneOf, stat, type TraceFile } from '../files.ts';
import { forEachLine } from '../lines.ts';
import { badHeader, emptyFile, missingFile } from '../problems.ts';
import { FIVE_MINUTES, SMALL_VM, type TraceReader } from '../reader.ts';
import { Row } from '../row.ts';
import type { VmSamples } from '../samples.ts';

/**
 * Azure V1 as one wide table: column `t` is the number of the 300 s sample, every other column a VM named by its
 * header, in % of its cores. A folder has `avg.csv(.gz)` and, for the maxima, `max.csv(.gz)`. An empty field says
 * that the VM was not there. Sizes are not in it.
 */
export const azureWide: TraceReader = {
  format: 'azure-wide',
  about: 'Azure V1 as a wide CSV: "t,<vm>,<vm>,..." with CPU % (avg.csv.gz, max.csv.gz), 300 s',
  has: [true, false, false, false],
  sample: FIVE_MINUTES,
  hasMax: true,
  assume: SMALL_VM,

  async read({ path, builder, reading, statistic }) {
    const file = locate(path, statistic);
    const row = new Row(file, ',');
    let header: { fields: number[]; vms: VmSamples[]; count: number } | undefined;
    await forEachLine(file, reading, (bytes, start, end, line) => {
      if (!row.set(bytes, start, end, line)) return;
      if (!header) {
        header = readHeader(row, builder.select.bind(builder), (id) => builder.vm(id)!);
        return;
      }
      row.expect(header.count);
      builder.rows++;
      const time = row.time(0, FIVE_MINUTES, 'the number of a sample');
      for (let i = 0; i < header.vms.length; i++) {
        const vm = header.vms[i]!;
        const cpu = row.optional(header.fields[i]!, `CPU % of VM ${vm.id}`, vm);
        if (Number.isNaN(cpu)) continue;
        builder.add(vm, row, time, FIVE_MINUTES, cpu, Number.NaN, Number.NaN, Number.NaN);
      }
    });
    if (builder.rows === 0) throw emptyFile(file.path);
    for (const vm of header!.vms) builder.shareOfSize(vm, CPU, 100);
  },
};

function readHeader(row: Row, select: (ids: string[]) => string[], vmOf: (id: string) => VmSamples) {
  if (row.count < 2 || row.field(0) !== 't') {
    if (/^t[;\t| ]/.test(row.text)) throw row.wrongCount(row.text.split(/[;\t| ]/).length);
    throw badHeader(row.where, 'the first line is no header of a wide table', 't,<vm>,<vm>,...');
  }
  const fieldOf = new Map<string, number>();
  for (let i = 1; i < row.count; i++) {
    const id = row.field(i);
    if (id === '' || fieldOf.has(id)) {
      throw badHeader(
        row.where,
        `column ${i + 1} has ${id === '' ? 'no name' : 'a name used before'}`,
        't,<vm>,<vm>,...',
      );
    }
    fieldOf.set(id, i);
  }
  const ids = select([...fieldOf.keys()]);
  return { fields: ids.map((id) => fieldOf.get(id)!), vms: ids.map(vmOf), count: row.count };
}

function locate(path: string, statistic: 'avg' | 'max'): TraceFile {
  const names = [`${statistic}.csv.gz`, `${statistic}.csv`];
  if (stat(path).isDirectory()) {
    const file = oneOf(path, names);
    if (!file) throw missingFile(path, names[0]!);
    return file;
  }
  // Asked for the maxima by the name of the averages: they lie beside them.
  if (statistic === 'max' && !/^max\.csv(\.gz)?$/i.test(basename(path))) {
    const file = oneOf(dirname(path), names);
    if (!file) throw missingFile(dirname(path), names[0]!);
    return file;
  }
  return { path, name: basename(path) };
}
