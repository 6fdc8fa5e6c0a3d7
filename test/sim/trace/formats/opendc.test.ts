import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CPU, MEMORY } from '../../../../core/model.ts';
import { withDuckDb } from '../../../../sim/trace/duckdb.ts';
import { loadTrace } from '../../../../sim/trace/load.ts';
import { failure, folderOf, series } from '../temp.ts';

// 2024-02-01 10:00 UTC.
const T = 1706781600000;

/** A folder with the two tables of OpenDC v4, in its types. */
async function opendcFolder(
  tasks: readonly string[],
  fragments: readonly string[],
  id = 'INTEGER',
): Promise<string> {
  const root = folderOf({});
  mkdirSync(root, { recursive: true });
  await withDuckDb(async (connection) => {
    await connection.run(
      `COPY (SELECT id::${id} AS id, submission_time::BIGINT AS submission_time, duration::BIGINT AS duration,
         cpu_count::INTEGER AS cpu_count, cpu_capacity::DOUBLE AS cpu_capacity, mem_capacity::BIGINT AS mem_capacity
       FROM (VALUES ${tasks.join(', ')}) t(id, submission_time, duration, cpu_count, cpu_capacity, mem_capacity))
       TO '${join(root, 'tasks.parquet')}' (FORMAT parquet)`,
    );
    await connection.run(
      `COPY (SELECT id::${id} AS id, duration::BIGINT AS duration, cpu_usage::DOUBLE AS cpu_usage
       FROM (VALUES ${fragments.join(', ')}) t(id, duration, cpu_usage))
       TO '${join(root, 'fragments.parquet')}' (FORMAT parquet)`,
    );
  });
  return root;
}

describe('opendc', () => {
  test('fragments follow each other from the submission on, each for its duration', async () => {
    const root = await opendcFolder(
      [`(7, ${T}, 1200000, 2, 5200.0, 8388608)`, `(12, ${T + 600_000}, 300000, 1, 1000.0, 2097152)`],
      ['(7, 450000, 1300.0)', '(7, 150000, 5200.0)', '(12, 300000, 500.0)', '(7, 600000, 0.0)'],
    );
    const trace = await loadTrace({ path: root });
    expect(trace.format).toBe('opendc');
    expect(trace.epochMs).toBe(T);
    // Task 7: 1300 MHz of 2 x 2600 = 0.5 cores for 7.5 minutes, 2 cores for 2.5 minutes, nothing for 10 minutes.
    expect(series(trace, '7', CPU)).toEqual([0.5, (0.5 * 150 + 2 * 150) / 300, 0, 0]);
    expect(series(trace, '12', CPU)).toEqual([0.5]);
    expect(trace.vms.map((vm) => [vm.vmId, vm.start, vm.size[CPU], vm.size[MEMORY]])).toEqual([
      ['12', 2, 1, 2048],
      ['7', 0, 2, 8192],
    ]);
    expect(trace.report).toMatchObject({ files: 2, rows: 4, gaps: 0 });
    expect((await loadTrace({ path: join(root, 'fragments.parquet'), limit: 1 })).vms[0]!.vmId).toBe('12');
  });

  test('ids may be text, a task without fragments is counted', async () => {
    const root = await opendcFolder(
      [`('a', ${T}, 1, 1, 1000.0, 1)`, `('b', ${T}, 1, 1, 1000.0, 1)`],
      ["('a', 300000, 1.0)"],
      'VARCHAR',
    );
    const trace = await loadTrace({ path: root });
    expect(trace.vms.map((vm) => vm.vmId)).toEqual(['a']);
    expect(trace.report.vmsWithoutValues).toBe(1);
  });

  test.each([
    [`(7, ${T}, 1, 0, 1000.0, 1)`, '(7, 300000, 1.0)', 'TRACE_ZERO_CORES', /tasks\.parquet:row 1/],
    [`(7, ${T}, 1, 1, 0.0, 1)`, '(7, 300000, 1.0)', 'TRACE_ZERO_CORES', /tasks\.parquet:row 1/],
    [`(7, ${T}, 1, 1, 1000.0, 1)`, '(7, 300000, -1.0)', 'TRACE_NEGATIVE', /fragments\.parquet:row 1/],
    [
      `(7, ${T}, 1, 1, 1000.0, 1)`,
      "(7, 300000, 'NaN'::DOUBLE)",
      'TRACE_NOT_FINITE',
      /fragments\.parquet:row 1/,
    ],
    [`(7, ${T}, 1, 1, 1000.0, 1)`, '(8, 300000, 1.0)', 'TRACE_UNKNOWN_TASK', /fragments\.parquet:row 1/],
    [`(7, -5, 1, 1, 1000.0, 1)`, '(7, 300000, 1.0)', 'TRACE_BAD_TIMESTAMP', /tasks\.parquet:row 1/],
  ])('task %s and fragment %s', async (task, fragment, code, where) => {
    const error = await failure(loadTrace({ path: await opendcFolder([task], [fragment]) }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(where);
  });

  test('a table missing, a file that is no Parquet', async () => {
    const missing = await failure(loadTrace({ path: folderOf({ 'tasks.parquet': 'x' }) }));
    expect(missing.code).toBe('TRACE_MISSING_FILE');
    const garbage = folderOf({ 'tasks.parquet': 'PAR1 not PAR1', 'fragments.parquet': 'PAR1' });
    expect((await failure(loadTrace({ path: garbage }))).code).toBe('TRACE_BAD_PARQUET');
  });
});
