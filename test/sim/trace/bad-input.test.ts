import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { loadTrace, requireHorizon } from '../../../sim/trace/load.ts';
import { TRACE_FORMATS } from '../../../sim/trace/types.ts';
import { failure, folderOf, load } from './temp.ts';

/** The list of bad input: each a coded error of one screen that names place and remedy, with exit code 2. */
describe('bad input', () => {
  test('a truncated gzip', async () => {
    const zipped = gzipSync('10\n20\n30\n');
    const error = await failure(
      load({ 'vm.gz': zipped.subarray(0, zipped.length - 5) }, { format: 'planetlab' }),
    );
    expect(error.code).toBe('TRACE_TRUNCATED_GZIP');
    expect(error.message).toMatch(/vm\.gz:1\)\n {2}remedy: /);
  });

  test('a gzip cut short never looks whole, even where a line ends', async () => {
    // Enough text for the part that is there to be read long before the end is missed.
    const text = Array.from({ length: 300_000 }, (_, i) => String((i * 7919) % 100)).join('\n');
    const zipped = gzipSync(text);
    for (const share of [0.3, 0.9, 0.999]) {
      const cut = zipped.subarray(0, Math.floor(zipped.length * share));
      const error = await failure(load({ 'vm.gz': cut }, { format: 'planetlab' }));
      expect(error.code).toBe('TRACE_TRUNCATED_GZIP');
    }
  });

  test('a wrong separator', async () => {
    const error = await failure(load({ 'machine_usage.csv': 'm_1;0;10;90;;;10;10;4\n' }));
    expect(error.code).toBe('TRACE_BAD_SEPARATOR');
    expect(error.message).toContain('a semicolon where the format has a comma');
    expect(error.message).toMatch(/machine_usage\.csv:1/);
  });

  test('a text where a number belongs', async () => {
    const error = await failure(load({ vm: '10\n20\nmuch\n' }));
    expect(error.code).toBe('TRACE_BAD_NUMBER');
    expect(error.message).toMatch(/CPU % is "much" where a number belongs \(.*vm:3\)/);
  });

  test('an empty folder', async () => {
    const error = await failure(loadTrace({ path: folderOf({}) }));
    expect(error.code).toBe('TRACE_EMPTY_FOLDER');
    const outer = await failure(loadTrace({ path: folderOf({ 'day/a': '1\n' }) }));
    expect(outer.code).toBe('TRACE_EMPTY_FOLDER');
    expect(outer.message).toContain('name one of its folders: day');
    expect((await failure(load({ 'README.md': 'x' }))).code).toBe('TRACE_EMPTY_FOLDER');
    expect((await failure(load({ a: '1\n' }, { format: 'bitbrains' }))).code).toBe('TRACE_EMPTY_FOLDER');
  });

  test.each(['NaN', 'nan', 'inf', '-Infinity'])('%s', async (text) => {
    const error = await failure(load({ vm: `10\n${text}\n` }));
    expect(error.code).toBe('TRACE_NOT_FINITE');
    expect(error.message).toMatch(/vm:2/);
  });

  test('negative usage', async () => {
    const error = await failure(load({ vm: '10\n-3\n' }));
    expect(error.code).toBe('TRACE_NEGATIVE');
    expect(error.message).toMatch(/CPU % is -3.*vm:2/);
  });

  test('a VM of 0 cores, stated or assumed', async () => {
    const error = await failure(load({ 'x.csv': 'timestamp,vm_id,cpu,cpu_capacity\n0,a,1,0\n' }));
    expect(error.code).toBe('TRACE_ZERO_CORES');
    expect(error.message).toMatch(/VM "a" has 0 cores \(.*x\.csv:2\)/);
    expect((await failure(load({ vm: '10\n' }, { assume: { cores: 0 } }))).code).toBe('TRACE_BAD_OPTION');
  });

  test('a trace shorter than the horizon', async () => {
    const trace = await load({ vm: '10\n20\n30\n' });
    requireHorizon(trace, 3);
    const error = await failure((async () => requireHorizon(trace, 4))());
    expect(error.code).toBe('TRACE_TOO_SHORT');
    expect(error.message).toContain('3 intervals where 4 are asked for');
    expect((await failure(load({ vm: '10\n20\n30\n' }, { to: 4 }))).code).toBe('TRACE_TOO_SHORT');
  });
});

describe('and more of it', () => {
  test('nothing there, nothing in it, nothing readable', async () => {
    expect((await failure(loadTrace({ path: '/no/such/trace' }))).code).toBe('TRACE_NOT_FOUND');
    expect((await failure(load({ vm: '' }))).code).toBe('TRACE_EMPTY_FILE');
    expect((await failure(load({ a: '1\n', b: '\n\n' }))).code).toBe('TRACE_EMPTY_FILE');
    expect((await failure(loadTrace({ path: '/dev/null' }))).code).toBe('TRACE_UNREADABLE');
    const dangling = folderOf({ a: '1\n' });
    symlinkSync('/no/such/file', join(dangling, 'b'));
    expect((await failure(loadTrace({ path: dangling }))).code).toBe('TRACE_NOT_FOUND');
  });

  test('a format that cannot be told lists all of them', async () => {
    const error = await failure(load({ 'notes.txt': 'once upon a time\n' }));
    expect(error.code).toBe('TRACE_UNKNOWN_FORMAT');
    for (const format of TRACE_FORMATS) expect(error.message).toContain(format);
  });

  test('stamps of a wrong unit', async () => {
    const error = await failure(
      load({ 'x.csv': 'timestamp,vm_id,cpu\n1700000000,a,1\n1700000000000,a,1\n' }),
    );
    expect(error.code).toBe('TRACE_BAD_TIMESTAMP');
    expect(error.message).toMatch(/x\.csv:3/);
  });

  test('no value at all', async () => {
    const error = await failure(load({ 'machine_usage.csv': 'm_1,0,-1,101,,,,,-1\n' }));
    expect(error.code).toBe('TRACE_NO_VALUES');
  });

  test('options', async () => {
    for (const options of [
      { stepMs: 0 },
      { stepMs: 1.5 },
      { stepMs: 1e15 },
      { limit: 0 },
      { limit: Number.NaN },
      { from: 2, to: 2 },
      { from: -1 },
      { assume: { memoryMiB: Number.NaN } },
    ]) {
      expect((await failure(load({ vm: '10\n20\n' }, options))).code).toBe('TRACE_BAD_OPTION');
    }
    expect((await failure(load({ vm: '10\n' }, { statistic: 'max' }))).code).toBe('TRACE_NO_STATISTIC');
    expect((await failure(load({ vm: '10\n' }, { vms: ['vn'] }))).code).toBe('TRACE_NO_SUCH_VM');
  });
});
