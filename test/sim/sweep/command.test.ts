import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { Foresize, foresize } from './cli.ts';
import { bench } from './fixture.ts';

const here = bench();
afterAll(here.remove);

describe('foresize sweep', () => {
  it('counts and estimates without running', async () => {
    const spec = here.write({
      design: { kind: 'sobol', samples: 64 },
      axes: { 'policies.threshold.up': { from: 1.05, to: 1.5 } },
      cross: { seed: [1, 2], policy: ['threshold', 'vpa'] },
    });
    const { code, stdout } = await foresize(['sweep', spec, '--dry-run', '--json'], here.folder);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ points: 256, runs: 130, workloads: 2, sampled: 3 });
    expect(JSON.parse(stdout).totalSeconds).toBeGreaterThan(0);
    expect(existsSync(here.path('out'))).toBe(false);
    const text = await foresize(['sweep', spec, '--dry-run', '--shard', '1/10'], here.folder);
    expect(text.stdout).toMatch(/^Sweep: 256 points, 13 runs to do, 2 workloads\nabout .+ on \d+ threads/);
  });

  it('runs, and answers in three formats', async () => {
    const spec = here.write({ axes: { seed: [1, 2] } });
    const run = await foresize(['sweep', spec], here.folder);
    expect(run).toMatchObject({ code: 0, stdout: '2 of 2 runs are finished: out/sweep\n' });
    const ask = (...more: string[]) =>
      foresize(
        ['sweep', 'query', 'out/sweep', 'select seed, policy from runs order by seed', ...more],
        here.folder,
      );
    expect((await ask()).stdout).toBe('seed  policy\n----  ---------\n   1  threshold\n   2  threshold\n');
    expect((await ask('--csv')).stdout).toBe('seed,policy\n1,threshold\n2,threshold\n');
    expect(JSON.parse((await ask('--json')).stdout)).toEqual([
      { seed: 1, policy: 'threshold' },
      { seed: 2, policy: 'threshold' },
    ]);
  });

  it('is compared by `foresize compare FOLDER` too', async () => {
    const spec = here.write({ axes: { policy: ['threshold', 'vpa'] } });
    await foresize(['sweep', spec, '--out', 'two', '--quiet'], here.folder);
    const direct = await foresize(['compare', 'two', '--quiet'], here.folder);
    expect(direct).toMatchObject({ code: 0, stderr: '' });
    expect(direct.stdout).toContain('policy=vpa');
    expect(direct).toEqual(await foresize(['sweep', 'compare', 'two', '--quiet'], here.folder));
  });

  it('stops cleanly on Ctrl-C', async () => {
    const spec = here.write({ set: { duration: '90d' }, axes: { seed: { from: 1, to: 100, steps: 100 } } });
    const sweep = new Foresize(['sweep', spec, '--out', 'stopped'], { cwd: here.folder });
    const runs = () => (existsSync(here.path('stopped/runs')) ? readdirSync(here.path('stopped/runs')) : []);
    while (runs().length === 0) await sleep(20);
    sweep.kill('SIGINT');
    expect(await sweep.finished).toMatchObject({ code: 130, stderr: 'interrupted\n' });
    expect(runs().every((name) => name.endsWith('.json.gz'))).toBe(true);
    expect(existsSync(here.path('stopped/runs.parquet'))).toBe(true);
    expect(existsSync(here.path('stopped/lock'))).toBe(false);
  });

  it.each([
    [['no.yaml'], 2, /^SWEEP_UNREADABLE: /],
    [['sweep.yaml', '--queue', 'redis://127.0.0.1:1'], 1, /^QUEUE_UNREACHABLE: /],
    [['sweep.yaml', '--retry'], 2, /^USAGE: /],
    [['merge', 'nowhere'], 2, /^SWEEP_FOLDER_NONE: /],
  ])('%j is a coded error', async (args, code, message) => {
    here.write({ axes: {} });
    const end = await foresize(['sweep', ...args], here.folder);
    expect(end.code).toBe(code);
    expect(end.stderr).toMatch(message);
  });
});
