import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import yargs from 'yargs';
import { ForesizeError } from '../../../core/errors.ts';
import { traceCommands } from '../../../sim/commands/trace.ts';
import { loadTrace } from '../../../sim/trace/load.ts';
import { folderOf } from '../trace/temp.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Runs `trace ...` as the command line does; what goes to stdout and stderr. */
async function run(...args: string[]): Promise<{ out: string; err: string }> {
  const texts = { out: '', err: '' };
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    texts.out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    texts.err += String(text);
    return true;
  });
  try {
    await yargs(args)
      .command(traceCommands)
      .demandCommand(1)
      .strict()
      .exitProcess(false)
      .fail((message, error) => {
        throw error ?? new Error(message);
      })
      .parseAsync();
  } finally {
    vi.restoreAllMocks();
  }
  return texts;
}

const day = () => folderOf({ '20110303/a_edu_x_y': '24\n34\n', '20110303/b_edu_x_y': '50\n\n90\n' });

describe('trace inspect', () => {
  test('says in aligned figures with units what there is and what was wrong', async () => {
    const { out, err } = await run('inspect', join(day(), '20110303'));
    expect(err).toBe('');
    expect(out).toContain('trace      20110303 (planetlab)');
    expect(out).toContain('2011-03-03 00:00 to 2011-03-03 00:15 UTC: 15 min, 3 intervals of 5 min');
    expect(out).toContain('2 VMs, 1 application, 1 user');
    expect(out).toContain('2 files, 4 rows');
    // 24, 34, 50 and 90: mean 49.5; deviations -25.5, -15.5, 0.5, 40.5, so sqrt(2531 / 4) = 25.15.
    expect(out).toMatch(/% of size\s+49\.50\s+25\.15\s+24\.00\s+42\.00\s+84\.00\s+90\.00/);
    // Fleet means 0.37, 0.34 and 0.9 cores.
    expect(out).toMatch(/cpu +cores +0\.4950 +0\.2515 .* 2 VMs: 2 cores +▁▁█\n/);
    expect(out).toMatch(/gaps +1 /);
    expect(out).toMatch(/invalid +1 /);
    expect(out).toMatch(/b_edu_x_y:2: the line is blank/);
    expect(out).toContain('note: cpu: full use assumed to be 1 core for 2 VMs');
    for (const line of out.split('\n')) expect(line).toBe(line.trimEnd());
  });

  test('--json gives the same as data', async () => {
    const { out } = await run('inspect', join(day(), '20110303'), '--json', '--limit', '1', '--step', '600');
    const summary = JSON.parse(out);
    expect(summary).toMatchObject({ format: 'planetlab', vms: 1, stepMs: 600_000, intervals: 1 });
    expect(summary.resources[0].percentOfSize.mean).toBeCloseTo(29, 5);
    expect(summary.vmList).toEqual([
      {
        vmId: 'a_edu_x_y',
        applicationId: 'x_y',
        userId: 'x',
        size: { cpu: 1, memory: null, diskIo: null, network: null },
        start: 0,
        intervals: 1,
      },
    ]);
  });

  test('sizes can be assumed', async () => {
    const { out } = await run('inspect', join(day(), '20110303'), '--assume', 'cores=8', '--vm', 'a_edu_x_y');
    expect(out).toContain('1 VM: 8 cores');
    const wrong = run('inspect', join(day(), '20110303'), '--assume', 'cpus=8');
    await expect(wrong).rejects.toBeInstanceOf(ForesizeError);
  });

  test('a problem is thrown for the command line to print', async () => {
    const error = await run('inspect', folderOf({})).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(ForesizeError);
    expect((error as ForesizeError).exitCode).toBe(2);
  });
});

describe('trace convert', () => {
  test('writes what inspect reads', async () => {
    const to = join(folderOf({}), 'out.csv.gz');
    const { out } = await run('convert', join(day(), '20110303'), '--to', to, '--until', '2');
    expect(out).toMatch(/out\.csv\.gz: 3 rows of 2 VMs, \d+ bytes\n/);
    expect(existsSync(to)).toBe(true);
    const back = await loadTrace({ path: to });
    expect(back.vms.map((vm) => vm.usage.length / 4)).toEqual([2, 1]);
    const json = JSON.parse((await run('inspect', to, '--json')).out);
    expect(json.vms).toBe(2);
  });

  test('needs to be told where to', async () => {
    await expect(run('convert', day())).rejects.toThrow(/to/);
  });
});
