import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { executeRun } from '../../../sim/execute.ts';
import { type LoadedGates, loadGates } from '../../../sim/promote/gates-spec.ts';
import type { Engine } from '../../../sim/sweep/engine.ts';
import { PointRunner } from '../../../sim/sweep/point-task.ts';

/** Six VMs for five days, the first of them to warm up. */
export const SCENARIO = {
  apiVersion: 'foresize/v1',
  name: 'Promoted',
  duration: '5d',
  workload: {
    source: 'generated',
    applications: [
      { id: 'shop', archetype: 'web', users: 2, vmsPerUser: 2 },
      { id: 'desk', archetype: 'dev', users: 2, vmsPerUser: 1 },
    ],
  },
  policies: {
    static: { kind: 'static' },
    ahead: { kind: 'quantile', quantile: 0.93, horizon: 3, downBand: 0.3, forecast: { model: 'last-value' } },
    ridge: { kind: 'quantile', forecast: { model: 'prophet-ridge' } },
    threshold: { kind: 'threshold' },
    vpa: { kind: 'vpa' },
    oracle: { kind: 'oracle' },
  },
  policy: 'ahead',
  compare: { baseline: 'static' },
};

/** Limits that a run of the policy `ahead` keeps. */
export const GATES = { vmDays: 24, resamples: 400, tuning: { untuned: true } };

/** Runs points one after the other on this thread: a tuning of a few runs is done before threads have started. */
export const inline: Engine = {
  run: async (tasks, sink) => {
    const runner = new PointRunner();
    for (const task of tasks) await sink({ id: task.id, worker: 'here', ...(await runner.run(task)) });
  },
};

export interface Place {
  readonly folder: string;
  path(name: string): string;
  /** Writes a gates file and reads it. */
  gates(gates: object): LoadedGates;
  /** Runs a policy of the scenario and gives the run's folder. */
  run(policy?: string, sets?: readonly string[]): Promise<string>;
  remove(): void;
}

export function place(): Place {
  const folder = mkdtempSync(join(tmpdir(), 'foresize-promote-'));
  const path = (name: string) => join(folder, name);
  writeFileSync(path('promoted.yaml'), stringify(SCENARIO));
  return {
    folder,
    path,
    gates: (gates) => {
      writeFileSync(path('gates.yaml'), stringify(gates));
      return loadGates(path('gates.yaml'));
    },
    run: async (policy = 'ahead', sets = []) => {
      const task = { file: path('promoted.yaml'), sets, policy, out: path('out') };
      return (await executeRun(task)).folder;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
