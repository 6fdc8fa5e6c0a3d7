import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CPU } from '../../../core/model.ts';
import { intervalsOf, loadTrace } from '../../../sim/trace/load.ts';
import { folderOf, load, series } from './temp.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('identity', () => {
  test('of one file is its SHA-256; of several that of the sorted list of theirs, as sha256sum prints it', async () => {
    const one = await load({ 'x.csv': 'timestamp,vm_id,cpu\n0,a,1\n' }, { file: 'x.csv' });
    expect(one.report.sha256).toBe(sha256('timestamp,vm_id,cpu\n0,a,1\n'));
    const two = await load({ b: '2\n', a: '1\n', B: '3\n' });
    const lines = [`${sha256('3\n')}  B\n`, `${sha256('1\n')}  a\n`, `${sha256('2\n')}  b\n`];
    expect(two.report.sha256).toBe(sha256(lines.join('')));
    expect(two.vms.map((vm) => vm.vmId)).toEqual(['B', 'a', 'b']);
  });

  test('does not depend on where files lie or in which order they were made', async () => {
    const a = await load({ x: '1\n2\n', y: '3\n4\n' });
    const b = await load({ y: '3\n4\n', x: '1\n2\n' });
    expect({ ...b, name: '' }).toEqual({ ...a, name: '' });
  });

  test('tells two folders with the same bytes under other names apart', async () => {
    const a = await load({ x: '1\n', y: '2\n' });
    const b = await load({ x: '1\n', z: '2\n' });
    expect(a.report.sha256).not.toBe(b.report.sha256);
  });
});

describe('choice of VMs', () => {
  const files = { a: '1\n', b: '2\n', c: '3\n' };

  test('the first in sorted order, or by name, or both', async () => {
    const ids = async (options: object) => (await load(files, options)).vms.map((vm) => vm.vmId);
    expect(await ids({ limit: 2 })).toEqual(['a', 'b']);
    expect(await ids({ limit: 10 })).toEqual(['a', 'b', 'c']);
    expect(await ids({ vms: ['c', 'b'] })).toEqual(['b', 'c']);
    expect(await ids({ vms: ['c', 'b'], limit: 1 })).toEqual(['b']);
  });

  test('a limit keeps the smallest ids of a file in any order', async () => {
    const rows = ['d', 'b', 'e', 'a', 'c', 'b', 'a', 'd'].map((id, i) => `${i * 300_000},${id},${i}`);
    const trace = await load({ 'x.csv': ['timestamp,vm_id,cpu', ...rows].join('\n') }, { limit: 2 });
    expect(trace.vms.map((vm) => vm.vmId)).toEqual(['a', 'b']);
    expect(series(trace, 'a', CPU)).toEqual([3, Number.NaN, Number.NaN, 6]);
    expect(series(trace, 'b', CPU)).toEqual([1, Number.NaN, Number.NaN, Number.NaN, 5]);
    // The trace starts where its first VM does, which is VM b at 300 s.
    expect(trace.epochMs).toBe(300_000);
    expect(trace.vms.map((vm) => vm.start)).toEqual([2, 0]);
  });
});

test('a window is a trace of its own', async () => {
  const rows = ['0,a,1', '300000,a,2', '900000,a,4', '1200000,a,5', '300000,b,7'];
  const files = { 'x.csv': ['timestamp,vm_id,cpu', ...rows].join('\n') };
  const whole = await load(files);
  expect(intervalsOf(whole)).toBe(5);
  const part = await load(files, { from: 2, to: 4 });
  expect(part.epochMs).toBe(600_000);
  expect(part.vms.map((vm) => [vm.vmId, vm.start])).toEqual([['a', 1]]);
  expect(series(part, 'a', CPU)).toEqual([4]);
  expect(part.report.gaps).toBe(0);
  expect(intervalsOf(await load(files, { from: 1 }))).toBe(4);
  expect(
    (await load(files, { to: 2 })).vms.map((vm) => [...vm.usage].filter((x) => !Number.isNaN(x))),
  ).toEqual([[1, 2], [7]]);
});

test('progress goes up to the whole, and an abort ends the reading', async () => {
  const path = folderOf({ a: '1\n22\n', b: '333\n' });
  const seen: (readonly [number, number])[] = [];
  await loadTrace({ path, onProgress: (done, total) => seen.push([done, total]) });
  expect(seen).toEqual([
    [5, 9],
    [9, 9],
  ]);
  await expect(
    loadTrace({ path: join(path, 'a'), signal: AbortSignal.abort(new Error('stop')) }),
  ).rejects.toThrow('stop');
});
