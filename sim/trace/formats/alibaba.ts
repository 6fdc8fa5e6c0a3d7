import { dirname } from 'node:path';
import { CPU, DISK_IO, MEMORY, NETWORK } from '../../../core/model.ts';
import { filesOf, oneOf, stat, type TraceFile } from '../files.ts';
import { forEachLine } from '../lines.ts';
import { emptyFile } from '../problems.ts';
import type { ReadContext, TraceReader } from '../reader.ts';
import { Row } from '../row.ts';
import type { VmSamples } from '../samples.ts';
import type { Assumed } from '../types.ts';

/**
 * Alibaba cluster-trace-v2018 (alibaba/clusterdata), headerless CSV, stamps in seconds from the trace's start. -1
 * and 101 mark invalid values. Memory sizes are normalised to the largest machine (100), network to the largest
 * value of its column, disk to the device: what these are is not published and so assumed. 96 cores is what
 * `machine_meta` states of every machine.
 */
const MACHINE: Assumed = { cores: 96, memoryMiB: 512 * 1024, diskBytesPerS: 1e9, networkBytesPerS: 1.25e9 };
/** What most containers have: 4 cores and 1/64 of the largest machine's memory. */
const CONTAINER_CORES = 4;
const CONTAINER_MEMORY_SHARE = 1.5625;

/** Where the fields of a usage row are. */
interface Layout {
  readonly usage: string;
  readonly meta: string;
  readonly columns: number;
  readonly time: number;
  readonly cpu: number;
  readonly memory: number;
  readonly netIn: number;
  readonly netOut: number;
  readonly disk: number;
}

const MACHINE_LAYOUT: Layout = {
  usage: 'machine_usage',
  meta: 'machine_meta',
  columns: 9,
  time: 1,
  cpu: 2,
  memory: 3,
  netIn: 6,
  netOut: 7,
  disk: 8,
};

const CONTAINER_LAYOUT: Layout = {
  usage: 'container_usage',
  meta: 'container_meta',
  columns: 11,
  time: 2,
  cpu: 3,
  memory: 4,
  netIn: 8,
  netOut: 9,
  disk: 10,
};

const COMMON = { has: [true, true, true, true], sample: 'instant', hasMax: false } as const;

/** Whole machines: `machine_id,time_stamp,cpu %,mem %,mem_gps,mkpi,net_in,net_out,disk_io %`. */
export const alibabaMachine: TraceReader = {
  ...COMMON,
  format: 'alibaba-machine',
  about: 'Alibaba 2018 machines: machine_usage.csv, with sizes from machine_meta.csv beside it',
  assume: MACHINE,

  async read(context) {
    const { builder } = context;
    const meta = await readUsage(context, MACHINE_LAYOUT);
    if (meta) {
      const row = new Row(meta, ',');
      await forEachLine(meta, context.reading, (bytes, start, end, line) => {
        if (!row.set(bytes, start, end, line)) return;
        row.expect(7);
        const vm = builder.known(row.field(0));
        if (!vm) return;
        if (!row.isEmpty(4)) builder.setCores(vm, row.number(4, 'cpu_num'), row.where);
        setMemory(vm, row, 5, builder.options.assume.memoryMiB);
      });
    }
    for (const vm of builder.kept()) {
      if (vm.size[MEMORY]! > 0) builder.shareOfMachine(vm, MEMORY, 100);
      for (const resource of [CPU, MEMORY, DISK_IO, NETWORK]) builder.shareOfSize(vm, resource, 100);
    }
  },
};

/**
 * Containers: `container_id,machine_id,time_stamp,cpu %,mem %,cpi,mem_gps,mpki,net_in,net_out,disk_io %`. CPU is in
 * % of the cores requested (alibaba/clusterdata issue 62), memory in % of the container's size; a container of
 * `container_meta` with the same `app_du` is of the same application.
 */
export const alibabaContainer: TraceReader = {
  ...COMMON,
  format: 'alibaba-container',
  about: 'Alibaba 2018 containers: container_usage.csv, with sizes from container_meta.csv beside it',
  assume: MACHINE,

  async read(context) {
    const { builder } = context;
    const { memoryMiB } = builder.options.assume;
    const meta = await readUsage(context, CONTAINER_LAYOUT);
    if (meta) {
      const row = new Row(meta, ',');
      await forEachLine(meta, context.reading, (bytes, start, end, line) => {
        if (!row.set(bytes, start, end, line)) return;
        row.expect(8);
        const vm = builder.known(row.field(0));
        if (!vm) return;
        vm.applicationId = row.field(3);
        const request = row.isEmpty(5) ? 0 : row.number(5, 'cpu_request');
        const limit = row.isEmpty(6) ? 0 : row.number(6, 'cpu_limit');
        builder.setCores(vm, (request || limit) / 100, row.where);
        setMemory(vm, row, 7, memoryMiB);
      });
    }
    let unknown = 0;
    for (const vm of builder.kept()) {
      if (Number.isNaN(vm.size[CPU]!)) {
        unknown++;
        vm.size[CPU] = CONTAINER_CORES;
      }
      if (Number.isNaN(vm.size[MEMORY]!)) vm.size[MEMORY] = (CONTAINER_MEMORY_SHARE / 100) * memoryMiB;
      // Disk and network are shares of the host: the container's own limit is not known.
      for (const resource of [MEMORY, DISK_IO, NETWORK]) builder.shareOfMachine(vm, resource, 100);
      for (const resource of [CPU, MEMORY]) builder.shareOfSize(vm, resource, 100);
    }
    if (unknown > 0) {
      builder.note(
        `${unknown} ${unknown === 1 ? 'container is' : 'containers are'} not in container_meta.csv: assumed to have ${CONTAINER_CORES} cores and ` +
          `${CONTAINER_MEMORY_SHARE} % of the largest machine's memory`,
      );
    }
  },
};

/** `mem_size` in % of the largest machine; not known when it is empty or marked invalid. */
function setMemory(vm: VmSamples, row: Row, field: number, largestMiB: number): void {
  if (row.isEmpty(field)) return;
  const size = row.marked(field, 'mem_size', vm);
  if (size > 0) vm.size[MEMORY] = (size / 100) * largestMiB;
}

/** Reads the usage file or files; returns the file of sizes beside them, when there is one. */
async function readUsage(context: ReadContext, layout: Layout): Promise<TraceFile | undefined> {
  const { path, builder } = context;
  const isFolder = stat(path).isDirectory();
  const pattern = new RegExp(`^${layout.usage}.*\\.csv(\\.gz)?$`, 'i');
  for (const file of filesOf(path, pattern, `file named ${layout.usage}.csv`)) {
    await readUsageFile(file, context, layout);
  }
  const meta = oneOf(isFolder ? path : dirname(path), [`${layout.meta}.csv`, `${layout.meta}.csv.gz`]);
  if (!meta) builder.note(`${layout.meta}.csv is missing: sizes are assumed`);
  return meta;
}

async function readUsageFile(
  file: TraceFile,
  { builder, reading }: ReadContext,
  layout: Layout,
): Promise<void> {
  const row = new Row(file, ',');
  let rows = 0;
  await forEachLine(file, reading, (bytes, start, end, line) => {
    if (!row.set(bytes, start, end, line)) return;
    row.expect(layout.columns);
    rows++;
    builder.rows++;
    const vm = builder.vm(row.id(0, `${layout.usage.split('_')[0]}_id`));
    if (!vm) return;
    const time = row.time(layout.time, 1000, 'a time in seconds');
    const cpu = row.marked(layout.cpu, 'cpu_util_percent', vm);
    const memory = row.marked(layout.memory, 'mem_util_percent', vm);
    const disk = row.marked(layout.disk, 'disk_io_percent', vm);
    const network = row.marked(layout.netIn, 'net_in', vm) + row.marked(layout.netOut, 'net_out', vm);
    builder.add(vm, row, time, 0, cpu, memory, disk, network);
  });
  if (rows === 0) throw emptyFile(file.path);
}
