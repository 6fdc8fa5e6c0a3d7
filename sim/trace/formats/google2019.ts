import { CPU, MEMORY } from '../../../core/model.ts';
import { filesOf, type TraceFile } from '../files.ts';
import { forEachLine } from '../lines.ts';
import { badHeader, badId, badJson, badNumber, badStamp, emptyFile, negative } from '../problems.ts';
import { type ReadContext, SMALL_VM, type TraceReader } from '../reader.ts';
import { Row } from '../row.ts';
import type { VmSamples } from '../samples.ts';

/** The fields of an `InstanceUsage` row that matter here; `usage` is average_usage or maximum_usage. */
interface Usage {
  readonly start: number;
  readonly end: number;
  readonly collection: string;
  readonly instance: string;
  readonly cpus: number;
  readonly memory: number;
  readonly assigned: number;
}

/**
 * InstanceUsage of Google's 2019 traces (google/cluster-data, clusterdata_trace_format_v3.proto): JSON lines as
 * downloaded (`instance_usage-*.json.gz`), or a CSV of the same columns with the nested ones flattened
 * (`average_usage.cpus` or `average_usage_cpus`). Stamps are in microseconds from 600 s before the trace; a row is a
 * window of up to 300 s. A VM is one instance of a collection, and the collection is its application. CPU and memory
 * are normalised to the largest machine: what that is, is not published and so assumed. The table names no users and
 * no CPU size; the memory size is the largest `assigned_memory`.
 */
export const google2019: TraceReader = {
  format: 'google2019',
  about: 'Google 2019 InstanceUsage: instance_usage-*.json.gz, or the same as CSV',
  has: [true, true, false, false],
  sample: 'span',
  hasMax: true,
  assume: { ...SMALL_VM, cores: 64, memoryMiB: 256 * 1024 },

  async read(context) {
    const { builder } = context;
    const wanted = 'files named instance_usage-*.json.gz';
    for (const file of filesOf(context.path, /^instance_usage.*\.(json|csv)(\.gz)?$/i, wanted)) {
      await readFile(file, context);
    }
    for (const vm of builder.kept()) {
      builder.shareOfMachine(vm, CPU, 1);
      builder.shareOfMachine(vm, MEMORY, 1);
      vm.size[MEMORY] = vm.size[MEMORY]! * vm.scale[MEMORY]!;
    }
  },
};

async function readFile(file: TraceFile, { builder, reading, statistic }: ReadContext): Promise<void> {
  const row = new Row(file, ',', true);
  let parse: ((row: Row) => Usage) | undefined;
  let rows = 0;
  await forEachLine(file, reading, (bytes, start, end, line) => {
    if (!row.set(bytes, start, end, line)) return;
    if (!parse) {
      if (row.text.startsWith('{')) parse = (r) => fromJson(r, statistic);
      else {
        parse = csvParser(row, statistic);
        return;
      }
    }
    const usage = parse(row);
    rows++;
    builder.rows++;
    const vm = builder.vm(`${usage.collection}-${usage.instance}`);
    if (vm) addTo(vm, usage, row, builder);
  });
  if (rows === 0) throw emptyFile(file.path);
}

function addTo(vm: VmSamples, usage: Usage, row: Row, builder: ReadContext['builder']): void {
  vm.applicationId = usage.collection;
  const { start, end, assigned } = usage;
  if (!(end >= start)) throw badStamp(row.where, `${end}`, 'an end_time not before start_time');
  const cpus = checked(usage.cpus, 'cpus', row, vm);
  const memory = checked(usage.memory, 'memory', row, vm);
  if (assigned > 0 && !(assigned <= vm.size[MEMORY]!)) vm.size[MEMORY] = assigned;
  builder.add(vm, row, start / 1000, (end - start) / 1000, cpus, memory, Number.NaN, Number.NaN);
}

function checked(value: number, column: string, row: Row, vm: VmSamples): number {
  if (value < 0) throw negative(row.where, column, String(value));
  if (Number.isNaN(value)) vm.sawInvalid(`${row.where}: ${column} is missing`);
  return value;
}

/** BigQuery exports 64-bit integers as strings and leaves fields that are not set out. */
function fromJson(row: Row, statistic: 'avg' | 'max'): Usage {
  let json: unknown;
  try {
    json = JSON.parse(row.text);
  } catch {
    throw badJson(row.where, row.text);
  }
  if (json === null || typeof json !== 'object') throw badJson(row.where, row.text);
  const object = json as Record<string, unknown>;
  const usage = (object[statistic === 'max' ? 'maximum_usage' : 'average_usage'] ?? {}) as Record<
    string,
    unknown
  >;
  return {
    start: stamp(object['start_time'], row),
    end: stamp(object['end_time'], row),
    collection: id(object['collection_id'], 'collection_id', row),
    instance: id(object['instance_index'] ?? 0, 'instance_index', row),
    cpus: optional(usage['cpus'], 'cpus', row),
    memory: optional(usage['memory'], 'memory', row),
    assigned: optional(object['assigned_memory'], 'assigned_memory', row),
  };
}

function csvParser(header: Row, statistic: 'avg' | 'max'): (row: Row) => Usage {
  const prefix = statistic === 'max' ? 'maximum_usage' : 'average_usage';
  const at = new Map<string, number>();
  for (let i = 0; i < header.count; i++) at.set(header.field(i).replace('.', '_'), i);
  const need = ['start_time', 'end_time', 'collection_id', 'instance_index', `${prefix}_cpus`];
  const missing = need.find((name) => !at.has(name));
  if (missing !== undefined) throw badHeader(header.where, `there is no column ${missing}`, need.join(','));
  const count = header.count;
  const text = (row: Row, name: string) => {
    const i = at.get(name);
    return i === undefined || row.isEmpty(i) ? undefined : row.field(i);
  };
  return (row) => {
    row.expect(count);
    return {
      start: stamp(text(row, 'start_time'), row),
      end: stamp(text(row, 'end_time'), row),
      collection: id(text(row, 'collection_id'), 'collection_id', row),
      instance: id(text(row, 'instance_index'), 'instance_index', row),
      cpus: optional(text(row, `${prefix}_cpus`), 'cpus', row),
      memory: optional(text(row, `${prefix}_memory`), 'memory', row),
      assigned: optional(text(row, 'assigned_memory'), 'assigned_memory', row),
    };
  };
}

function stamp(value: unknown, row: Row): number {
  const time = typeof value === 'number' ? value : /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (!(time >= 0 && time <= Number.MAX_SAFE_INTEGER)) {
    throw badStamp(row.where, String(value), 'a time in microseconds');
  }
  return time;
}

function id(value: unknown, column: string, row: Row): string {
  if (typeof value === 'string' && value !== '') return value;
  if (typeof value === 'number') return String(value);
  throw badId(row.where, column);
}

/** A number, or NaN when the field is not set. */
function optional(value: unknown, column: string, row: Row): number {
  if (value === undefined || value === null) return Number.NaN;
  const number = typeof value === 'number' ? value : typeof value === 'string' ? decimal(value) : Number.NaN;
  if (!Number.isFinite(number)) throw badNumber(row.where, column, String(value));
  return number;
}

function decimal(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
}
