import { dirname } from 'node:path';
import type { Evidence, GateResult } from '../../core/bundle.ts';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { codeVersion } from '../code-version.ts';
import { controllerOf, type RunOptions } from '../experiment.ts';
import { collectEvidence } from './evidence.ts';
import { type FinishedRun, openCandidate } from './finished-run.ts';
import { judgeGates } from './gates.ts';
import type { LoadedGates } from './gates-spec.ts';
import { chooseIncumbent } from './incumbent.ts';
import { provenanceOf } from './provenance.ts';
import { reproduce } from './reproduce.ts';
import { type WrittenBundle, writeBundle } from './write-bundle.ts';

export interface PromoteOptions extends Pick<RunOptions, 'onProgress' | 'signal'> {
  /** Which of a comparison's policies. */
  readonly policy?: string | undefined;
  /** The incumbent: a run's folder or a policy of the scenario. */
  readonly against?: string | undefined;
  /** Folder under which the bundle's own folder goes; beside the run when left out. */
  readonly out?: string | undefined;
}

export interface Promotion {
  readonly schema: 'foresize/promotion/v1';
  readonly passed: boolean;
  readonly gates: readonly GateResult[];
  readonly evidence: Evidence;
  /** null when a gate refused. */
  readonly bundle: WrittenBundle | null;
}

/**
 * From a finished run to a bundle that may go live:
 *
 *     open the run, hold its parts against each other -> provenance -> run it again, with evidence
 *       -> the incumbent on the same inputs -> every gate -> bundle, if all pass
 *
 * @throws ForesizeError PROMOTE_*, GATES_*, BUNDLE_UNWRITABLE
 */
export async function promote(
  path: string,
  gates: LoadedGates,
  { policy, against, out, ...options }: PromoteOptions = {},
): Promise<Promotion> {
  const candidate = openCandidate(path, policy);
  const { run } = candidate;
  const { scenario, scenarioText, result, manifest } = run;
  requireLive(run);
  const provenance = provenanceOf(gates, scenario.policies[result.policy]!);
  const runIncumbent = chooseIncumbent(run, against ?? candidate.incumbent);
  const simulated = await reproduce(run, options);
  const incumbent = await runIncumbent(options);
  const evidence = collectEvidence(run, incumbent, simulated, provenance, gates.gates);
  const results = judgeGates(evidence, provenance, gates.gates);
  const passed = results.every(({ pass }) => pass);
  const bundle = passed
    ? writeBundle(out ?? dirname(run.folder), {
        codeVersion: codeVersion(),
        createdAt: manifest.startedAt,
        config: {
          controller: controllerOf(scenario, result.policy),
          stepMs: result.span.tickMs,
          seed: scenario.seed,
        },
        evidence,
        gates: results,
        stages: gates.gates.stages,
        scenarioText,
        models: simulated.models,
      })
    : null;
  return { schema: 'foresize/promotion/v1', passed, gates: results, evidence, bundle };
}

/** What needs true demand cannot run live. @throws ForesizeError PROMOTE_ORACLE */
function requireLive({ scenario, result }: FinishedRun): void {
  const { policies } = controllerOf(scenario, result.policy);
  for (const [name, policy] of Object.entries(policies)) {
    if (!('forecast' in policy) || policy.forecast.model !== 'oracle') continue;
    throw new ForesizeError(
      {
        code: 'PROMOTE_ORACLE',
        what: `the policy '${name}' knows true demand, which only a simulation has`,
        where: `policies.${name}`,
        remedy: 'promote a policy that forecasts',
      },
      EXIT.refused,
    );
  }
}
