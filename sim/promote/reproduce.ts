import { EXIT, ForesizeError } from '../../core/errors.ts';
import { canonicalJson } from '../canonical-json.ts';
import { openExperiment, type RunOptions, runPolicy } from '../experiment.ts';
import type { SimulationEvidence } from '../simulate.ts';
import type { FinishedRun } from './finished-run.ts';

/**
 * Does the run again: a promotion believes what it has seen itself, and needs what the run's folder does not keep.
 * @throws ForesizeError PROMOTE_TRACE_CHANGED, PROMOTE_NOT_REPRODUCED
 */
export async function reproduce(run: FinishedRun, options: RunOptions): Promise<SimulationEvidence> {
  const { scenario, manifest, folder, resultText } = run;
  const { policy } = run.result;
  const experiment = await openExperiment(
    { scenario, baseDir: manifest.baseDir, file: `${folder}/scenario.yaml` },
    { ...(options.signal && { signal: options.signal }) },
  );
  if ((experiment.trace?.sha256 ?? null) !== manifest.traceSha256) {
    throw new ForesizeError(
      {
        code: 'PROMOTE_TRACE_CHANGED',
        what: `the trace has the hash ${experiment.trace?.sha256}, the run read ${manifest.traceSha256}`,
        where: `${folder}: workload.path`,
        remedy: 'bring back the files the run was made with, or run the scenario again',
      },
      EXIT.refused,
    );
  }
  const { result, evidence } = await runPolicy(experiment, policy, { ...options, evidence: true });
  if (canonicalJson(result) !== resultText || !evidence) {
    const backends = result.backend === run.result.backend ? '' : ` (tensor backend ${result.backend})`;
    throw new ForesizeError(
      {
        code: 'PROMOTE_NOT_REPRODUCED',
        what: `run again${backends}, it decides ${result.decisions.sha256.slice(0, 12)}, not ${run.result.decisions.sha256.slice(0, 12)} (tensor backend ${run.result.backend}) with the same measures`,
        where: folder,
        remedy:
          'promote on the machine and with the tensor backend the run was made with, or run the scenario again here',
      },
      EXIT.refused,
    );
  }
  return evidence;
}
