import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { stringify } from 'yaml';
import type { Advice } from '../../core/cost/recommendation.ts';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { type Experiment, openExperiment } from '../experiment.ts';
import type { RunResult } from '../result.ts';
import { readRun } from '../run-folder.ts';
import { type LoadedScenario, loadScenario, type Scenario } from '../scenario.ts';

export interface RunSource {
  readonly folder: string;
  readonly result: RunResult;
  readonly loaded: LoadedScenario;
}

/**
 * A run that was done before, with the scenario that made it.
 * @param base folder that relative paths of the scenario start from
 * @throws ForesizeError RUN_UNREADABLE
 */
export function openRun(folder: string, base: string, sets: readonly string[] = []): RunSource {
  const path = resolve(folder);
  const result = readRun(dirname(path), basename(path));
  if (!result) {
    throw new ForesizeError({
      code: 'RUN_UNREADABLE',
      what: 'no complete run is here',
      where: folder,
      remedy: 'name a folder out/<id> that `foresize run` or `foresize compare` wrote',
    });
  }
  const loaded = loadScenario(join(path, 'scenario.yaml'), [`policy=${result.policy}`, ...sets]);
  return { folder: path, result, loaded: { ...loaded, baseDir: resolve(base) } };
}

/** The run's inputs, opened again. */
export async function experimentOfRun({ loaded }: RunSource): Promise<Experiment> {
  return openExperiment(loaded);
}

const ADVICE = 'advice.json';

/** Keeps the advice beside the run's files, for `recommend apply` and reports. */
export function writeAdvice(folder: string, advice: Advice): string {
  const file = join(folder, ADVICE);
  writeFileSync(`${file}.tmp`, `${JSON.stringify(advice, null, 2)}\n`);
  renameSync(`${file}.tmp`, file);
  return file;
}

/** Advice that was given on the run before, or undefined. */
export function readAdvice(folder: string): Advice | undefined {
  const file = join(folder, ADVICE);
  if (!existsSync(file)) return undefined;
  try {
    const advice = JSON.parse(readFileSync(file, 'utf8')) as Advice;
    return advice.schema === 'foresize/advice/v1' ? advice : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The run's scenario with the named recommendations in force, as YAML.
 * @throws ForesizeError ADVICE_UNKNOWN_ID, ADVICE_WITHHELD
 */
export function applyAdvice(source: RunSource, advice: Advice, ids: readonly string[]): string {
  const chosen = ids.map((id) => {
    const found = advice.recommendations.find((r) => r.id === id);
    if (found) return found;
    const held = advice.withheld.find((r) => r.id === id);
    if (held) {
      throw new ForesizeError(
        {
          code: 'ADVICE_WITHHELD',
          what: `${id} is withheld: ${held.withheld.map(({ text }) => text).join('; ')}`,
          where: '--ids',
          remedy: 'leave it out, or write the change into the scenario by hand',
        },
        EXIT.refused,
      );
    }
    throw new ForesizeError({
      code: 'ADVICE_UNKNOWN_ID',
      what: `no recommendation has the id '${id}'`,
      where: '--ids',
      remedy: `use some of: ${advice.recommendations.map((r) => r.id).join(', ')}`,
    });
  });
  const { scenario, baseDir } = source.loaded;
  const changed: Scenario = {
    ...scenario,
    workload: absolute(scenario.workload, baseDir),
    changes: [...(scenario.changes ?? []), ...chosen.map(({ change }) => change)],
  };
  const lines = chosen.map(({ id, reason }) => `# ${id}: ${reason}`);
  return `# Run ${source.result.id} with these recommendations in force:\n${lines.join('\n')}\n${stringify(changed)}`;
}

/** Its path no longer depends on where the scenario is. */
function absolute(workload: Scenario['workload'], baseDir: string): Scenario['workload'] {
  if (!('path' in workload) || workload.path.startsWith('traces:')) return workload;
  return { ...workload, path: resolve(baseDir, workload.path) };
}
