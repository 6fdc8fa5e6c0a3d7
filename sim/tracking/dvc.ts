import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { stringify } from 'yaml';
import { TABLES, tableFile } from '../sweep/collect.ts';
import { readPlan, unwritable } from '../sweep/folder.ts';
import { writeWhole } from '../sweep/record-store.ts';
import type { TrackedRun } from './runs.ts';

/** Most runs whose figures go one by one into metrics.json; of more, means by policy. */
const MOST_RUNS = 50;

/**
 * Writes, beside the results, what DVC needs to keep and compare them: a `.dvc` file for each large one, and
 * `metrics.json` and `params.yaml` with the `dvc.yaml` that names them (`dvc metrics diff`, `dvc params diff`).
 * `dvc commit` then takes the results into its cache.
 * @returns names of the files written
 * @throws ForesizeError SWEEP_UNWRITABLE
 */
export function writeDvc(path: string, runs: readonly TrackedRun[]): string[] {
  const results = readPlan(path)
    ? TABLES.map((table) => tableFile(path, table))
    : ['result.json', 'ticks.parquet'].map((name) => join(path, name));
  const files: Record<string, string> = {
    'metrics.json': `${JSON.stringify(metricsOf(runs), null, 2)}\n`,
    'params.yaml': stringify(parametersOf(runs)),
    'dvc.yaml': stringify({ metrics: ['metrics.json'], params: ['params.yaml'] }),
  };
  for (const file of results) if (existsSync(file)) files[`${basename(file)}.dvc`] = pointer(file);
  try {
    for (const [name, text] of Object.entries(files)) writeWhole(join(path, name), text);
  } catch (cause) {
    throw unwritable(path, cause);
  }
  return Object.keys(files);
}

/** What `dvc add` would write. */
function pointer(file: string): string {
  const md5 = createHash('md5').update(readFileSync(file)).digest('hex');
  return stringify({ outs: [{ md5, size: statSync(file).size, hash: 'md5', path: basename(file) }] });
}

function metricsOf(runs: readonly TrackedRun[]): unknown {
  if (runs.length === 1) return runs[0]!.metrics;
  if (runs.length <= MOST_RUNS) return Object.fromEntries(runs.map(({ id, metrics }) => [id, metrics]));
  const byPolicy = new Map<string, TrackedRun[]>();
  for (const run of runs) {
    const policy = run.parameters['policy']!;
    byPolicy.set(policy, [...(byPolicy.get(policy) ?? []), run]);
  }
  return Object.fromEntries([...byPolicy].map(([policy, own]) => [policy, meansOf(own)]));
}

function meansOf(runs: readonly TrackedRun[]): Record<string, number> {
  const names = Object.keys(runs[0]!.metrics).filter((name) => runs.every(({ metrics }) => name in metrics));
  return {
    runs: runs.length,
    ...Object.fromEntries(
      names.map((name) => [name, runs.reduce((sum, { metrics }) => sum + metrics[name]!, 0) / runs.length]),
    ),
  };
}

/** Each parameter with the values it took, one where it took one. */
function parametersOf(runs: readonly TrackedRun[]): unknown {
  const values = new Map<string, Set<string>>();
  for (const { parameters } of runs) {
    for (const [name, value] of Object.entries(parameters)) {
      values.set(name, (values.get(name) ?? new Set()).add(value));
    }
  }
  return Object.fromEntries(
    [...values].map(([name, taken]) => [
      name,
      taken.size === 1 ? plain([...taken][0]!) : [...taken].map(plain),
    ]),
  );
}

/** Numbers as numbers, so that `dvc params diff` tells how far they moved. */
function plain(text: string): string | number {
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}
