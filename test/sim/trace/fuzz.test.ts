import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ForesizeError } from '../../../core/errors.ts';
import { R } from '../../../core/model.ts';
import { summarize } from '../../../sim/trace/inspect.ts';
import { loadTrace } from '../../../sim/trace/load.ts';
import { summaryText } from '../../../sim/trace/text.ts';
import { TRACE_FORMATS, type TraceFormat } from '../../../sim/trace/types.ts';
import { folderOf } from './temp.ts';

const root = folderOf({});

/** Loads whatever it is: either a coded error with exit code 2, or a trace of finite usage >= 0. */
async function survive(name: string, content: Buffer | string, format?: TraceFormat): Promise<void> {
  const path = join(root, name);
  writeFileSync(path, content);
  try {
    const trace = await loadTrace({ path: name.includes('.parquet') ? path : root, format });
    expect(trace.vms.length).toBeGreaterThan(0);
    expect(Number.isFinite(trace.epochMs)).toBe(true);
    for (const vm of trace.vms) {
      expect(vm.usage.length % R).toBe(0);
      expect(vm.start).toBeGreaterThanOrEqual(0);
      expect(vm.usage.every((value) => Number.isNaN(value) || (value >= 0 && Number.isFinite(value)))).toBe(
        true,
      );
      expect(vm.size.every((value) => Number.isNaN(value) || (value >= 0 && Number.isFinite(value)))).toBe(
        true,
      );
    }
    summaryText(summarize(trace));
  } catch (cause) {
    if (!(cause instanceof ForesizeError)) throw cause;
    expect(cause.exitCode).toBe(2);
    expect(cause.code).toMatch(/^TRACE_/);
    expect(cause.message.length).toBeLessThan(1500);
  } finally {
    rmSync(path);
  }
}

/** A name under which each format finds its file. */
const NAMES: Readonly<Record<TraceFormat, string>> = {
  planetlab: 'vm',
  bitbrains: '1.csv',
  azure: 'vm_cpu_readings-file-1-of-195.csv',
  'azure-wide': 'avg.csv',
  google2011: 'vm_1_1',
  google2019: 'instance_usage-000000000000.json',
  'alibaba-machine': 'machine_usage.csv',
  'alibaba-container': 'container_usage.csv',
  vasim: 'c_1.csv',
  opendc: 'tasks.parquet',
  long: 'x.csv',
};

/** Tables of sizes, beside a usage file that is whole. */
const TABLES = [
  {
    format: 'alibaba-machine',
    usage: 'machine_usage.csv',
    rows: 'm_1932,386640,41,92,,,43.04,33.08,5\n',
    table: 'machine_meta.csv',
    good: 'm_1932,0,219,17,96,100,USING\nm_1,0,219,17,96,100,USING\n',
  },
  {
    format: 'alibaba-container',
    usage: 'container_usage.csv',
    rows: 'c_1,m_2556,386640,25,50,0.98,0.1,3,0.4,0.6,2\n',
    table: 'container_meta.csv',
    good: 'c_1,m_2556,0,app_5052,started,400,800,1.56\n',
  },
  {
    format: 'azure',
    usage: 'vm_cpu_readings-file-1-of-195.csv',
    rows: '0,+ZcrOp5/c,2.05,3.91,2.86\n0,2zrg,2.05,3.91,2.86\n',
    table: 'vmtable.csv',
    good: '+ZcrOp5/c,VDU4,Pc2V==,0,2591700,99.3,3.4,10.1,Delay-insensitive,>24,>64\n2zrg,a,b,0,1,2,3,4,Unknown,2,4\n',
  },
] as const;

/** Some good lines of each text format, to be garbled. */
const GOOD: Readonly<Partial<Record<TraceFormat, string>>> = {
  planetlab: '24\n34\n0\n99\n',
  bitbrains:
    'Timestamp [ms];\tcores;\tMHz;\tMHz;\t%;\tKB;\tKB;\tKB/s;\tKB/s;\tKB/s;\tKB/s\n' +
    '1375308176;\t2;\t5851.99;\t747.1;\t12.76;\t8388608.0;\t1308620.0;\t0.0;\t1.0;\t11.0;\t27.2\n' +
    '1375308476;\t2;\t5851.99;\t672.9;\t11.5;\t8388608.0;\t1157626.4;\t0.0;\t1.0;\t13.4;\t30.6\n',
  azure: '0,+ZcrOp5/c/fJ6m==,2.05,3.91,2.86\n300,+ZcrOp5/c/fJ6m==,1,2,1.5\n0,2zrg,1.6,8.7,3.2\n',
  'azure-wide': 't,1633748,223811\n1,44.4591,5.86057\n2,47.9345,\n',
  google2011: '18.207 14.0374\n17.9801 14.0672\n',
  google2019:
    '{"start_time":"300000000","end_time":"600000000","collection_id":"33","instance_index":"1","average_usage":{"cpus":0.008,"memory":0.009},"assigned_memory":0}\n' +
    '{"start_time":"600000000","end_time":"700000000","collection_id":"33","instance_index":"1","average_usage":{"cpus":0.008}}\n',
  'alibaba-machine': 'm_1932,386640,41,92,,,43.04,33.08,5\nm_1932,386670,43,92,,,43.04,33.08,101\n',
  'alibaba-container':
    'c_1,m_2556,386640,25,50,0.98,0.1,3,0.4,0.6,2\nc_1,m_2556,386670,75,50,,,,0.4,0.6,-1\n',
  vasim: 'TIMESTAMP,CPU_USAGE_ACTUAL\n2023.04.02-00:09:00:000,7.2\n2023.04.02-00:10:00:000,7.04\n',
  long:
    'timestamp,application_id,user_id,vm_id,cpu,memory,disk_io,network,cpu_capacity\n' +
    '1700000000000,web,ann,a,0.5,512,,1e6,2\n2023-11-14T22:20:00Z,web,ann,"b, c",1,,5,,4\n',
};

const byFormat = fc.constantFrom(...TRACE_FORMATS);

/** What a field may be replaced with. */
const field = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-0',
    '-1',
    '101',
    'NaN',
    'Infinity',
    '1e18',
    '1e19',
    '1e400',
    'x',
    '2023-01-01',
    '"',
    '9007199254740993',
  ),
  fc.double().map(String),
  fc.string({ maxLength: 8 }),
);

describe('no bytes crash a reader', () => {
  test('random bytes, format told or found out', async () => {
    await fc.assert(
      fc.asyncProperty(
        byFormat,
        fc.boolean(),
        fc.uint8Array({ maxLength: 300 }),
        async (format, told, bytes) => {
          await survive(NAMES[format], Buffer.from(bytes), told ? format : undefined);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('random bytes behind a good gzip mark', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), fc.nat(60), async (bytes, keep) => {
        const zipped = gzipSync('24\n34\n24\n99\n17\n');
        await survive(
          'vm.gz',
          Buffer.concat([zipped.subarray(0, Math.min(keep, zipped.length)), bytes]),
          'planetlab',
        );
      }),
      { numRuns: 200 },
    );
  });

  test('good rows with characters put in, taken out or doubled', async () => {
    const bits = fc.constantFrom(
      ...'0123456789.,;:-+eE"\n\r\t |{}[]NaN/\0é',
      '-1',
      'NaN',
      '1e308',
      '1e-320',
      '\n\n',
      '99999999999999999',
    );
    const edit = fc.tuple(fc.nat(400), fc.nat(3), bits);
    await fc.assert(
      fc.asyncProperty(
        byFormat.filter((format) => GOOD[format] !== undefined),
        fc.boolean(),
        fc.array(edit, { minLength: 1, maxLength: 6 }),
        async (format, told, edits) => {
          let text = GOOD[format]!;
          for (const [place, cut, put] of edits) {
            const at = place % (text.length + 1);
            text = text.slice(0, at) + put + text.slice(at + cut);
          }
          await survive(NAMES[format], text, told ? format : undefined);
        },
      ),
      { numRuns: 800 },
    );
  });

  test('good rows with fields swapped for others', async () => {
    await fc.assert(
      fc.asyncProperty(
        byFormat.filter((format) => GOOD[format] !== undefined),
        fc.array(fc.tuple(fc.nat(40), field), { minLength: 1, maxLength: 4 }),
        async (format, swaps) => {
          const parts = GOOD[format]!.split(/([,;\n :]+)/);
          for (const [place, value] of swaps)
            parts[(place * 2) % (parts.length + (parts.length % 2))] = value;
          await survive(NAMES[format], parts.join(''), format);
        },
      ),
      { numRuns: 800 },
    );
  });

  test('tables of sizes with fields swapped for others', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...TABLES),
        fc.array(fc.tuple(fc.nat(40), field), { minLength: 1, maxLength: 3 }),
        async ({ format, usage, rows, table, good }, swaps) => {
          const parts = good.split(/([,\n]+)/);
          for (const [place, value] of swaps)
            parts[(place * 2) % (parts.length + (parts.length % 2))] = value;
          writeFileSync(join(root, usage), rows);
          await survive(table, parts.join(''), format);
          rmSync(join(root, usage));
        },
      ),
      { numRuns: 800 },
    );
  });
});
