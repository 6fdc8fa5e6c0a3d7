import type { Evidence, PairedEstimate } from '../../core/bundle.ts';
import { pairRuns } from '../compare/paired.ts';
import type { SimulationEvidence } from '../simulate.ts';
import { workloadIdentity } from '../workload-identity.ts';
import type { FinishedRun } from './finished-run.ts';
import type { GatesSpec } from './gates-spec.ts';
import { demandEstimates, observedEstimates } from './intervals.ts';
import type { Provenance } from './provenance.ts';

/** Everything the gates judge by, with intervals. Deterministic in its arguments. */
export function collectEvidence(
  run: FinishedRun,
  incumbent: FinishedRun,
  simulated: SimulationEvidence,
  provenance: Provenance,
  { level, resamples }: GatesSpec,
): Evidence {
  const { result, scenario, manifest } = run;
  const options = { level, resamples, seed: scenario.seed };
  return {
    schema: 'foresize/evidence/v1',
    scenario: result.scenario,
    run: identityOf(run),
    incumbent: identityOf(incumbent),
    backend: result.backend,
    from: result.span.from,
    to: result.span.to,
    vms: result.days.vmIds.length,
    vmDays: result.fleet.vmDays,
    currency: result.currency,
    level,
    resamples,
    workload: { ...workloadIdentity(scenario, manifest.traceSha256) },
    tunedOn: [...provenance.tunedOn],
    measures: demandEstimates(result, options),
    observed: observedEstimates(simulated.days, options),
    against: pairRuns(result, incumbent.result, options).map(
      ({ measure, unit, policyMean, baselineMean, difference, low, high, relative }): PairedEstimate => ({
        measure,
        unit,
        policyMean,
        incumbentMean: baselineMean,
        difference,
        low,
        high,
        relative,
      }),
    ),
  };
}

function identityOf({ result, manifest }: FinishedRun): Evidence['run'] {
  return {
    id: result.id,
    policy: result.policy,
    resultSha256: manifest.resultSha256,
    decisionsSha256: result.decisions.sha256,
  };
}
