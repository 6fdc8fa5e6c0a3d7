import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { ForesizeError } from '../../core/errors.ts';
import { canonicalJson } from '../canonical-json.ts';
import { baselineOf } from '../comparison.ts';
import { executeScenario } from '../execute.ts';
import type { RunOptions } from '../experiment.ts';
import type { Scenario } from '../scenario.ts';
import { type FinishedRun, openRun } from './finished-run.ts';

/**
 * What the candidate has to beat, on the same inputs: a run's folder, or a policy of the candidate's scenario, which
 * is run unless it was before. The scenario's baseline when nothing is named. What is wrong is said before anything is
 * run; the answer runs it.
 * @throws ForesizeError PROMOTE_INCUMBENT
 */
export function chooseIncumbent(
  run: FinishedRun,
  against: string | undefined,
): (options: RunOptions) => Promise<FinishedRun> {
  const { scenario, manifest, folder } = run;
  if (against !== undefined && !Object.hasOwn(scenario.policies, against)) {
    if (!existsSync(against)) {
      const known = Object.keys(scenario.policies).join(', ');
      throw refused(`it is neither a run's folder nor a policy of the scenario (${known})`, against);
    }
    const incumbent = sameInputs(run, openRun(against));
    return async () => incumbent;
  }
  const name = against ?? baselineOf(scenario);
  if (name === run.result.policy) throw refused('it is the run itself', name);
  requireReal(scenario, name);
  return async (options) => {
    const loaded = { scenario, baseDir: manifest.baseDir, file: `${folder}/scenario.yaml` };
    const done = await executeScenario(loaded, name, dirname(folder), options);
    return sameInputs(run, openRun(done.folder));
  };
}

function requireReal({ policies }: Scenario, name: string): void {
  if (policies[name]?.kind === 'oracle') {
    throw refused('the oracle is a bound, not something that ran', name);
  }
}

function sameInputs(run: FinishedRun, incumbent: FinishedRun): FinishedRun {
  const inputs = ({ scenario, manifest }: FinishedRun) =>
    canonicalJson([worldOf(scenario), manifest.traceSha256]);
  if (inputs(run) !== inputs(incumbent)) {
    throw refused('it was run on other inputs than the candidate', incumbent.folder);
  }
  requireReal(incumbent.scenario, incumbent.result.policy);
  return incumbent;
}

/** A scenario without what decides and what is only shown. A trace is known by its hash, wherever it lies. */
function worldOf({
  workload,
  tick,
  duration,
  warmup,
  seed,
  hypervisor,
  telemetry,
  vms,
  hosts,
  prices,
}: Scenario): unknown {
  const source = workload.source === 'generated' ? workload : { ...workload, path: '' };
  return [source, tick, duration ?? null, warmup, seed, hypervisor, telemetry, vms, hosts ?? null, prices];
}

function refused(what: string, against: string): ForesizeError {
  return new ForesizeError({
    code: 'PROMOTE_INCUMBENT',
    what: `the incumbent cannot be compared with: ${what}`,
    where: `--against ${against}`,
    remedy: "name a policy of the run's scenario, or the folder of a run of the same scenario and seed",
  });
}
