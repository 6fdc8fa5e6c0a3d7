import { describe, expect, test } from 'vitest';
import { CPU, MEMORY } from '../../../../core/model.ts';
import { failure, load, series } from '../temp.ts';

// Ids as published: base64 of 64 characters for VMs and subscriptions, 88 for deployments, with / + and =.
const VM_A = 'x/XsOfHO4ocsV99i4NluqKDuxctW2MMVmwqOPAlg4wp8mqbBOe3wxBlQo0+Qx+uf';
const VM_B = 'H5CxmMoVcZSpjgGbohnVA3R+7uCTe/hM2ht2uIYi3t7KwXB4tkBxmZHBrt2A4x+n';
const VM_C = 'wR/G1YUjpMP4zUbxGM/XJNhYS8cAK3SGKM2tqhF7VdeTUYHGktQiKQNoDTtYvnAc';
const USER = 'VDU4C8cqdr+ORcqquwMRcsBA2l0SC6lCPys0wdghKROuxPYysA2XYii9Y5ZkaYaq';
const DEPLOYMENT = 'Pc2VLB8aDxK2DCC96itq4vW/zVDp4wioAUiB3HoGSFYQ0o6/ZCegTpb9vEH4LeMTEWVObHTPRYEY81TYivZCMQ==';

const readings = (rows: readonly (readonly [number, string, number, number, number])[]) =>
  rows.map((row) => row.join(',')).join('\r\n');
const table = (rows: readonly (readonly [string, string, string])[]) =>
  rows
    .map(
      ([vm, cores, memory]) =>
        `${vm},${USER},${DEPLOYMENT},0,2591700,99.36,3.42,10.19,Delay-insensitive,${cores},${memory}`,
    )
    .join('\r\n');

describe('azure', () => {
  const V1 = {
    'vm_cpu_readings/vm_cpu_readings-file-1-of-125.csv.gz': readings([
      [0, VM_A, 1, 40, 20],
      [0, VM_B, 0, 8, 4],
    ]),
    'vm_cpu_readings/vm_cpu_readings-file-2-of-125.csv.gz': readings([[300, VM_A, 2, 60, 30]]),
    'vm_cpu_readings/vm_cpu_readings-file-10-of-125.csv.gz': readings([[900, VM_A, 3, 80, 50]]),
    'vmtable/vmtable.csv.gz': table([
      [VM_A, '8', '56'],
      [VM_B, '1', '1.75'],
      [VM_C, '2', '3.5'],
    ]),
  };

  test('V1: % of the cores of vmtable, deployment and subscription as application and user', async () => {
    const trace = await load(V1);
    expect(trace.format).toBe('azure');
    expect(trace.vms.map((vm) => vm.vmId)).toEqual([VM_B, VM_A]);
    // 20 % of 8 cores = 1.6, 30 % = 2.4, nothing at 600 s, 50 % = 4.
    expect(series(trace, VM_A, CPU)).toEqual([1.6, 2.4, Number.NaN, 4].map(Math.fround));
    expect(series(trace, VM_B, CPU)).toEqual([Math.fround(0.04)]);
    const [b, a] = trace.vms;
    expect(a).toMatchObject({ userId: USER, applicationId: DEPLOYMENT, start: 0 });
    expect([a!.size[CPU], a!.size[MEMORY]]).toEqual([8, 56 * 1024]);
    expect([b!.size[CPU], b!.size[MEMORY]]).toEqual([1, 1.75 * 1024]);
    // File 10 is read after file 2, so nothing is out of order.
    expect(trace.report).toMatchObject({ files: 4, rows: 4, outOfOrder: 0, gaps: 1, notes: [] });
  });

  test('the maxima, a limit and chosen VMs', async () => {
    expect(series(await load(V1, { statistic: 'max' }), VM_A, CPU)[0]).toBe(Math.fround(3.2));
    // In sorted order VM_B comes first, although VM_A is read first.
    expect((await load(V1, { limit: 1 })).vms.map((vm) => vm.vmId)).toEqual([VM_B]);
    expect((await load(V1, { vms: [VM_A] })).vms.map((vm) => vm.vmId)).toEqual([VM_A]);
    expect((await failure(load(V1, { vms: [VM_C] }))).code).toBe('TRACE_NO_SUCH_VM');
  });

  test('V2: buckets of sizes, open ones as Microsoft reads them', async () => {
    const trace = await load({
      'vm_cpu_readings-file-1-of-195.csv.gz': readings([
        [0, VM_A, 1, 2, 10],
        [0, VM_B, 1, 2, 50],
        [0, VM_C, 1, 2, 50],
      ]),
      'vmtable.csv.gz': table([
        [VM_A, '>24', '>64'],
        [VM_B, '4', '32'],
      ]),
    });
    expect(series(trace, VM_A, CPU)).toEqual([3]);
    expect(series(trace, VM_B, CPU)).toEqual([2]);
    const sizes = Object.fromEntries(trace.vms.map((vm) => [vm.vmId, vm.size.slice(0, 2)]));
    expect(sizes).toEqual({ [VM_A]: [30, 70 * 1024], [VM_B]: [4, 32 * 1024], [VM_C]: [1, Number.NaN] });
    expect(trace.report.notes).toEqual([
      'sizes ">24" cores read as 30 and ">64" GiB as 70; VMs of such a size: 1',
      'cpu: full use assumed to be 1 core for 1 VM, whose size the trace does not state',
    ]);
  });

  test('one file of readings finds the table beside it, and does without', async () => {
    const file = 'vm_cpu_readings/vm_cpu_readings-file-1-of-125.csv.gz';
    expect((await load(V1, { file })).vms[1]!.size[CPU]).toBe(8);
    const alone = await load({ 'vm_cpu_readings.csv': readings([[0, VM_A, 1, 2, 10]]) });
    expect(alone.report.notes![0]).toMatch(/vmtable.csv.gz is missing/);
  });

  test('a VM of 0 cores is an error at its line of vmtable', async () => {
    const error = await failure(
      load({
        ...V1,
        'vmtable/vmtable.csv.gz': table([
          [VM_B, '1', '2'],
          [VM_A, '0', '2'],
        ]),
      }),
    );
    expect(error.code).toBe('TRACE_ZERO_CORES');
    expect(error.message).toMatch(/vmtable\.csv\.gz:2/);
  });
});

describe('azure-wide', () => {
  const avg = 't,1633748,223811,7\n1,44.5,5.5,\n2,47.5,5.75,10\n3,40,,20\n';

  test('column t counts samples of 300 s; an empty field is no VM', async () => {
    const trace = await load({ 'avg.csv.gz': avg });
    expect(trace.format).toBe('azure-wide');
    expect(trace.epochMs).toBe(300_000);
    expect(trace.vms.map((vm) => [vm.vmId, vm.start])).toEqual([
      ['1633748', 0],
      ['223811', 0],
      ['7', 1],
    ]);
    expect(series(trace, '1633748', CPU)).toEqual([0.445, 0.475, 0.4].map(Math.fround));
    expect(series(trace, '223811', CPU)).toEqual([0.055, 0.0575].map(Math.fround));
    expect(series(trace, '7', CPU)).toEqual([0.1, 0.2].map(Math.fround));
    expect(trace.report).toMatchObject({ rows: 3, gaps: 0, invalid: 0 });
  });

  test('the maxima lie beside the averages', async () => {
    const files = { 'avg.csv.gz': avg, 'max.csv.gz': 't,7\n1,90\n' };
    expect(series(await load(files, { statistic: 'max' }), '7', CPU)).toEqual([Math.fround(0.9)]);
    const byFile = await load(files, { statistic: 'max', file: 'avg.csv.gz' });
    expect(series(byFile, '7', CPU)).toEqual([Math.fround(0.9)]);
    expect((await failure(load({ 'avg.csv': avg }, { statistic: 'max' }))).code).toBe('TRACE_MISSING_FILE');
  });

  test('a limit takes the first columns in sorted order', async () => {
    expect((await load({ 'avg.csv': avg }, { limit: 2 })).vms.map((vm) => vm.vmId)).toEqual([
      '1633748',
      '223811',
    ]);
  });

  test('a column twice, semicolons, a short row', async () => {
    expect((await failure(load({ 'avg.csv': 't,a,a\n1,2,3\n' }))).code).toBe('TRACE_BAD_HEADER');
    expect((await failure(load({ 'avg.csv': 't;a;b\n1;2;3\n' }))).code).toBe('TRACE_BAD_SEPARATOR');
    expect((await failure(load({ 'avg.csv': 't,a,b\n1,2\n' }))).code).toBe('TRACE_BAD_ROW');
  });
});
