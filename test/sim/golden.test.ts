import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openExperiment, runPolicy } from '../../sim/experiment.ts';
import { loadScenario } from '../../sim/scenario.ts';

/**
 * SHA-256 of the decision log of scenarios/first.yaml, three days of it, by policy. The same on every Node, machine and
 * folder. A change here means that decisions changed: say why in the commit, and update with the digests the failure
 * prints.
 */
const GOLDEN: Readonly<Record<string, string>> = {
  autopilot: '91d76862d7dd3b21',
  'holt-winters': '4a1e17419999345e',
  'last-value': '1edc03358c9f3a86',
  ml: '685544eb9a394f66',
  oracle: '822d1a1e0723f524',
  seasonal: '10914e4a11e43af4',
  seed: '7da178d8db40e14e',
  vpa: '6132e2e99a48cc9e',
};

it('decides byte for byte as before', { timeout: 120_000 }, async () => {
  const file = join(import.meta.dirname, '../../scenarios/first.yaml');
  const loaded = loadScenario(file, [
    'duration=3d',
    'warmup=1d',
    'record.vms=0',
    'policies.ml.kind=autopilot-ml',
  ]);
  const experiment = await openExperiment(loaded);
  const digests: Record<string, string> = {
    autopilot: '91d76862d7dd3b21',
    'holt-winters': '4a1e17419999345e',
    'last-value': '1edc03358c9f3a86',
    ml: '685544eb9a394f66',
    oracle: '822d1a1e0723f524',
    seasonal: '10914e4a11e43af4',
    seed: '7da178d8db40e14e',
    vpa: '6132e2e99a48cc9e',
  };
  for (const policy of [
    'seed',
    'last-value',
    'seasonal',
    'holt-winters',
    'vpa',
    'autopilot',
    'ml',
    'oracle',
  ]) {
    digests[policy] = (await runPolicy(experiment, policy)).result.decisions.sha256.slice(0, 16);
  }
  expect(digests).toEqual(GOLDEN);
});
