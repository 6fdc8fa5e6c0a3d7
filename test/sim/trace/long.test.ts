import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CPU, MEMORY } from '../../../core/model.ts';
import { shortest, writeTrace } from '../../../sim/trace/convert.ts';
import { withDuckDb } from '../../../sim/trace/duckdb.ts';
import { loadTrace } from '../../../sim/trace/load.ts';
import type { Trace, TraceVm } from '../../../sim/trace/types.ts';
import { failure, folderOf, load, series } from './temp.ts';

const HEADER = 'timestamp,application_id,user_id,vm_id,cpu,memory,disk_io,network';
const T = Date.UTC(2024, 0, 1);

describe('the long format as CSV', () => {
  test('any order of columns and rows, epoch ms or ISO 8601, empty for no value', async () => {
    const trace = await load({
      'x.csv': [
        'vm_id,cpu,timestamp,network,user_id,application_id',
        `b,2,${T + 300_000},1e6,ann,shop`,
        'a,0.5,2024-01-01T00:00:00Z,,ann,web',
        'b,1,2024-01-01 00:00,5e5,ann,shop',
        'b,,2024-01-01T01:10:00+01:00,7e5,ann,shop',
      ].join('\n'),
    });
    expect(trace.format).toBe('long');
    expect(trace.epochMs).toBe(T);
    expect(trace.has).toEqual([true, false, false, true]);
    expect(series(trace, 'a', CPU)).toEqual([0.5]);
    expect(series(trace, 'b', CPU)).toEqual([1, 2, Number.NaN]);
    expect(series(trace, 'b', 3)).toEqual([5e5, 1e6, 7e5]);
    expect(trace.vms[1]).toMatchObject({ applicationId: 'shop', userId: 'ann' });
    expect(trace.report).toMatchObject({ outOfOrder: 1, invalid: 0 });
  });

  test('applications and users may be missing, sizes given', async () => {
    const trace = await load({
      'x.csv.gz': `timestamp,vm_id,cpu,memory,cpu_capacity,memory_capacity\n${T},a,1,512,4,\n${T + 1},a,1,512,8,1024\n`,
    });
    expect(trace.vms[0]).toMatchObject({ applicationId: 'a', userId: 'unknown' });
    expect([...trace.vms[0]!.size]).toEqual([8, 1024, Number.NaN, Number.NaN]);
  });

  test('names in quotes may hold anything but a line break', async () => {
    const trace = await load({ 'x.csv': `timestamp,vm_id,application_id,cpu\n${T},"a,""b"" ","x",1\n` });
    expect(trace.vms[0]).toMatchObject({ vmId: 'a,"b" ', applicationId: 'x' });
  });

  test.each([
    [`${T},,,a,1,1`, 'TRACE_BAD_ROW'],
    [`${T},,,,1,,,`, 'TRACE_BAD_ID'],
    [`soon,,,a,1,,,`, 'TRACE_BAD_TIMESTAMP'],
    ['2024-02-30T00:00Z,,,a,1,,,', 'TRACE_BAD_TIMESTAMP'],
    [`${T},,,a,lots,,,`, 'TRACE_BAD_NUMBER'],
    [`${T},,,a,NaN,,,`, 'TRACE_NOT_FINITE'],
    [`${T},,,a,1,-1,,`, 'TRACE_NEGATIVE'],
    [`${T},,,a,1e300,,,`, 'TRACE_BAD_NUMBER'],
    ['9007199254740991,,,a,1,,,', 'TRACE_BAD_TIMESTAMP'],
  ])('row %s', async (row, code) => {
    const error = await failure(load({ 'x.csv': `${HEADER}\n${T},,,a,1,,,\n${row}\n` }));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/x\.csv:3/);
  });

  test('headers', async () => {
    expect((await failure(load({ 'x.csv': `vm_id,timestamp\na,1\n` }))).code).toBe('TRACE_BAD_HEADER');
    expect((await failure(load({ 'x.csv': `cpu,vm_id\n1,a\n` }, { format: 'long' }))).code).toBe(
      'TRACE_BAD_HEADER',
    );
    expect((await failure(load({ 'x.csv': HEADER.replaceAll(',', ';') }))).code).toBe('TRACE_BAD_SEPARATOR');
    const zero = await failure(load({ 'x.csv': `timestamp,vm_id,cpu,cpu_capacity\n${T},a,1,0\n` }));
    expect(zero.code).toBe('TRACE_ZERO_CORES');
    expect(zero.message).toMatch(/x\.csv:2/);
  });
});

describe('the long format as Parquet', () => {
  const parquet = async (select: string) => {
    const path = join(folderOf({}), 'x.parquet');
    await withDuckDb(async (connection) => {
      await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet)`);
    });
    return loadTrace({ path });
  };

  test('stamps as integers or timestamps, null for no value', async () => {
    const trace = await parquet(
      `SELECT * FROM (VALUES (TIMESTAMP '2024-01-01 00:00:00', 'a', 1::FLOAT, NULL::DOUBLE),
         (TIMESTAMP '2024-01-01 00:05:00', 'a', NULL, 512.0)) t("timestamp", vm_id, cpu, memory)`,
    );
    expect(trace.epochMs).toBe(T);
    expect(series(trace, 'a', CPU)).toEqual([1, Number.NaN]);
    expect(series(trace, 'a', MEMORY)).toEqual([Number.NaN, 512]);
    const numbers = await parquet(`SELECT ${T}::BIGINT AS "timestamp", 42 AS vm_id, 3 AS cpu`);
    expect(series(numbers, '42', CPU)).toEqual([3]);
  });

  test.each([
    [`SELECT ${T} AS "timestamp", 'a' AS vm_id, 'much' AS cpu`, 'TRACE_BAD_NUMBER'],
    [`SELECT 'now' AS "timestamp", 'a' AS vm_id, 1 AS cpu`, 'TRACE_BAD_TIMESTAMP'],
    [`SELECT NULL::BIGINT AS "timestamp", 'a' AS vm_id, 1 AS cpu`, 'TRACE_BAD_TIMESTAMP'],
    [`SELECT ${T} AS "timestamp", 'a' AS vm_id, 'NaN'::DOUBLE AS cpu`, 'TRACE_NOT_FINITE'],
    [`SELECT ${T} AS "timestamp", 'a' AS vm_id, -1 AS cpu`, 'TRACE_NEGATIVE'],
    [`SELECT ${T} AS "timestamp", 'a' AS vm_id, 1 AS cpu, 0 AS cpu_capacity`, 'TRACE_ZERO_CORES'],
    [`SELECT ${T} AS "timestamp", NULL::VARCHAR AS vm_id, 1 AS cpu`, 'TRACE_BAD_ID'],
    [`SELECT ${T} AS "timestamp", 1 AS cpu`, 'TRACE_BAD_HEADER'],
    [`SELECT ${T} AS "timestamp", 'a' AS vm_id`, 'TRACE_BAD_HEADER'],
    [`SELECT 1 AS "timestamp", 'a' AS vm_id, 1 AS cpu WHERE false`, 'TRACE_EMPTY_FILE'],
  ])('%s', async (select, code) => {
    const error = await failure(parquet(select));
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/x\.parquet/);
  });

  test('a file cut short', async () => {
    const path = join(folderOf({ 'x.parquet': Buffer.from('PAR1abcdefgh') }), 'x.parquet');
    expect((await failure(loadTrace({ path }))).code).toBe('TRACE_BAD_PARQUET');
  });
});

describe('writing', () => {
  const vm = (vmId: string, start: number, usage: readonly number[], size: TraceVm['size']): TraceVm => ({
    vmId,
    applicationId: `app of ${vmId}`,
    userId: 'ann, "bob"',
    size,
    start,
    usage: Float32Array.from(usage),
  });
  const NO = Number.NaN;
  const trace: Trace = {
    name: 'made',
    format: 'long',
    epochMs: T,
    stepMs: 300_000,
    has: [true, true, false, true],
    vms: [
      vm('a', 0, [0.24, 1 / 3, NO, 7, NO, NO, NO, NO, 1e-9, 3e7, NO, 123456792], [2, 8192, NO, NO]),
      vm('b', 2, [0, 16777217, NO, NO], [0.1, NO, NO, 1.25e9]),
    ],
    report: {
      files: 0,
      rows: 0,
      outOfOrder: 0,
      duplicates: 0,
      invalid: 0,
      gaps: 1,
      examples: [],
      sha256: '',
    },
  };

  test.each(['x.csv', 'x.csv.gz', 'x.parquet'])('%s reads back as it was, to the bit', async (name) => {
    const to = join(folderOf({}), name);
    const written = await writeTrace(trace, to, folderOf({}));
    expect(written).toMatchObject({ path: to, rows: 3 });
    expect(readdirSync(join(to, '..'))).toEqual([name]);
    const back = await loadTrace({ path: to });
    expect(back.epochMs).toBe(trace.epochMs);
    expect(back.has).toEqual(trace.has);
    expect(back.vms).toEqual(trace.vms);
    expect(back.report.gaps).toBe(1);
  });

  test('short decimals, one row an interval with a value', async () => {
    const to = join(folderOf({}), 'x.csv');
    await writeTrace({ ...trace, vms: [{ ...trace.vms[0]!, size: [NO, NO, NO, NO] }] }, to, folderOf({}));
    expect(readFileSync(to, 'utf8').split('\n')).toEqual([
      HEADER,
      `${T},app of a,"ann, ""bob""",a,0.24,0.33333334,,7`,
      `${T + 600_000},app of a,"ann, ""bob""",a,1e-9,30000000,,123456790`,
      '',
    ]);
  });

  test('every 32-bit number survives its shortest decimal', () => {
    fc.assert(
      fc.property(fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }), (value) => {
        expect(Math.fround(Number(shortest(value)))).toBe(value);
      }),
      { numRuns: 1000 },
    );
  });

  test('what cannot be written leaves nothing behind', async () => {
    const root = folderOf({ 'in.csv': `${HEADER}\n` });
    const elsewhere = folderOf({});
    for (const [to, from] of [
      [join(root, 'out.txt'), elsewhere],
      [join(root, 'none', 'out.csv'), elsewhere],
      [root, elsewhere],
      [join(root, 'in.csv'), join(root, 'in.csv')],
      [join(root, 'out.csv'), root],
    ] as const) {
      expect((await failure(writeTrace(trace, to, from))).code).toBe('TRACE_BAD_TARGET');
    }
    const broken = { ...trace, vms: [trace.vms[0]!, { ...trace.vms[1]!, vmId: 'two\nlines' }] };
    expect((await failure(writeTrace(broken, join(root, 'out.csv'), elsewhere))).code).toBe(
      'TRACE_BAD_TARGET',
    );
    const aborted = writeTrace(trace, join(root, 'out.csv'), elsewhere, AbortSignal.abort());
    await expect(aborted).rejects.toThrow();
    expect(readdirSync(root)).toEqual(['in.csv']);
  });

  test('an older file of that name is replaced at once', async () => {
    const to = join(folderOf({ 'x.csv.gz': 'old' }), 'x.csv.gz');
    writeFileSync(to, 'older');
    await writeTrace(trace, to, folderOf({}));
    expect(gunzipSync(readFileSync(to)).toString()).toContain('app of b');
  });
});
