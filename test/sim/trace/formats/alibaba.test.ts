import { describe, expect, test } from 'vitest';
import { CPU, DISK_IO, MEMORY, NETWORK } from '../../../../core/model.ts';
import { failure, load, series } from '../temp.ts';

describe('alibaba-machine', () => {
  const usage = [
    'm_2,10,50,80,,,40,20,5',
    'm_1,600,20,90,3,7,10,10,2',
    'm_1,0,10,90,,,10,10,4',
    'm_1,30,30,90,,,10,10,101',
  ];
  const meta = ['m_1,0,219,17,96,100,USING', 'm_2,0,219,17,64,50,USING', 'm_3,0,219,17,96,100,USING'];

  test('% of the size machine_meta states, network and disk of what is assumed', async () => {
    const trace = await load({
      'machine_usage.csv.gz': usage.join('\n'),
      'machine_meta.csv': meta.join('\n'),
    });
    expect(trace.format).toBe('alibaba-machine');
    // m_1: (10 + 30) / 2 % of 96 cores, then none, then 20 %.
    expect(series(trace, 'm_1', CPU)).toEqual([19.2, Number.NaN, 19.2].map(Math.fround));
    expect(series(trace, 'm_1', MEMORY)[0]).toBe(Math.fround(0.9 * 512 * 1024));
    // 4 % of 1 GB/s; 101 marks a value that is none. (10 + 10) % of 1.25 GB/s.
    expect(series(trace, 'm_1', DISK_IO)).toEqual([40e6, Number.NaN, 20e6]);
    expect(series(trace, 'm_1', NETWORK)[0]).toBe(250e6);
    // m_2 has 64 cores and half the memory of the largest machine.
    expect(series(trace, 'm_2', CPU)).toEqual([32]);
    expect(series(trace, 'm_2', MEMORY)[0]).toBeCloseTo(0.8 * 256 * 1024, 0);
    expect(trace.vms.map((vm) => [...vm.size])).toEqual([
      [96, 524288, 1e9, 1.25e9],
      [64, 262144, 1e9, 1.25e9],
    ]);
    expect(trace.report).toMatchObject({ files: 2, rows: 4, outOfOrder: 2, invalid: 1, gaps: 1 });
    expect(trace.report.examples[0]).toMatch(/machine_usage\.csv\.gz:4: disk_io_percent is "101"/);
    expect(trace.report.notes!.join('\n')).toMatch(/memory: the largest machine.* 524,288 MiB/);
  });

  test('without machine_meta the published 96 cores', async () => {
    const trace = await load({ 'machine_usage.csv': 'm_1,0,50,-1,,,,,-1' });
    expect(series(trace, 'm_1', CPU)).toEqual([48]);
    expect(trace.has).toEqual([true, false, false, false]);
    // Memory and disk marked -1, both network fields empty.
    expect(trace.report.invalid).toBe(4);
    expect(trace.report.notes![0]).toMatch(/machine_meta.csv is missing/);
  });

  test('other negative values are no marker', async () => {
    const error = await failure(load({ 'machine_usage.csv': 'm_1,0,-5,1,,,1,1,1' }));
    expect(error.code).toBe('TRACE_NEGATIVE');
    expect(error.message).toMatch(/machine_usage\.csv:1/);
  });

  test('0 cores', async () => {
    const error = await failure(
      load({ 'machine_usage.csv': usage[1]!, 'machine_meta.csv': 'm_1,0,1,1,0,100,USING' }),
    );
    expect(error.code).toBe('TRACE_ZERO_CORES');
    expect(error.message).toMatch(/machine_meta\.csv:1/);
  });
});

describe('alibaba-container', () => {
  const usage = [
    'c_1,m_2556,386640,25,50,0.98,0.1,,0.4,0.6,2',
    'c_1,m_2556,386670,75,50,,,,0.4,0.6,2',
    'c_2,m_1,386640,10,20,,,,,,',
  ];
  const meta = [
    'c_1,m_2556,0,app_5052,started,400,800,1.5625',
    'c_1,m_2556,287942,app_5052,started,400,800,1.5625',
    'c_9,m_2556,0,app_1,started,400,400,1.5625',
  ];

  test('% of the cores requested and of the memory of container_meta; app_du is the application', async () => {
    const trace = await load({
      'container_usage.csv.gz': usage.join('\n'),
      'container_meta.csv': meta.join('\n'),
    });
    expect(trace.format).toBe('alibaba-container');
    // 50 % of 4 cores; 50 % of 1.5625 % of 512 GiB = 4096 MiB; 1 % of 1.25 GB/s; 2 % of 1 GB/s.
    expect(series(trace, 'c_1', CPU)).toEqual([2]);
    expect(series(trace, 'c_1', MEMORY)).toEqual([4096]);
    expect(series(trace, 'c_1', NETWORK)).toEqual([12.5e6]);
    expect(series(trace, 'c_1', DISK_IO)).toEqual([20e6]);
    expect(trace.vms[0]).toMatchObject({ applicationId: 'app_5052', userId: 'unknown' });
    expect([...trace.vms[0]!.size]).toEqual([4, 8192, Number.NaN, Number.NaN]);
    // c_2 is not in the table.
    expect(series(trace, 'c_2', CPU)).toEqual([Math.fround(0.4)]);
    expect(trace.vms[1]!.applicationId).toBe('c_2');
    expect(trace.report.notes!.join('\n')).toMatch(/1 container is not in container_meta\.csv/);
    expect(trace.report.invalid).toBe(3);
  });

  test('both tables in one folder: which one is a question for the user', async () => {
    const files = { 'container_usage.csv': usage.join('\n'), 'machine_usage.csv': 'm_1,0,1,1,,,1,1,1' };
    expect((await failure(load(files))).code).toBe('TRACE_UNKNOWN_FORMAT');
    expect((await load(files, { format: 'alibaba-machine' })).vms).toHaveLength(1);
    expect((await load(files, { format: 'alibaba-container' })).vms).toHaveLength(2);
  });
});
