import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDvc } from '../../../sim/tracking/dvc.ts';
import { logToMlflow } from '../../../sim/tracking/mlflow.ts';
import { type TrackedRun, trackedRuns } from '../../../sim/tracking/runs.ts';
import { bench } from '../sweep/fixture.ts';
import { freePort } from '../sweep/servers.ts';
import { smallSweep } from './fixture.ts';

// `pip install mlflow dvc` puts both on the PATH.
const has = (command: string) => spawnSync(command, ['--version']).status === 0;
const mlflow = has('mlflow');
const dvc = has('dvc');

const here = bench();
afterAll(here.remove);
let sweep: string;
let runs: TrackedRun[];
beforeAll(async () => {
  if (!mlflow && !dvc) return;
  sweep = await smallSweep(here);
  runs = trackedRuns(sweep).runs;
}, 120_000);

describe.skipIf(!mlflow)(`MLflow${mlflow ? '' : ' (not on the PATH)'}`, () => {
  let server: ChildProcess;
  let url: string;
  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const store = ['--backend-store-uri', `sqlite:///${here.path('mlflow.db')}`];
    const args = ['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1', ...store];
    server = spawn('mlflow', args, { cwd: here.folder, stdio: 'ignore', detached: true });
    for (let tries = 0; tries < 300; tries++) {
      const answer = await fetch(`${url}/health`).catch(() => undefined);
      if (answer?.ok) return;
      await sleep(300);
    }
    throw new Error('MLflow does not start');
  }, 120_000);
  // The server's workers are of its process group.
  afterAll(() => {
    process.kill(-server.pid!, 'SIGKILL');
  });

  it('has every run once, finished, with params, metrics and tags', async () => {
    const options = { url, experiment: `small sweep ${Date.now()}` };
    expect(await logToMlflow(runs, options)).toEqual({ logged: 3, present: 0 });
    expect(await logToMlflow(runs, options)).toEqual({ logged: 0, present: 3 });
    const api = `${url}/api/2.0/mlflow`;
    const { experiment } = (await (
      await fetch(`${api}/experiments/get-by-name?experiment_name=${encodeURIComponent(options.experiment)}`)
    ).json()) as {
      experiment: { experiment_id: string };
    };
    const answer = await fetch(`${api}/runs/search`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ experiment_ids: [experiment.experiment_id], max_results: 100 }),
    });
    type Entry<T> = { key: string; value: T };
    const found = (
      (await answer.json()) as {
        runs: {
          info: { status: string; start_time: number; end_time: number };
          data: { params: Entry<string>[]; metrics: Entry<number>[]; tags: Entry<string>[] };
        }[];
      }
    ).runs;
    expect(found).toHaveLength(3);
    for (const run of runs) {
      const { info, data } = found.find(({ data: { tags } }) =>
        tags.some(({ key, value }) => key === 'foresize.id' && value === run.tags['foresize.id']),
      )!;
      expect(info).toMatchObject({ status: 'FINISHED', start_time: run.startMs, end_time: run.endMs });
      const object = <T>(entries: Entry<T>[]) =>
        Object.fromEntries(entries.map(({ key, value }) => [key, value]));
      expect(object(data.params)).toEqual(run.parameters);
      expect(object(data.metrics)).toEqual(run.metrics);
    }
  });
});

describe.skipIf(!dvc)(`DVC${dvc ? '' : ' (not on the PATH)'}`, () => {
  it('takes the files for its own', () => {
    writeDvc(sweep, runs);
    const run = (command: string, ...args: string[]) => {
      const { status, stdout, stderr } = spawnSync(command, args, { cwd: sweep, encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
      return stdout;
    };
    run('git', 'init', '-q');
    run('dvc', 'init', '-q', '-f');
    expect(run('dvc', 'metrics', 'show', '--json')).toContain(`"cost_per_vm_day"`);
    run('dvc', 'commit', '-f');
    expect(run('dvc', 'status')).toContain('up to date');
  });
});
