import { DuckDBInstance } from '@duckdb/node-api';
import { DataFrame, toJSON } from 'danfojs-node';
import { display } from 'tslab';

export type Row = Record<string, unknown>;

/** Answers SQL over Parquet, CSV or JSON files as a danfojs frame. */
export async function query(sql: string): Promise<DataFrame> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    const result = await connection.runAndReadAll(sql);
    const names = result.columnNames();
    // 64-bit integers here are counts and times: exact as numbers.
    const plain = (value: unknown) => (typeof value === 'bigint' ? Number(value) : value);
    const rows = result.getRowsJS().map((row) => row.map(plain));
    return new DataFrame(rows as never, { columns: names });
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** The rows of a frame, as Vega-Lite takes them. */
export function rows(frame: DataFrame): Row[] {
  return toJSON(frame, { format: 'column' }) as Row[];
}

/** Shows a frame as a table. */
export function table(frame: DataFrame, digits = 4): void {
  const cell = (value: unknown) =>
    typeof value === 'number' && !Number.isInteger(value)
      ? String(Number(value.toPrecision(digits)))
      : String(value ?? '');
  const line = (cells: unknown[]) => `| ${cells.map(cell).join(' | ')} |`;
  const values = rows(frame).map((row) => line(frame.columns.map((name) => row[name])));
  display.markdown([line(frame.columns), line(frame.columns.map(() => '---')), ...values].join('\n'));
}
