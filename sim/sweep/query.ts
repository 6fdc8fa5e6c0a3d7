import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { literal, withDuckDb } from '../trace/duckdb.ts';
import { collect, TABLES, tableFile } from './collect.ts';
import { SweepFolder } from './folder.ts';

export interface QueryResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}

/**
 * Answers SQL over a sweep's tables `runs`, `groups`, `vm_days` and `failures`. A sweep may be running or
 * interrupted: what is finished by now is seen.
 * @throws ForesizeError SWEEP_FOLDER_NONE, SWEEP_QUERY
 */
export async function querySweep(path: string, sql: string): Promise<QueryResult> {
  const folder = SweepFolder.open(path);
  const stale = isStale(folder);
  // The folder may belong to a running sweep, or to somebody else: it is not written to.
  const tables = stale ? mkdtempSync(join(tmpdir(), 'foresize-')) : path;
  try {
    if (stale) await collect(folder, tables);
    return await withDuckDb(async (connection) => {
      for (const table of TABLES) {
        await connection.run(
          `create view ${table} as from read_parquet(${literal(tableFile(tables, table))})`,
        );
      }
      await addFailures(connection, folder);
      return run(connection, sql);
    });
  } finally {
    if (stale) rmSync(tables, { recursive: true, force: true });
  }
}

/** A record is newer than the tables, or they are not there. */
function isStale(folder: SweepFolder): boolean {
  if (TABLES.some((table) => !existsSync(tableFile(folder.path, table)))) return true;
  const made = statSync(tableFile(folder.path, 'runs')).mtimeMs;
  return statSync(folder.runs).mtimeMs > made;
}

async function addFailures(connection: DuckDBConnection, folder: SweepFolder): Promise<void> {
  await connection.run(
    'create table failures (id varchar, "at" varchar, worker varchar, code varchar, what varchar, "where" varchar)',
  );
  const appender = await connection.createAppender('failures');
  for (const { id, at, worker, problems } of folder.failures.values()) {
    const [first] = problems ?? [];
    for (const text of [id, at, worker, first?.code, first?.what, first?.where]) {
      if (text === undefined) appender.appendNull();
      else appender.appendVarchar(text);
    }
    appender.endRow();
  }
  appender.closeSync();
}

async function run(connection: DuckDBConnection, sql: string): Promise<QueryResult> {
  try {
    const result = await connection.runAndReadAll(sql);
    return { columns: result.columnNames(), rows: result.getRows().map((row) => row.map(plain)) };
  } catch (cause) {
    throw new ForesizeError(
      {
        code: 'SWEEP_QUERY',
        what: (cause as Error).message,
        where: 'SQL',
        remedy:
          'the tables are runs, groups, vm_days and failures; `describe runs` shows columns; names with dots need "quotes"',
      },
      EXIT.usage,
      cause,
    );
  }
}

function plain(value: unknown): string | number | boolean | null {
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return Number(value);
  return String(value);
}
