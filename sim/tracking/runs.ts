import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ForesizeError } from '../../core/errors.ts';
import { canonicalJson } from '../canonical-json.ts';
import { type FlatMeasures, flatRun } from '../flat-measures.ts';
import type { RunResult } from '../result.ts';
import { type Manifest, readRun } from '../run-folder.ts';
import { readPlan, SweepFolder } from '../sweep/folder.ts';
import { readJournal } from '../sweep/journal.ts';
import type { Point } from '../sweep/plan.ts';

/** A run as trackers know it. */
export interface TrackedRun {
  readonly id: string;
  readonly name: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly tags: Readonly<Record<string, string>>;
  /** ms since the epoch. */
  readonly startMs: number;
  readonly endMs: number;
}

/**
 * The finished runs below a folder: of a sweep, or run folders as `foresize run` and `compare` leave them, one or a
 * folder of many.
 * @throws ForesizeError TRACKING_NO_RUNS
 */
export function trackedRuns(path: string): { name: string; runs: TrackedRun[] } {
  const found = readPlan(path) ? ofSweep(path) : ofRunFolders(path);
  if (found.runs.length > 0) return found;
  throw new ForesizeError({
    code: 'TRACKING_NO_RUNS',
    what: 'there are no finished runs',
    where: path,
    remedy: 'name the folder of a sweep, of a run, or the one that --out named',
  });
}

function ofSweep(path: string): { name: string; runs: TrackedRun[] } {
  const folder = SweepFolder.open(path);
  const { plan } = folder;
  const ended = new Map(readJournal(folder.journal).map((entry) => [entry.id, entry]));
  const byRun = new Map<string, Point[]>();
  for (const point of plan.points) {
    if (folder.finished.has(point.id)) byRun.set(point.id, [...(byRun.get(point.id) ?? []), point]);
  }
  const runs: TrackedRun[] = [];
  for (const [id, points] of byRun) {
    const { measures, result, trace } = folder.record(id);
    const entry = ended.get(id);
    const endMs = entry ? Date.parse(entry.at) : 0;
    // An axis on which points of one run differ is nothing to it.
    const axes = Object.fromEntries(
      plan.axes
        .map(({ name }, i) => [name, new Set(points.map(({ values }) => text(values[i])))] as const)
        .filter(([, values]) => values.size === 1)
        .map(([name, [value]]) => [name, value!]),
    );
    runs.push({
      id,
      name: `${result.policy} ${id.slice(0, 8)}`,
      parameters: { ...axes, policy: result.policy, seed: String(result.seed) },
      metrics: numbers(measures),
      tags: { ...tagsOf(result, trace), 'foresize.sweep': plan.id },
      startMs: endMs - Math.round((entry?.wallSeconds ?? 0) * 1000),
      endMs,
    });
  }
  return { name: plan.name, runs };
}

function ofRunFolders(path: string): { name: string; runs: TrackedRun[] } {
  const folders = existsSync(join(path, 'manifest.json'))
    ? [path]
    : existsSync(path)
      ? readdirSync(path)
          .sort()
          .map((name) => join(path, name))
          .filter((folder) => existsSync(join(folder, 'manifest.json')))
      : [];
  const runs = folders.flatMap((folder): TrackedRun[] => {
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
    const result = readRun(join(folder, '..'), manifest.id);
    if (!result) return [];
    const startMs = Date.parse(manifest.startedAt);
    return [
      {
        id: result.id,
        name: `${result.scenario}, ${result.policy}`,
        parameters: parametersOf(result, parse(readFileSync(join(folder, 'scenario.yaml'), 'utf8'))),
        metrics: numbers(flatRun(result)),
        tags: tagsOf(result, manifest.traceSha256),
        startMs,
        endMs: startMs + Math.round(manifest.wallSeconds * 1000),
      },
    ];
  });
  return { name: runs[0]?.tags['foresize.scenario'] ?? '', runs };
}

/** The run's own policy, field by field, and what else one varies. */
function parametersOf(
  result: RunResult,
  scenario: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const policies = scenario['policies'] as Readonly<Record<string, unknown>> | undefined;
  const parameters: Record<string, string> = { policy: result.policy, seed: String(result.seed) };
  for (const field of ['tick', 'duration', 'warmup']) {
    if (scenario[field] !== undefined) parameters[field] = text(scenario[field]);
  }
  flatten(`policies.${result.policy}`, policies?.[result.policy], parameters);
  return parameters;
}

function flatten(path: string, value: unknown, into: Record<string, string>): void {
  if (value !== null && typeof value === 'object' && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) flatten(`${path}.${key}`, inner, into);
  } else if (value !== undefined) into[path] = text(value);
}

function tagsOf(result: RunResult, trace: string | null): Record<string, string> {
  return {
    'foresize.id': result.id,
    'foresize.version': result.version,
    'foresize.scenario': result.scenario,
    'foresize.backend': result.backend,
    'foresize.currency': result.currency,
    'foresize.decisions_sha256': result.decisions.sha256,
    ...(trace !== null && { 'foresize.trace_sha256': trace }),
  };
}

function numbers(measures: FlatMeasures): Record<string, number> {
  return Object.fromEntries(
    Object.entries(measures).filter((entry): entry is [string, number] => entry[1] !== null),
  );
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : canonicalJson(value);
}
