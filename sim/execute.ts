import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codeVersion } from './code-version.ts';
import { openExperiment, type RunOptions, runId, runPolicy } from './experiment.ts';
import type { RunResult } from './result.ts';
import { readRun, runFolder, sha256, writeRun } from './run-folder.ts';
import { type LoadedScenario, loadScenario } from './scenario.ts';
import { writeTicksParquet } from './ticks-parquet.ts';

/** One run to do: plain data, so that it can be sent to a worker. */
export interface RunTask {
  readonly file: string;
  readonly sets: readonly string[];
  readonly policy: string;
  /** Folder under which the run's own folder goes. */
  readonly out: string;
}

export interface RunDone {
  readonly result: RunResult;
  readonly folder: string;
  /** An earlier run of the same id was found and used. */
  readonly reused: boolean;
  readonly wallSeconds: number;
}

/** Does a run and writes its files, unless they are there already. */
export async function executeRun(task: RunTask, options: RunOptions = {}): Promise<RunDone> {
  return executeScenario(loadScenario(task.file, task.sets), task.policy, task.out, options);
}

export async function executeScenario(
  loaded: LoadedScenario,
  policy: string,
  out: string,
  options: RunOptions = {},
): Promise<RunDone> {
  const startedAt = new Date();
  const experiment = await openExperiment(loaded, { ...(options.signal && { signal: options.signal }) });
  const id = runId(experiment, policy);
  const known = options.onDecisions ? undefined : readRun(out, id);
  if (known) return { result: known, folder: runFolder(out, id), reused: true, wallSeconds: 0 };
  const { result, recorded } = await runPolicy(experiment, policy, options);
  const wallSeconds = (Date.now() - startedAt.getTime()) / 1000;
  const folder = await writeRun(
    out,
    experiment.scenario,
    result,
    {
      version: codeVersion(),
      node: process.version,
      backend: result.backend,
      seed: result.seed,
      lockfileSha256: lockfileHash(),
      traceSha256: experiment.trace?.sha256 ?? null,
      baseDir: loaded.baseDir,
      startedAt: startedAt.toISOString(),
      wallSeconds,
    },
    async (path) => {
      if (recorded.length > 0) await writeTicksParquet(recorded, path);
    },
  );
  return { result, folder, reused: false, wallSeconds };
}

function lockfileHash(): string | null {
  const here = dirname(fileURLToPath(import.meta.url));
  for (const folder of [dirname(here), dirname(dirname(here))]) {
    try {
      return sha256(readFileSync(join(folder, 'package-lock.json')));
    } catch {
      // Not there: one folder up.
    }
  }
  return null;
}
