import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { executeScenario } from '../../../sim/execute.ts';
import { loadScenario } from '../../../sim/scenario.ts';
import { writeDvc } from '../../../sim/tracking/dvc.ts';
import { logToMlflow } from '../../../sim/tracking/mlflow.ts';
import { trackedRuns } from '../../../sim/tracking/runs.ts';
import { bench, problemOf } from '../sweep/fixture.ts';
import { smallSweep } from './fixture.ts';

const here = bench();
afterAll(here.remove);
let sweep: string;
beforeAll(async () => {
  sweep = await smallSweep(here);
}, 60_000);

describe('runs to track', () => {
  it('of a sweep have their axes, and none that is nothing to them', () => {
    const { name, runs } = trackedRuns(sweep);
    expect(name).toBe('Sweep');
    expect(runs.map(({ parameters }) => parameters)).toEqual([
      { 'policies.threshold.up': '1.1', policy: 'threshold', seed: '1' },
      { policy: 'static', seed: '1' },
      { 'policies.threshold.up': '1.3', policy: 'threshold', seed: '1' },
    ]);
    for (const { metrics, tags, startMs, endMs } of runs) {
      expect(metrics['cost_per_vm_day']).toBeGreaterThan(0);
      expect(tags['foresize.id']).toMatch(/^[0-9a-f]{16}$/);
      expect(endMs).toBeGreaterThan(startMs);
    }
  });

  it('of run folders have their policy, field by field', async () => {
    const loaded = loadScenario(here.path('small.yaml'), ['policies.threshold.up=1.25']);
    const { folder, result } = await executeScenario(loaded, 'threshold', here.path('runs'));
    for (const path of [folder, here.path('runs')]) {
      const { name, runs } = trackedRuns(path);
      expect(name).toBe('Small');
      expect(runs).toHaveLength(1);
      expect(runs[0]!.id).toBe(result.id);
      expect(runs[0]!.parameters).toMatchObject({
        policy: 'threshold',
        duration: '1d',
        'policies.threshold.kind': 'threshold',
        'policies.threshold.up': '1.25',
        'policies.threshold.forecast.model': 'last-value',
      });
      expect(runs[0]!.metrics['cost_total']).toBe(result.fleet.cost.total);
    }
    mkdirSync(here.path('empty'));
    expect((await problemOf(() => trackedRuns(here.path('empty')))).code).toBe('TRACKING_NO_RUNS');
    expect((await problemOf(() => trackedRuns(here.path('nowhere')))).code).toBe('TRACKING_NO_RUNS');
  });
});

describe('DVC files', () => {
  it('say what `dvc add` would', () => {
    const { runs } = trackedRuns(sweep);
    const files = writeDvc(sweep, runs);
    expect(files).toEqual([
      'metrics.json',
      'params.yaml',
      'dvc.yaml',
      'runs.parquet.dvc',
      'groups.parquet.dvc',
      'vm_days.parquet.dvc',
    ]);
    const bytes = readFileSync(join(sweep, 'runs.parquet'));
    expect(parse(readFileSync(join(sweep, 'runs.parquet.dvc'), 'utf8'))).toEqual({
      outs: [
        {
          md5: createHash('md5').update(bytes).digest('hex'),
          size: bytes.length,
          hash: 'md5',
          path: 'runs.parquet',
        },
      ],
    });
    expect(parse(readFileSync(join(sweep, 'params.yaml'), 'utf8'))).toEqual({
      'policies.threshold.up': [1.1, 1.3],
      policy: ['threshold', 'static'],
      seed: 1,
    });
    const metrics = JSON.parse(readFileSync(join(sweep, 'metrics.json'), 'utf8'));
    expect(metrics[runs[0]!.id].cost_total).toBe(runs[0]!.metrics['cost_total']);
  });

  it('sum up many runs by policy', () => {
    const { runs } = trackedRuns(sweep);
    const many = Array.from({ length: 60 }, (_, i) => ({
      ...runs[0]!,
      id: `run ${i}`,
      parameters: { policy: i < 20 ? 'a' : 'b' },
      metrics: { cost: i },
    }));
    writeDvc(sweep, many);
    // Means of 0 .. 19 and of 20 .. 59.
    expect(JSON.parse(readFileSync(join(sweep, 'metrics.json'), 'utf8'))).toEqual({
      a: { runs: 20, cost: 9.5 },
      b: { runs: 40, cost: 39.5 },
    });
  });
});

describe('an MLflow server that is not there, or refuses', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = createServer((_, response) => response.writeHead(403).end('no'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it('is a coded error', async () => {
    const { runs } = trackedRuns(sweep);
    const log = (to: string) => problemOf(() => logToMlflow(runs, { url: to, experiment: 'x' }));
    expect(await log('http://127.0.0.1:1')).toMatchObject({
      code: 'TRACKING_MLFLOW_UNREACHABLE',
      exitCode: 1,
    });
    expect(await log(url)).toMatchObject({ code: 'TRACKING_MLFLOW_REFUSED', exitCode: 1 });
  });
});
