import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import yargs from 'yargs';
import { R } from '../../../core/model.ts';
import { generateCommand } from '../../../sim/commands/generate.ts';
import { loadTrace } from '../../../sim/trace/load.ts';
import { openWorkload } from '../../../sim/workload/open.ts';
import { workloadSchema } from '../../../sim/workload/schema.ts';
import type { Workload } from '../../../sim/workload/types.ts';
import { mean, record } from './streams.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'foresize-workload-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function open(section: object, intervals?: number, tracesDir?: string): Promise<Workload> {
  return openWorkload(workloadSchema.parse(section), {
    seed: 1,
    stepMs: 300_000,
    intervals,
    baseDir: folder,
    loadTrace,
    tracesDir: tracesDir ?? folder,
  });
}

const run = (...args: string[]) =>
  yargs(args)
    .command([generateCommand as never])
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new Error(message);
    })
    .parseAsync();

const SCENARIO = `
seed: 4
tick: 5m
duration: 6h
workload:
  source: generated
  applications:
    - { id: shop, archetype: web, users: 2, vmsPerUser: 2 }
  arrivals: { pattern: poisson, perDay: 200, lifetime: 3h }
`;

describe('foresize trace generate', () => {
  it('writes what replays as the workload it came from', async () => {
    const scenario = join(folder, 's.yaml');
    writeFileSync(scenario, SCENARIO);
    for (const name of ['made.csv', 'made.csv.gz']) {
      await run('generate', scenario, '--out', join(folder, name), '--quiet');
      const made = record(
        await openWorkload(workloadSchema.parse((await import('yaml')).parse(SCENARIO).workload), {
          seed: 4,
          stepMs: 300_000,
          intervals: 72,
          baseDir: folder,
          loadTrace,
        }),
      );
      const replayed = record(await open({ source: 'trace', path: `traces:${name}` }));
      expect(replayed).toHaveLength(made.length);
      for (const { arrival, at, demand } of replayed) {
        const original = made.find((vm) => vm.arrival.spec.vmId === arrival.spec.vmId)!;
        expect([at, arrival.until]).toEqual([original.at, original.arrival.until]);
        expect(arrival.spec.requested).toEqual(original.arrival.spec.requested);
        demand.forEach((x, i) => {
          // Written to 4, 1, 0 and 0 digits after the point.
          expect(Math.abs(x - original.demand[i]!)).toBeLessThanOrEqual(
            [6e-5, 0.06, 1, 1][i % R]! + x * 1e-6,
          );
        });
      }
    }
  });

  it('takes seed, duration and tick from the command line', async () => {
    const lines = async (...args: string[]) => {
      await run('generate', '--users', '1', '--vms', '1', '--out', join(folder, 'x.csv'), '--quiet', ...args);
      return readFileSync(join(folder, 'x.csv'), 'utf8').trim().split('\n');
    };
    const one = await lines('--duration', '2h', '--tick', '10m');
    expect(one).toHaveLength(13);
    expect(one[0]).toBe(
      'timestamp,application_id,user_id,vm_id,cpu,memory,disk_io,network,cpu_capacity,memory_capacity,disk_io_capacity,network_capacity',
    );
    expect(one[2]).toMatch(/^1704067800000,web,u1,web-u1-1,\d\.\d{4},\d+\.\d,\d+,\d+,[24],\d+,\d+,\d+$/);
    expect(await lines('--duration', '2h', '--tick', '10m')).toEqual(one);
    expect((await lines('--duration', '2h', '--tick', '10m', '--seed', '2'))[1]).not.toEqual(one[1]);
  });

  it('says what is wrong', async () => {
    await expect(run('generate', join(folder, 'none.yaml'))).rejects.toThrow(/SCENARIO_UNREADABLE/);
    await expect(run('generate', '--out', join(folder, 'x.txt'))).rejects.toThrow(/GENERATE_BAD_TARGET/);
    await expect(run('generate', '--duration', '7')).rejects.toThrow(/DURATION_INVALID/);
    writeFileSync(join(folder, 'bad.yaml'), SCENARIO.replace('archetype', 'archtype'));
    await expect(run('generate', join(folder, 'bad.yaml'))).rejects.toThrow(
      /SCENARIO_INVALID_UNKNOWN_KEY: 'archtype'.*\(.*bad.yaml: workload.applications.0.archtype\)/,
    );
  });
});

describe('opening a workload', () => {
  it('a generator must be told when to end', async () => {
    await expect(open({ source: 'generated', applications: [{ id: 'a' }] })).rejects.toThrow(
      /WORKLOAD_NO_DURATION/,
    );
  });

  it('traces: leads to the folder of traces, and nowhere without one', async () => {
    await expect(open({ source: 'trace', path: 'traces:x' }, 1, '')).rejects.toThrow(
      /WORKLOAD_NO_TRACES_FOLDER/,
    );
    await expect(open({ source: 'trace', path: 'none.csv' })).rejects.toThrow(join(folder, 'none.csv'));
  });

  it('begins where it is told, and refuses a trace that is too short', async () => {
    const rows = Array.from({ length: 10 }, (_, t) => `${t * 300_000},v,${t},`).join('\n');
    writeFileSync(join(folder, 't.csv'), `timestamp,vm_id,cpu,memory\n${rows}\n`);
    const cpu = async (section: object, intervals?: number) =>
      record(await open({ source: 'trace', path: 't.csv', ...section }, intervals))[0]!.demand.filter(
        (_, i) => i % R === 0,
      );
    expect(await cpu({})).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await cpu({ from: '10m' }, 3)).toEqual([2, 3, 4]);
    expect(await cpu({ from: '35m', scale: 2 })).toEqual([14, 16, 18]);
    await expect(cpu({ from: '35m' }, 4)).rejects.toThrow(/TRACE_TOO_SHORT/);
    const { requested } = (await open({ source: 'trace', path: 't.csv', requested: { cpu: 3 } }))
      .open()
      .arrivals(0)[0]!.spec;
    expect(requested).toEqual([3, 0, 0, 0]);
  });
});

describe('recorded arrivals', () => {
  const write = (flavours: string, lifetimes: string) => {
    writeFileSync(join(folder, 'v1.dev.txt.gz'), gzipSync(flavours));
    writeFileSync(join(folder, 'v1.dev.c2100000.txt.gz'), gzipSync(lifetimes));
    writeFileSync(join(folder, 'flav_map.txt'), '1,1.75 a\n2,3.5 b\n');
    writeFileSync(join(folder, 'v1.interval_map.txt'), '0 0\n300 1\n600 2\n900 3\n1200 3\n1500 3\n');
  };
  const section = (more: object = {}) => ({
    source: 'azure-arrivals',
    path: '.',
    share: 1,
    applications: [{ id: 'app', vmsPerUser: 0 }],
    ...more,
  });

  it('replay batches, sizes and lifetimes', async () => {
    write('600 a,a,|,b,|\n900 b,|\n1200 a,|\n1500 \n', 'x');
    write('600 a,a,|,b,|\n900 b,|\n1200 a,|\n1500 a\n', '600 U2,U2,|,C3,|\n900 U1,|\n1200 U3,|\n1500 C0\n');
    const workload = await open(section());
    expect(workload.intervals).toBe(4);
    const vms = record(workload);
    expect(vms.map((vm) => [vm.at, vm.arrival.spec.requested.slice(0, 2), vm.arrival.until])).toEqual([
      [0, [1, 1792], 2], // class 2 is 300 to 600 s: gone by tick 2
      [0, [1, 1792], 2],
      [0, [2, 3584], Number.POSITIVE_INFINITY],
      [1, [2, 3584], 2],
      [2, [1, 1792], Number.POSITIVE_INFINITY], // class 3 is 600 to 1500 s, past the end
      [3, [1, 1792], Number.POSITIVE_INFINITY],
    ]);
  });

  it('refuse what does not match, and a run longer than they are', async () => {
    write('600 a,|\n', '600 U1,U1,|\n');
    await expect(open(section())).rejects.toThrow(/ARRIVALS_MALFORMED.*batch 1.*c2100000.txt.gz:1/);
    write('600 z,|\n', '600 U1,|\n');
    await expect(open(section())).rejects.toThrow(/ARRIVALS_MALFORMED.*unknown flavour "z"/);
    write('600 a,|\n', '900 U1,|\n');
    await expect(open(section())).rejects.toThrow(/ARRIVALS_MALFORMED.*second 900, not 600/);
    write('600 a,|\n', '600 U9,|\n');
    await expect(open(section())).rejects.toThrow(/ARRIVALS_MALFORMED.*unknown lifetime "U9"/);
    write('600 a,|\n', '600 U1,|\n');
    await expect(open(section(), 2)).rejects.toThrow(/ARRIVALS_TOO_SHORT/);
    await expect(open(section({ path: 'none' }))).rejects.toThrow(/ARRIVALS_UNREADABLE/);
  });

  it('replay a share of the batches', async () => {
    const line = (t: number, item: string) => `${t * 300} ${`${item},|,`.repeat(20)}`;
    const ticks = [...Array(50).keys()];
    write(ticks.map((t) => line(t, 'a')).join('\n'), ticks.map((t) => line(t, 'U1')).join('\n'));
    const stream = (await open(section({ share: 0.3 }))).open();
    const counts = ticks.map((t) => stream.arrivals(t).length);
    // 1000 batches of one VM, 30 %: 300 with an s.d. of 14.5
    expect(Math.abs(mean(counts) * 50 - 300)).toBeLessThan(60);
  });
});
