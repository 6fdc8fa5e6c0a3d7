import { stringify } from 'yaml';
import { ForesizeError } from '../core/errors.ts';
import { canonicalJson } from './canonical-json.ts';
import { codeVersion } from './code-version.ts';
import { compareRuns } from './compare/paired.ts';
import type { Comparison, RunResult } from './result.ts';
import { sha256 } from './run-folder.ts';
import type { Scenario } from './scenario.ts';

/** The policies a scenario compares, in order. */
export function comparedPolicies(scenario: Scenario): string[] {
  return scenario.compare.policies ?? Object.keys(scenario.policies);
}

/** The policy that the others are measured against: the named one, else vpa, static or the first. */
export function baselineOf(scenario: Scenario): string {
  const names = comparedPolicies(scenario);
  const baseline =
    scenario.compare.baseline ?? ['vpa', 'static'].find((name) => names.includes(name)) ?? names[0]!;
  if (!names.includes(baseline)) {
    throw new ForesizeError({
      code: 'COMPARE_BASELINE',
      what: `the baseline '${baseline}' is not among the compared policies`,
      where: 'compare.baseline',
      remedy: `add it to compare.policies or choose one of: ${names.join(', ')}`,
    });
  }
  return baseline;
}

/** Pairs the runs of one scenario. */
export function toComparison(scenario: Scenario, runs: RunResult[]): Comparison {
  const baseline = baselineOf(scenario);
  const { level, resamples } = scenario.compare;
  return {
    schema: 'foresize/comparison/v1',
    id: sha256(canonicalJson([runs.map((run) => run.id), baseline, level, resamples])).slice(0, 16),
    scenarioYaml: stringify(scenario),
    name: scenario.name,
    description: scenario.description,
    version: codeVersion(),
    baseline,
    runs,
    paired: compareRuns(runs, baseline, { level, resamples, seed: scenario.seed }),
  };
}
