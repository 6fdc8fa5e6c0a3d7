import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { RESOURCES } from '../../core/model.ts';
import { canonicalJson } from '../canonical-json.ts';
import { MEASURE_COLUMNS, RUN_COLUMNS } from '../flat-measures.ts';
import { literal, withDuckDb } from '../trace/duckdb.ts';
import { type SweepFolder, unwritable } from './folder.ts';
import type { Plan } from './plan.ts';

/** The tables of a sweep, each a Parquet file in its folder. */
export const TABLES = ['runs', 'groups', 'vm_days'] as const;
export type Table = (typeof TABLES)[number];

export function tableFile(folder: string, table: Table): string {
  return join(folder, `${table}.parquet`);
}

/**
 * Makes the Parquet tables of a sweep's finished runs, in the order of its points:
 *
 * - `runs`: a row a point; id, its axes, what identifies the run, the fleet's measures
 * - `groups`: a row an application or user of a run, with its measures
 * - `vm_days`: a row a VM-day of a run: what paired statistics need
 *
 * The bytes depend on the records alone, not on who made them or when.
 * @param into folder to write to, the sweep's own when left out
 */
export async function collect(folder: SweepFolder, into = folder.path): Promise<void> {
  try {
    await withDuckDb(async (connection) => {
      await connection.run(`set temp_directory = ${literal(join(into, '.duckdb'))}`);
      await addPoints(connection, folder.plan, folder.finished);
      const records = recordsOf(folder);
      await write(connection, into, 'runs', runsSql(folder.plan, records));
      await write(connection, into, 'groups', groupsSql(records));
      await write(connection, into, 'vm_days', daysSql(records));
    });
  } catch (cause) {
    throw unwritable(into, cause);
  } finally {
    rmSync(join(into, '.duckdb'), { recursive: true, force: true });
  }
}

async function write(connection: DuckDBConnection, into: string, table: Table, sql: string): Promise<void> {
  const file = tableFile(into, table);
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await connection.run(`copy (${sql}) to ${literal(temporary)} (format parquet, compression zstd)`);
    renameSync(temporary, file);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Columns of axes: `point, id` first, then one an axis by its name, typed by what it holds. */
async function addPoints(
  connection: DuckDBConnection,
  plan: Plan,
  finished: ReadonlySet<string>,
): Promise<void> {
  const types = plan.axes.map((_, i) => typeOf(plan.points.map(({ values }) => values[i])));
  const columns = plan.axes.map(({ name }, i) => `${quoted(name)} ${types[i]}`);
  await connection.run(`create table points (${['point bigint', 'id varchar', ...columns].join(', ')})`);
  const appender = await connection.createAppender('points');
  plan.points.forEach(({ id, values }, point) => {
    if (!finished.has(id)) return;
    appender.appendBigInt(BigInt(point));
    appender.appendVarchar(id);
    values.forEach((value, i) => {
      if (value === null || value === undefined) appender.appendNull();
      else if (types[i] === 'bigint') appender.appendBigInt(BigInt(value as number));
      else if (types[i] === 'double') appender.appendDouble(value as number);
      else if (types[i] === 'boolean') appender.appendBoolean(value as boolean);
      else appender.appendVarchar(typeof value === 'string' ? value : canonicalJson(value));
    });
    appender.endRow();
  });
  appender.closeSync();
}

function typeOf(values: readonly unknown[]): 'bigint' | 'double' | 'boolean' | 'varchar' {
  const present = values.filter((value) => value !== null && value !== undefined);
  if (present.every((value) => typeof value === 'boolean')) return 'boolean';
  if (!present.every((value) => typeof value === 'number')) return 'varchar';
  return present.every((value) => Number.isSafeInteger(value)) ? 'bigint' : 'double';
}

const MEASURES_TYPE = `struct(${[...MEASURE_COLUMNS, ...RUN_COLUMNS].map((name) => `${quoted(name)} double`).join(', ')})`;
const DAYS_TYPE = `struct("vmIds" varchar[], vm integer[], "day" integer[], seconds double[], cost double[],
  "starvedAny" double[], starved struct(${RESOURCES.map((r) => `${quoted(r)} double[]`).join(', ')}))`;

/** What of a record a table reads. */
const READ: Readonly<Record<Table, string>> = {
  runs: `{id: 'varchar', trace: 'varchar', measures: '${MEASURES_TYPE}', result: 'struct(id varchar, scenario varchar,
    policy varchar, seed bigint, version varchar, backend varchar, currency varchar, decisions struct(sha256 varchar))'}`,
  groups: `{id: 'varchar', groups: 'struct(kind varchar, name varchar, measures ${MEASURES_TYPE})[]'}`,
  vm_days: `{id: 'varchar', result: 'struct(days ${DAYS_TYPE})'}`,
};

interface Records {
  /** Files in order of the points, each once. */
  readonly files: readonly string[];
  readonly largest: number;
}

function recordsOf(folder: SweepFolder): Records {
  const ids = new Set(folder.plan.points.map(({ id }) => id).filter((id) => folder.finished.has(id)));
  const files = [...ids].map((id) => folder.recordFile(id));
  return { files, largest: Math.max(0, ...files.map(unpackedSize)) };
}

/** The last four bytes of a gzip file: its size before packing, modulo 2^32. */
function unpackedSize(file: string): number {
  const fd = openSync(file, 'r');
  try {
    const tail = Buffer.alloc(4);
    readSync(fd, tail, 0, 4, fstatSync(fd).size - 4);
    return tail.readUInt32LE();
  } finally {
    closeSync(fd);
  }
}

/** The records, read in order of the points: one thread and no sorting, whatever their number. */
function reading({ files, largest }: Records, table: Table): string {
  if (files.length === 0) {
    const columns = READ[table].replace(/(\w+): '([^']*)'/g, 'null::$2 as $1').slice(1, -1);
    return `(select ${columns} where false)`;
  }
  const size = Math.max(1 << 20, largest + 1024);
  return `read_json([${files.map(literal).join(', ')}], columns = ${READ[table]}, format = 'unstructured',
    maximum_object_size = ${size})`;
}

function runsSql(plan: Plan, records: Records): string {
  const own = new Set(['policy', 'seed']);
  const axes = plan.axes.filter(({ name }) => !own.has(name)).map(({ name }) => `points.${quoted(name)}`);
  const measures = [...RUN_COLUMNS, ...MEASURE_COLUMNS].map((name) => `record.measures.${quoted(name)}`);
  const columns = [
    'points.point',
    'points.id',
    ...axes,
    'record.result.policy',
    'record.result.seed',
    'record.result.scenario',
    ...measures,
    'record.result.currency',
    'record.result.backend',
    'record.trace as trace_sha256',
    'record.result.decisions.sha256 as decisions_sha256',
    'record.result.id as run_id',
    'record.result.version',
  ];
  return `select ${columns.join(', ')} from points join ${reading(records, 'runs')} as record using (id) order by point`;
}

function groupsSql(records: Records): string {
  const measures = MEASURE_COLUMNS.map((name) => `g.measures.${quoted(name)}`);
  return `select id, g.kind, g.name, ${measures.join(', ')}
    from (select id, unnest(groups) as g from ${reading(records, 'groups')})`;
}

function daysSql(records: Records): string {
  const starved = RESOURCES.map(
    (r) => `unnest(days.starved.${quoted(r)}) as starved_${r === 'diskIo' ? 'disk_io' : r}_s`,
  );
  return `select id, vm_ids[vm + 1] as vm_id, * exclude (id, vm_ids, vm) from (
    select id, days."vmIds" as vm_ids, unnest(days.vm) as vm, unnest(days."day") as "day", unnest(days.seconds) as seconds,
      unnest(days.cost) as cost, unnest(days."starvedAny") as starved_any_s, ${starved.join(', ')}
    from (select id, result.days as days from ${reading(records, 'vm_days')}))`;
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
