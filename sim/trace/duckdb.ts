import type { DuckDBConnection } from '@duckdb/node-api';
import { ForesizeError } from '../../core/errors.ts';
import { badParquet } from './problems.ts';

/**
 * Runs `body` with a DuckDB connection in memory. The library is loaded here, on first use, because that takes
 * about half a second. One thread: rows come in the order of the file.
 */
export async function withDuckDb<T>(body: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    return await body(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** A path or a text as an SQL literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A column of a Parquet file and its DuckDB type. */
export type Schema = ReadonlyMap<string, string>;

/** Columns of a Parquet file, names in lower case. */
export async function schemaOf(connection: DuckDBConnection, path: string): Promise<Schema> {
  const rows = await guarded(path, async () => {
    const result = await connection.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet(${literal(path)})`);
    return result.getRows();
  });
  return new Map(rows.map((row) => [String(row[0]).toLowerCase(), String(row[1]).toUpperCase()]));
}

/** Calls `onRow` with the columns of a chunk and a row of it, in order; row numbers count from 1. */
export async function forEachRow(
  connection: DuckDBConnection,
  path: string,
  sql: string,
  signal: AbortSignal | undefined,
  onRow: (columns: readonly (readonly unknown[])[], at: number, row: number) => void,
): Promise<number> {
  let row = 0;
  const result = await guarded(path, () => connection.stream(sql));
  for (;;) {
    signal?.throwIfAborted();
    const chunk = await guarded(path, () => result.fetchChunk());
    if (!chunk || chunk.rowCount === 0) return row;
    const columns = chunk.getColumns();
    for (let at = 0; at < chunk.rowCount; at++) onRow(columns, at, ++row);
  }
}

async function guarded<T>(path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (cause) {
    if (cause instanceof ForesizeError) throw cause;
    throw badParquet(path, cause);
  }
}

export function isNumeric(type: string | undefined): boolean {
  return type !== undefined && /^(U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL.*)$/.test(type);
}

export function isTimestamp(type: string | undefined): boolean {
  return type?.startsWith('TIMESTAMP') ?? false;
}

/** SQL that gives a column as ms since the epoch; undefined when its type is no time. */
export function asMs(column: string, type: string | undefined): string | undefined {
  if (isTimestamp(type)) return `CAST(epoch_ms("${column}") AS DOUBLE)`;
  return isNumeric(type) ? `CAST("${column}" AS DOUBLE)` : undefined;
}
