import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { codeVersion } from '../code-version.ts';
import { runIdentity } from '../experiment.ts';
import type { Comparison, RunResult } from '../result.ts';
import { type Manifest, sha256 } from '../run-folder.ts';
import { parseScenario, type Scenario } from '../scenario.ts';

/** A run's folder whose parts agree: result and manifest by hash, scenario, trace and code by the run's id. */
export interface FinishedRun {
  readonly folder: string;
  readonly scenario: Scenario;
  readonly scenarioText: string;
  readonly result: RunResult;
  readonly resultText: string;
  readonly manifest: Manifest;
}

const manifestSchema = z.object({
  schema: z.literal('foresize/manifest/v1'),
  id: z.string(),
  version: z.string(),
  traceSha256: z.string().nullable(),
  baseDir: z.string(),
  resultSha256: z.string(),
  startedAt: z.iso.datetime(),
});

/**
 * Opens the folder of a finished run, and holds its parts against each other.
 * @throws ForesizeError PROMOTE_RUN_UNREADABLE, PROMOTE_RUN_TAMPERED, PROMOTE_OTHER_CODE
 */
export function openRun(path: string): FinishedRun {
  const folder = resolve(path);
  const [manifestText, resultText, scenarioText] = (
    ['manifest.json', 'result.json', 'scenario.yaml'] as const
  ).map((name) => read(folder, name)) as [string, string, string];
  const parsed = manifestSchema.safeParse(json(manifestText));
  const result = json(resultText) as RunResult | undefined;
  if (!parsed.success || result?.schema !== 'foresize/result/v1') {
    throw unreadable(folder, 'its manifest or its result is not one of this version');
  }
  const manifest = { ...(json(manifestText) as Manifest), ...parsed.data };
  if (manifest.version !== codeVersion()) {
    throw new ForesizeError(
      {
        code: 'PROMOTE_OTHER_CODE',
        what: `the run was made by foresize ${manifest.version}; this is ${codeVersion()}`,
        where: folder,
        remedy: 'run the scenario again with this version: what decides must be what was measured',
      },
      EXIT.refused,
    );
  }
  if (sha256(resultText) !== manifest.resultSha256) throw tampered(folder, 'result.json', 'its hash');
  const scenario = parseScenario(scenarioText, join(folder, 'scenario.yaml'));
  const id = runIdentity(scenario, result.policy, manifest.traceSha256);
  if (result.id !== id || manifest.id !== id) {
    throw tampered(folder, 'scenario.yaml or manifest.json', "the run's id");
  }
  return { folder, scenario, scenarioText, result, resultText, manifest };
}

/** What is to be promoted, and the folder of the incumbent where a comparison names one. */
export interface Candidate {
  readonly run: FinishedRun;
  readonly incumbent: string | undefined;
}

/**
 * The run that a path names: a run's folder, or the folder of a comparison, whose baseline is then the incumbent.
 * @param policy which of a comparison's policies, where it has several
 * @throws ForesizeError PROMOTE_WHICH, and those of `openRun`
 */
export function openCandidate(path: string, policy?: string): Candidate {
  const comparison = readComparison(path);
  if (!comparison) {
    const run = openRun(path);
    if (policy !== undefined && policy !== run.result.policy) {
      throw which(path, `it is a run of '${run.result.policy}'`, 'leave --policy out');
    }
    return { run, incumbent: undefined };
  }
  const { runs, baseline } = comparison;
  const others = runs.map((run) => run.policy).filter((name) => name !== baseline);
  const name = policy ?? (others.length === 1 ? others[0] : undefined);
  const chosen = runs.find((run) => run.policy === name);
  if (!chosen) {
    const what = name === undefined ? 'it compares several policies' : `it has no policy '${name}'`;
    throw which(path, what, `name one with --policy: ${others.join(', ')}`);
  }
  const folderOf = (run: RunResult) => join(dirname(resolve(path)), run.id);
  const incumbent = runs.find((run) => run.policy === baseline);
  return {
    run: openRun(folderOf(chosen)),
    incumbent: incumbent && incumbent !== chosen ? folderOf(incumbent) : undefined,
  };
}

function readComparison(path: string): Comparison | undefined {
  try {
    const value = JSON.parse(readFileSync(join(path, 'comparison.json'), 'utf8')) as Comparison;
    return value.schema === 'foresize/comparison/v1' ? value : undefined;
  } catch {
    return undefined;
  }
}

function read(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, name), 'utf8');
  } catch (cause) {
    throw unreadable(folder, `${name} cannot be read`, cause);
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreadable(folder: string, why: string, cause?: unknown): ForesizeError {
  return new ForesizeError(
    {
      code: 'PROMOTE_RUN_UNREADABLE',
      what: `no complete run is here: ${why}`,
      where: folder,
      remedy: 'name a folder that `foresize run` or `foresize compare` wrote: out/<id> or out/compare-<id>',
    },
    EXIT.usage,
    cause,
  );
}

function tampered(folder: string, what: string, against: string): ForesizeError {
  return new ForesizeError(
    {
      code: 'PROMOTE_RUN_TAMPERED',
      what: `${what} was changed after the run: it does not agree with ${against}`,
      where: folder,
      remedy: 'remove the folder and run the scenario again',
    },
    EXIT.refused,
  );
}

function which(path: string, what: string, remedy: string): ForesizeError {
  return new ForesizeError({ code: 'PROMOTE_WHICH', what, where: path, remedy });
}
