import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { ForesizeError } from '../../../core/errors.ts';
import { TABLES, tableFile } from '../../../sim/sweep/collect.ts';
import { Sweep } from '../../../sim/sweep/plan.ts';
import { loadSweep } from '../../../sim/sweep/spec.ts';

/** Six generated VMs for a day, scored for half of it: some 20 ms a run. */
export const SMALL = {
  apiVersion: 'foresize/v1',
  name: 'Small',
  seed: 1,
  tick: '5m',
  duration: '1d',
  warmup: '12h',
  workload: {
    source: 'generated',
    applications: [
      { id: 'shop', archetype: 'web', users: 2, vmsPerUser: 2 },
      { id: 'desk', archetype: 'dev', users: 2, vmsPerUser: 1 },
    ],
  },
  policies: {
    static: { kind: 'static' },
    threshold: { kind: 'threshold' },
    vpa: { kind: 'vpa' },
    oracle: { kind: 'oracle' },
  },
  policy: 'threshold',
};

export interface Bench {
  readonly folder: string;
  path(name: string): string;
  /** Writes a sweep of the small scenario and gives its file's path. */
  write(spec: object, name?: string): string;
  sweep(spec: object): Sweep;
  remove(): void;
}

/** A temporary folder with the small scenario in it. */
export function bench(scenario: object = SMALL): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'foresize-sweep-'));
  writeFileSync(join(folder, 'small.yaml'), stringify(scenario));
  const path = (name: string) => join(folder, name);
  const write = (spec: object, name = 'sweep.yaml') => {
    const whole = { apiVersion: 'foresize/v1', name: 'Sweep', scenario: 'small.yaml', ...spec };
    writeFileSync(path(name), stringify(whole));
    return path(name);
  };
  return {
    folder,
    path,
    write,
    sweep: (spec) => new Sweep(loadSweep(write(spec))),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** The tables' bytes, for comparing sweeps. */
export function tableBytes(folder: string): string[] {
  return TABLES.map((table) => readFileSync(tableFile(folder, table)).toString('base64'));
}

/** The error that `body` throws: its code, where, and exit code. */
export async function problemOf(
  body: () => unknown,
): Promise<{ code: string; where: string | undefined; exitCode: number; text: string }> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof ForesizeError)) throw error;
    const { code, exitCode, problems, message } = error;
    return { code, where: problems[0]?.where, exitCode, text: message };
  }
  throw new Error('nothing was thrown');
}
