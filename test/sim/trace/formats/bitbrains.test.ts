import { describe, expect, test } from 'vitest';
import { CPU, DISK_IO, MEMORY, NETWORK } from '../../../../core/model.ts';
import { failure, load, series } from '../temp.ts';

const HEADER =
  'Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\t' +
  'Memory capacity provisioned [KB];\tMemory usage [KB];\tDisk read throughput [KB/s];\t' +
  'Disk write throughput [KB/s];\tNetwork received throughput [KB/s];\tNetwork transmitted throughput [KB/s]';

const file = (...rows: (readonly (number | string)[])[]) =>
  [HEADER, ...rows.map((row) => row.join(';\t'))].join('\n');
const row = (t: number, cores: number, mhz: number, used: number, memory = 8388608) =>
  [t, cores, mhz, used, 0, memory, 1048576, 1.5, 2.5, 3, 4] as const;

// 1375308176 s lies 176 s into the interval that starts at 1375308000 s.
const T = 1375308176;

describe('bitbrains', () => {
  test('stamps are seconds whatever the header says; units are cores, MiB and bytes/s', async () => {
    const trace = await load({ '1.csv.gz': file(row(T, 2, 5200, 1300), row(T + 300, 2, 5200, 2600)) });
    expect(trace.format).toBe('bitbrains');
    expect(trace.epochMs).toBe(1375308000_000);
    // 1300 / 5200 x 2 cores = 0.5; 1048576 KiB = 1024 MiB; (1.5 + 2.5) KiB/s; (3 + 4) KiB/s.
    expect(series(trace, '1', CPU)).toEqual([0.5, 1]);
    expect(series(trace, '1', MEMORY)).toEqual([1024, 1024]);
    expect(series(trace, '1', DISK_IO)).toEqual([4096, 4096]);
    expect(series(trace, '1', NETWORK)).toEqual([7168, 7168]);
    expect(trace.vms[0]!.size).toEqual([2, 8192, Number.NaN, Number.NaN]);
    expect(trace.report.notes).toEqual([]);
  });

  test('stamps that drift by a second stay one an interval; a missed one is a gap', async () => {
    const stamps = [T, T + 299, T + 600, T + 1201, T + 1500];
    const trace = await load({ '1.csv': file(...stamps.map((t, i) => row(t, 1, 1000, (i + 1) * 100))) });
    expect(series(trace, '1', CPU)).toEqual([0.1, 0.2, 0.3, Number.NaN, 0.4, 0.5].map(Math.fround));
    expect(trace.report).toMatchObject({ gaps: 1, duplicates: 0, outOfOrder: 0 });
  });

  test('non-monotonic and double stamps are mended and counted, above 100 % is left so', async () => {
    const trace = await load({
      '1.csv': file(row(T + 300, 1, 1000, 1073), row(T, 1, 1000, 100), row(T + 300, 1, 1000, 500)),
    });
    expect(series(trace, '1', CPU)).toEqual([0.1, 0.5].map(Math.fround));
    expect(trace.report).toMatchObject({ rows: 3, outOfOrder: 1, duplicates: 1 });
    const blip = await load({ '1.csv': file(row(T, 1, 1000, 1073)) });
    expect(series(blip, '1', CPU)).toEqual([Math.fround(1.073)]);
  });

  test('the size is the largest stated: provisioned memory wobbles', async () => {
    const trace = await load({
      '1.csv': file(row(T, 1, 1000, 1, 4194304), row(T + 300, 1, 1000, 1, 4194000)),
    });
    expect(trace.vms[0]!.size[MEMORY]).toBe(4096);
  });

  test('rows with 0 cores are counted and missing; a VM of nothing else is an error', async () => {
    const trace = await load({ '20.csv': file(row(T, 1, 1000, 100), row(T + 300, 0, 0, 0)) });
    expect(series(trace, '20', CPU)).toEqual([Math.fround(0.1)]);
    expect(trace.report.invalid).toBe(1);
    expect(trace.report.examples[0]).toMatch(/20\.csv:3: the VM has 0 cores/);

    const error = await failure(load({ '20.csv': file(row(T, 0, 0, 0)) }));
    expect(error.code).toBe('TRACE_ZERO_CORES');
    expect(error.message).toMatch(/20\.csv:2/);
  });

  test('an empty field is a value not measured', async () => {
    const trace = await load({ '1.csv': file([T, 1, 1000, 500, 50, 2048, '', 1, 1, 1, 1]) });
    expect(series(trace, '1', CPU)).toEqual([0.5]);
    expect(series(trace, '1', MEMORY)).toEqual([Number.NaN]);
    expect(trace.has).toEqual([true, false, true, true]);
    expect(trace.report.invalid).toBe(1);
  });

  test('a wrong separator and a cut row are told apart', async () => {
    const commas = await failure(load({ '1.csv': file(row(T, 1, 1000, 1)).replaceAll(';\t', ',') }));
    expect(commas.code).toBe('TRACE_BAD_SEPARATOR');
    expect(commas.message).toMatch(/a comma .* a semicolon .*1\.csv:1/);
    const cut = await failure(load({ '1.csv': `${file(row(T, 1, 1000, 1))}\n1375308476;\t1;\t10` }));
    expect(cut.code).toBe('TRACE_BAD_ROW');
    expect(cut.message).toMatch(/1\.csv:3/);
  });
});
