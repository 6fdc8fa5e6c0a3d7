import { ForesizeError } from '../../core/errors.ts';
import { canonicalJson } from '../canonical-json.ts';
import { type Axis, toAxis } from '../sweep/axis.ts';
import type { BaseScenario, Override } from '../sweep/base-scenario.ts';
import { compileConstraint, lookupIn } from '../sweep/constraint.ts';
import { constrained } from '../sweep/designs/design.ts';
import type { Spec } from '../sweep/spec.ts';
import type { TuneSpec } from './spec.ts';

/** A way to set a policy up. */
export interface Candidate {
  readonly policy: string;
  /** Parameters by their path below the policy; empty for the policy as the scenario has it. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/**
 * The candidates of a policy: what the scenario has, then points of its space, `search.candidates` in all. A space
 * of fewer points gives what it has.
 * @throws ForesizeError SWEEP_AXIS_*, SWEEP_CONSTRAINT*
 */
export function candidatesOf(spec: Spec<TuneSpec>, base: BaseScenario, policy: string): Candidate[] {
  const { axes: axisSpecs, constraints } = spec.value.policies[policy]!;
  const { candidates: wanted, design, seed } = spec.value.search;
  const prefix = `policies.${policy}`;
  const axes: Axis[] = Object.entries(axisSpecs).map(([name, axis]) => {
    const where = spec.place(['policies', policy, 'axes', name]);
    base.requirePolicy({ path: `${prefix}.${name}`, where });
    return toAxis(name, axis, where);
  });
  const compiled = constraints.map((text, i) =>
    compileConstraint(text, spec.place(['policies', policy, 'constraints', i])),
  );
  const found: Candidate[] = [{ policy, parameters: {} }];
  if (axes.length === 0 || wanted === 1) return found;
  const seen = new Set<string>();
  const finite = axes.every(({ levels }) => levels !== undefined);
  const size = axes.reduce((product, { levels }) => product * (levels?.length ?? 1), 1);
  const take = (values: unknown[]): Candidate[] => {
    const key = canonicalJson(values);
    if (seen.has(key)) return [];
    const lookup = lookupIn(axes, values, (path) => base.get(`${prefix}.${path}`));
    if (!compiled.every((holds) => holds(lookup))) return [];
    seen.add(key);
    return [{ policy, parameters: Object.fromEntries(axes.map(({ name }, i) => [name, values[i]])) }];
  };
  // A space that holds no more than is wanted is taken whole.
  const points = constrained(
    finite && size < wanted ? { kind: 'grid' } : { kind: design, samples: wanted - 1, seed },
    axes,
    spec.place(['policies', policy]),
    take,
  );
  for (const candidate of points) {
    found.push(candidate);
    if (found.length === wanted) break;
  }
  return found;
}

/** What a candidate sets in the scenario. */
export function overridesOf({ policy, parameters }: Candidate, spec: Spec<TuneSpec>): Override[] {
  const fields = Object.entries(parameters).map(([name, value]) => ({
    path: `policies.${policy}.${name}`,
    value,
    where: spec.place(['policies', policy, 'axes', name]),
  }));
  return [...fields, { path: 'policy', value: policy, where: spec.place(['policies', policy]) }];
}

export function candidateText({ parameters }: Candidate): string {
  const entries = Object.entries(parameters);
  if (entries.length === 0) return 'as in the scenario';
  return entries
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : canonicalJson(value)}`)
    .join(', ');
}

/** @throws ForesizeError TUNE_POLICY */
export function requirePolicies(spec: Spec<TuneSpec>, base: BaseScenario): void {
  const known = Object.keys(base.get('policies') ?? {});
  const named = [
    ...Object.keys(spec.value.policies).map((name) => ({ name, path: ['policies', name] })),
    ...spec.value.references.map((name, i) => ({ name, path: ['references', i] })),
  ];
  for (const { name, path } of named) {
    if (known.includes(name)) continue;
    throw new ForesizeError({
      code: 'TUNE_POLICY',
      what: `the scenario has no policy '${name}'; it has ${known.join(', ')}`,
      where: spec.place(path),
      remedy: 'correct the name, or add the policy to the scenario',
    });
  }
}
