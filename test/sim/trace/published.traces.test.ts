import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { CPU, DISK_IO, MEMORY, NETWORK, R } from '../../../core/model.ts';
import { writeTrace } from '../../../sim/trace/convert.ts';
import { withDuckDb } from '../../../sim/trace/duckdb.ts';
import { sliceOf } from '../../../sim/trace/formats/planetlab-names.ts';
import { summarize } from '../../../sim/trace/inspect.ts';
import { intervalsOf, loadTrace } from '../../../sim/trace/load.ts';
import { tracesDir } from '../../support.ts';
import { failure, folderOf, series } from './temp.ts';

const root = tracesDir();
if (!root) console.warn('published traces: skipped, set FORESIZE_TRACES to their folder');
const at = (...path: string[]) => join(root!, ...path);

describe.skipIf(!root)('published traces', () => {
  // CCPE 2012, Table II. Its standard deviation is over all samples of all VMs pooled: the mean of each VM's own
  // is 6.68 %, that of the VMs' means 14.80 %.
  test.each([
    ['20110303', 1052, '12.31', '17.09'],
    ['20110306', 898, '11.44', '16.83'],
    ['20110309', 1061, '10.70', '15.57'],
  ])(
    'planetlab %s: %d VMs, mean %s and standard deviation %s in per cent',
    async (day, vms, mean, deviation) => {
      const trace = await loadTrace({ path: at('planetlab', day) });
      const summary = summarize(trace);
      expect(summary).toMatchObject({ format: 'planetlab', vms, intervals: 288, coverage: 1 });
      expect(summary.from).toBe(`2011-03-${day.slice(6)}T00:00:00.000Z`);
      const share = summary.resources[0]!.percentOfSize!;
      expect(share.mean.toFixed(2)).toBe(mean);
      expect(share.standardDeviation.toFixed(2)).toBe(deviation);
      expect(trace.report).toMatchObject({
        files: vms,
        rows: vms * 288,
        invalid: 0,
        duplicates: 0,
        outOfOrder: 0,
      });
    },
  );

  test('planetlab: every name has a slice, and the hosts left over look like hosts', () => {
    const hosts = new Set<string>();
    for (const day of readdirSync(at('planetlab'))) {
      const names = readdirSync(at('planetlab', day));
      const slice = sliceOf(names);
      for (const name of names) {
        expect(slice(name), name).toMatch(/^(root|drl|[a-z]+_[A-Za-z0-9_]+)$/);
        hosts.add(name.slice(0, name.length - slice(name)!.length).replace(/_ ?$/, ''));
      }
    }
    for (const host of hosts) expect(host).toMatch(/_(edu|com|net|org|[a-z]{2})$/);
  });

  test('planetlab: one VM against its file', async () => {
    const name = '146-179_surfsnel_dsl_internl_net_colostate_557';
    const trace = await loadTrace({ path: at('planetlab', '20110303'), vms: [name] });
    const lines = readFileSync(at('planetlab', '20110303', name), 'utf8')
      .trim()
      .split('\n');
    expect(series(trace, name, CPU)).toEqual(lines.map((line) => Math.fround(Number(line) / 100)));
    expect(trace.vms[0]).toMatchObject({ applicationId: 'colostate_557', userId: 'colostate' });
  });

  test('bitbrains: 40 VMs for a month, one against its file', async () => {
    const trace = await loadTrace({ path: at('bitbrains-rnd') });
    expect(trace.vms).toHaveLength(40);
    expect(intervalsOf(trace)).toBe(8640);
    // All 25,558 are rows of VM 20 with 0 cores.
    expect(trace.report).toMatchObject({ files: 40, rows: 361_969, invalid: 25_558, gaps: 664 });
    expect(trace.vms.find((vm) => vm.vmId === '20')!.usage.length / R).toBe(115);
    expect(summarize(trace).resources[CPU]!.percentOfSize!.max).toBeCloseTo(107.33, 2);

    const rows = gunzipSync(readFileSync(at('bitbrains-rnd', '33.csv.gz')))
      .toString()
      .trim()
      .split('\n')
      .slice(1);
    const first = Math.floor(trace.epochMs / 300_000);
    const vm = trace.vms.find((candidate) => candidate.vmId === '33')!;
    for (const line of rows) {
      const [t, cores, mhz, used, , , memory, read, write, received, sent] = line.split(';\t').map(Number);
      const k = (Math.floor(t! / 300) - first - vm.start) * R;
      expect(vm.usage[k + CPU]).toBe(Math.fround(Math.fround((used! / mhz!) * cores!)));
      expect(vm.usage[k + MEMORY]).toBe(Math.fround(memory! / 1024));
      expect(vm.usage[k + DISK_IO]).toBe(Math.fround((read! + write!) * 1024));
      expect(vm.usage[k + NETWORK]).toBe(Math.fround((received! + sent!) * 1024));
    }
  });

  test('azure: the wide table, averages below maxima', async () => {
    const avg = await loadTrace({ path: at('azure-v1') });
    const max = await loadTrace({ path: at('azure-v1'), statistic: 'max' });
    expect(avg.vms).toHaveLength(60);
    expect(intervalsOf(avg)).toBe(8004);
    expect(max.vms.map((vm) => vm.vmId)).toEqual(avg.vms.map((vm) => vm.vmId));
    // Both are rounded to six digits in the published table.
    let above = 0;
    avg.vms.forEach((vm, i) => {
      const top = max.vms[i]!.usage;
      for (let k = 0; k < 8004; k++) if (!(vm.usage[k * R]! <= top[k * R]! + 1e-5)) above++;
    });
    expect(above).toBe(0);
    expect(series(avg, '1633748', CPU)[0]).toBe(Math.fround(0.444591));
  });

  test('azure: files as downloaded', async () => {
    const trace = await loadTrace({ path: at('azure-native') });
    expect(trace).toMatchObject({ format: 'azure', epochMs: 0 });
    expect(trace.vms).toHaveLength(100);
    const id = '+ZcrOp5/c/fJ6mVgP5qMZlOAGDwyjaaDNM0WoWOt2IDb47gT0UwK9lFwkPQv3C7Q';
    expect(series(trace, id, CPU)[0]).toBeCloseTo(0.0286979, 7);
    expect(trace.report).toMatchObject({ files: 2, rows: 100 });
  });

  test('google 2011: 400 pseudo-VMs of a day', async () => {
    const trace = await loadTrace({ path: at('google2011-vms') });
    expect(trace.vms).toHaveLength(400);
    expect(trace.has).toEqual([true, true, false, false]);
    expect(trace.report).toMatchObject({ rows: 115_200, gaps: 0 });
    expect(summarize(trace).resources[1]!.percentOfSize!.max).toBeCloseTo(127.6335, 3);
  });

  test('alibaba 2018: 16 machines, markers counted', async () => {
    const trace = await loadTrace({ path: at('alibaba2018') });
    expect(trace.format).toBe('alibaba-machine');
    expect(trace.vms).toHaveLength(16);
    expect(trace.vms.every((vm) => vm.size[CPU] === 96)).toBe(true);
    // Six times -1 and ten times 101, all of disk_io_percent.
    expect(trace.report).toMatchObject({ rows: 100_002, invalid: 16, outOfOrder: 0, duplicates: 0 });
    expect(summarize(trace).resources).toHaveLength(4);
  });

  test('vasim: two series', async () => {
    const trace = await loadTrace({ path: at('vasim-alibaba'), stepMs: 60_000 });
    expect(trace.vms.map((vm) => [vm.vmId, vm.usage.length / R])).toEqual([
      ['c_12104', 11_472],
      ['c_29247', 11_508],
    ]);
    expect(series(trace, 'c_12104', CPU).slice(0, 3)).toEqual([7.2, 7.04, 6.88].map(Math.fround));
    expect(trace.report.gaps).toBe(0);
  });

  test('opendc: what the fragments add up to is in the trace', async () => {
    const folder = at('opendc', 'bitbrains-small');
    const trace = await loadTrace({ path: folder });
    expect(trace.vms).toHaveLength(50);
    expect(trace.report).toMatchObject({ rows: 276_979, gaps: 0 });
    // One 5-minute step at a time, cores x seconds of a VM are MHz x seconds of its fragments / MHz of a core.
    const sums = await withDuckDb(async (connection) => {
      const result = await connection.runAndReadAll(
        `SELECT CAST(t.id AS VARCHAR), sum(f.duration * f.cpu_usage) / any_value(cpu_capacity / cpu_count),
           any_value(submission_time) % 300000, sum(f.duration) % 300000
         FROM '${folder}/tasks.parquet' t JOIN '${folder}/fragments.parquet' f ON t.id = f.id GROUP BY t.id`,
      );
      return result.getRows();
    });
    let compared = 0;
    for (const [id, coreMs] of sums as [string, number][]) {
      const values = series(trace, id, CPU);
      // The first and the last interval are covered in part: leave them out of both sides' comparison by a bound.
      const sum = values.reduce((total, value) => total + value * 300_000, 0);
      const ends = (values[0]! + values.at(-1)!) * 300_000;
      expect(Math.abs(sum - coreMs)).toBeLessThanOrEqual(ends + 1e-5 * coreMs);
      compared++;
    }
    expect(compared).toBe(50);

    const single = await loadTrace({ path: at('opendc', 'single_task') });
    expect(series(single, '0', CPU)).toEqual(Array(10).fill(1));
  });

  test('a trace converted and read again is the same, to the bit', async () => {
    for (const [path, name] of [
      [at('planetlab', '20110306'), 'out.csv.gz'],
      [at('alibaba2018'), 'out.parquet'],
    ] as const) {
      const trace = await loadTrace({ path });
      const to = join(folderOf({}), name);
      await writeTrace(trace, to, path);
      const back = await loadTrace({ path: to });
      expect(back.vms.length).toBe(trace.vms.length);
      expect(back).toMatchObject({ epochMs: trace.epochMs, stepMs: trace.stepMs, has: trace.has });
      trace.vms.forEach((vm, i) => {
        expect(Buffer.from(back.vms[i]!.usage.buffer).equals(Buffer.from(vm.usage.buffer))).toBe(true);
        expect({ ...back.vms[i], usage: 0 }).toEqual({ ...vm, usage: 0 });
      });
    }
  });

  test('folders that are no trace', async () => {
    expect((await failure(loadTrace({ path: at('planetlab') }))).code).toBe('TRACE_EMPTY_FOLDER');
    expect((await failure(loadTrace({ path: at('cloudsim-oracle') }))).code).toBe('TRACE_UNKNOWN_FORMAT');
  });
});
