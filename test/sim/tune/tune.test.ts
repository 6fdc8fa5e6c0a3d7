import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { localEngine } from '../../../sim/sweep/local-engine.ts';
import { RecordStore } from '../../../sim/sweep/record-store.ts';
import { loadTune } from '../../../sim/tune/spec.ts';
import { tuneText } from '../../../sim/tune/text.ts';
import { type TuneResult, tune } from '../../../sim/tune/tune.ts';
import { foresize } from '../sweep/cli.ts';
import { bench, problemOf, SMALL } from '../sweep/fixture.ts';

const here = bench({ ...SMALL, duration: '2d' });
afterAll(here.remove);

const SPEC = {
  train: [{ seed: 1 }, { seed: 2 }, { seed: 3 }],
  holdout: [{ seed: 11 }, { seed: 12 }],
  references: ['oracle'],
  policies: {
    threshold: {
      axes: { up: { from: 0.7, to: 1.4 }, down: { from: 0.3, to: 0.95 } },
      constraints: ['down < up'],
    },
    vpa: { axes: { margin: { from: 0, to: 0.6 } } },
  },
  choose: { minimise: 'cost_per_vm_day', subjectTo: { violation_rate: 0.2 } },
  search: { candidates: 6 },
};

const spec = (more: object = {}) => loadTune(here.write({ ...SPEC, ...more }, 'tune.yaml'));
const store = (name: string): RecordStore => {
  const made = new RecordStore(join(here.path(name), 'runs'));
  made.create();
  return made;
};

describe('tune', () => {
  let result: TuneResult;

  it('gives every policy the same budget', async () => {
    const runs = store('first');
    result = await tune(spec(), runs, localEngine(2));
    // 6 on the first workload, then 2 on two more.
    expect(result.rungs).toEqual([
      { candidates: 6, workloads: 1 },
      { candidates: 2, workloads: 3 },
    ]);
    expect(result.budget).toEqual({ threshold: 10, vpa: 10 });
    expect(result.finalists['threshold']).toHaveLength(2);
    expect(runs.ids().length).toBeLessThanOrEqual(2 * 10 + 2 * 3 + 4 * 2 + 3 + 2);
  });

  it('reports what was chosen on both sides, with intervals', () => {
    const entry = (policy: string, role: string) =>
      result.policies.find((p) => p.policy === policy && p.role === role)!;
    expect(result.policies.map(({ policy, role }) => `${policy} ${role}`)).toEqual([
      'threshold tuned',
      'vpa tuned',
      'threshold default',
      'vpa default',
      'oracle reference',
    ]);
    const vpa = entry('vpa', 'tuned');
    expect(vpa.keepsLimits).toBe(true);
    expect(vpa.train.violation_rate).toBeLessThanOrEqual(0.2);
    expect(vpa.holdout.cost_per_vm_day).toBeGreaterThan(0);
    expect(vpa.config).toEqual({ kind: 'vpa', ...vpa.parameters });
    expect(vpa.againstBaseline).toEqual([]);
    const threshold = entry('threshold', 'tuned');
    const cost = threshold.againstBaseline.find(({ measure }) => measure === 'costPerVmDay')!;
    expect(cost.policyMean).toBeCloseTo(threshold.holdout.cost_per_vm_day!, 9);
    expect(cost.baselineMean).toBeCloseTo(vpa.holdout.cost_per_vm_day!, 9);
    expect(cost.low).toBeLessThanOrEqual(cost.difference);
    // What a default is on the workloads is no matter of tuning.
    expect(entry('threshold', 'default').parameters).toEqual({});
    expect(entry('threshold', 'default').againstDefault).toEqual([]);
    expect(tuneText(result)).toMatch(/^vpa tuned +its default +\S+ \[|^vpa tuned +margin/m);
  });

  it('chooses nothing that a finalist beats', () => {
    for (const { policy, role, train, keepsLimits } of result.policies) {
      if (role !== 'tuned' || !keepsLimits) continue;
      for (const finalist of result.finalists[policy]!) {
        if (finalist.train.violation_rate! <= 0.2) {
          expect(train.cost_per_vm_day).toBeLessThanOrEqual(finalist.train.cost_per_vm_day!);
        }
      }
    }
  });

  it('is the same on another number of threads, and runs nothing twice', async () => {
    const runs = store('second');
    expect(await tune(spec(), runs, localEngine(1))).toEqual(result);
    const idle = { run: () => Promise.reject(new Error('nothing is left to run')) };
    expect(await tune(spec(), runs, idle)).toEqual(result);
  });

  it('takes a small space whole', async () => {
    const small = await tune(
      spec({
        policies: { vpa: { axes: { margin: [0.1, 0.2] } } },
        references: [],
        train: [{ seed: 1 }],
        holdout: [{ seed: 11 }],
      }),
      store('small'),
      localEngine(1),
    );
    expect(small.budget).toEqual({ vpa: 3 });
  });

  it('is a command that leaves what it found', async () => {
    spec({ search: { candidates: 2 }, train: [{ seed: 1 }], holdout: [{ seed: 11 }] });
    const end = await foresize(
      ['tune', 'tune.yaml', '--out', 'cli', '--json', '--threads', '1'],
      here.folder,
    );
    expect(end.code).toBe(0);
    const printed = JSON.parse(end.stdout) as TuneResult;
    expect(JSON.parse(readFileSync(here.path('cli/tune.json'), 'utf8'))).toEqual(printed);
    const { policies } = parse(readFileSync(here.path('cli/policies.yaml'), 'utf8'));
    expect(policies.vpa).toEqual(printed.policies[1]!.config);
  });
});

describe('bad input', () => {
  const code = async (more: object) => {
    const {
      code: found,
      exitCode,
      where,
    } = await problemOf(() => tune(spec(more), store('bad'), localEngine(1)));
    return `${found} ${exitCode} ${where?.replace(/^.*tune\.yaml:/, '')}`;
  };

  it('is told with its place', async () => {
    expect(await code({ holdout: [{ seed: 12 }, { seed: 2 }] })).toMatch(/^TUNE_LEAK 2 \d+: holdout.1$/);
    expect(await code({ references: ['lstm'] })).toMatch(/^TUNE_POLICY 2 \d+: references.0$/);
    expect(await code({ policies: { vpa: { axes: { marginn: [1, 2] } } } })).toMatch(
      /^SWEEP_AXIS_UNKNOWN_FIELD 2 .*policies.vpa.axes.marginn/,
    );
    expect(await code({ policies: { vpa: { axes: { margin: [] } } } })).toMatch(
      /^SWEEP_AXIS_EMPTY 2 \d+: policies/,
    );
    expect(await code({ policies: {} })).toMatch(/^TUNE_INVALID 2 \d+: policies$/);
    expect(await code({ train: [] })).toMatch(/^TUNE_INVALID 2 \d+: train$/);
    expect(await code({ baseline: 'static' })).toMatch(/^TUNE_INVALID 2 \d+: baseline$/);
    expect(await code({ train: [{ sed: 1 }] })).toMatch(/^SWEEP_AXIS_UNKNOWN_FIELD 2 .*train/);
    // Half a day of warm-up leaves nothing of half a day.
    expect(await code({ train: [{ duration: '12h' }] })).toMatch(/^TUNE_RUN_FAILED 1 /);
  });

  it('is a window of a trace that overlaps one trained on', async () => {
    const scenario = { ...SMALL, workload: { source: 'trace', path: 'trace.csv' }, duration: '2d' };
    writeFileSync(here.path('traced.yaml'), stringify(scenario));
    const traced = { scenario: 'traced.yaml', train: [{ 'workload.from': '1d' }] };
    const overlap = { ...traced, holdout: [{ 'workload.from': '2d' }] };
    expect(await code(overlap)).toMatch(/^TUNE_LEAK 2 \d+: holdout.0$/);
    // The file is not there, but that is found out later.
    const apart = { ...traced, holdout: [{ 'workload.from': '3d' }] };
    expect(await code(apart)).toMatch(/^TUNE_RUN_FAILED 1 /);
    expect(await code({ ...traced, holdout: [{ 'workload.path': 'other.csv' }] })).toMatch(
      /^TUNE_RUN_FAILED 1 /,
    );
  });
});
