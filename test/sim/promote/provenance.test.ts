import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../core/errors.ts';
import { openExperiment } from '../../../sim/experiment.ts';
import { openCandidate } from '../../../sim/promote/finished-run.ts';
import { promote } from '../../../sim/promote/promote.ts';
import { provenanceOf } from '../../../sim/promote/provenance.ts';
import { loadScenario } from '../../../sim/scenario.ts';
import { SweepFolder } from '../../../sim/sweep/folder.ts';
import { Sweep } from '../../../sim/sweep/plan.ts';
import { runSweep } from '../../../sim/sweep/run-sweep.ts';
import { loadSweep } from '../../../sim/sweep/spec.ts';
import { longCsv } from '../../../sim/workload/long-csv.ts';
import { overlap, type WorkloadIdentity } from '../../../sim/workload-identity.ts';
import { problemOf } from '../sweep/fixture.ts';
import { GATES, inline, place } from './fixture.ts';

const here = place();
afterAll(here.remove);

const OPEN = {
  ...GATES,
  vmDays: 1,
  violationRate: { any: 1 },
  cost: 10,
  coverage: { below: 1, above: 1 },
  churn: 9e9,
};
const DAY_MS = 86_400_000;

const window = (from: string, duration: string) => [
  `workload={ source: trace, path: traces/week.csv, from: ${from} }`,
  `duration=${duration}`,
];

let run: string;
beforeAll(async () => {
  const { workload } = await openExperiment(loadScenario(here.path('promoted.yaml')));
  mkdirSync(here.path('traces'));
  writeFileSync(here.path('traces/week.csv'), [...longCsv(workload)].join(''));
  run = await here.run('ahead', window('2d', '2d'));
}, 60_000);

describe('a run of a trace', () => {
  it('is promoted from wherever the command is called, and names the window it has seen', async () => {
    const { passed, evidence } = await promote(run, here.gates(OPEN));
    expect(passed).toBe(true);
    expect(evidence.workload).toMatchObject({ source: 'trace', fromMs: 2 * DAY_MS, toMs: 4 * DAY_MS });
  });

  it('is held against the windows a sweep has seen of the same bytes, whatever their path', async () => {
    const sweepOf = async (name: string, from: string) => {
      const spec = {
        apiVersion: 'foresize/v1',
        name,
        scenario: 'promoted.yaml',
        set: {
          workload: { source: 'trace', path: './traces/../traces/week.csv', from },
          duration: '2d',
          policy: 'ahead',
        },
        axes: { 'policies.ahead.margin': [0, 0.1] },
      };
      writeFileSync(here.path(`${name}.yaml`), JSON.stringify(spec));
      const sweep = new Sweep(loadSweep(here.path(`${name}.yaml`)));
      await runSweep(sweep, await SweepFolder.take(here.path(name), sweep.plan, false), inline);
      const gates = here.gates({ ...OPEN, tuning: { records: [name] } });
      return (await promote(run, gates)).gates.find(({ gate }) => gate === 'tuning');
    };
    expect(await sweepOf('early', '0s')).toMatchObject({ pass: true, value: 0, note: 'early' });
    expect(await sweepOf('late', '1d')).toMatchObject({ pass: false, value: 1 });
    // A hash alone says nothing of windows: all of the trace counts as seen.
    const { evidence } = await promote(run, here.gates(OPEN));
    const stated = here.gates({ ...OPEN, tuning: { tunedOn: [evidence.workload.sha256], untuned: true } });
    expect((await promote(run, stated)).gates.find(({ gate }) => gate === 'tuning')?.pass).toBe(false);
  });

  it('is refused when the trace is another by now', async () => {
    appendFileSync(here.path('traces/week.csv'), '\n');
    const problem = await problemOf(() => promote(run, here.gates(OPEN)));
    expect([problem.code, problem.exitCode]).toEqual(['PROMOTE_TRACE_CHANGED', EXIT.refused]);
  });
});

it('no folder of records is no record', async () => {
  const { run: opened } = openCandidate(run);
  const gates = here.gates({ tuning: { records: ['nowhere'] } });
  const config = opened.scenario.policies['ahead']!;
  expect((await problemOf(() => provenanceOf(gates, config))).code).toBe('SWEEP_FOLDER_NONE');
  expect(join(here.folder, 'nowhere')).toBe((await problemOf(() => provenanceOf(gates, config))).where);
});

it('windows overlap when they share a moment of the same bytes', () => {
  const trace = (fromMs: number, toMs: number | null, sha256 = 'a'): WorkloadIdentity => ({
    source: 'trace',
    sha256,
    fromMs,
    toMs,
  });
  expect(overlap(trace(0, 10), trace(10, 20))).toBe(false);
  expect(overlap(trace(0, 11), trace(10, 20))).toBe(true);
  expect(overlap(trace(5, null), trace(0, 6))).toBe(true);
  expect(overlap(trace(5, null), trace(0, 5))).toBe(false);
  expect(overlap(trace(0, null), trace(0, null, 'b'))).toBe(false);
});
