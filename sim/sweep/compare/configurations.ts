import { ForesizeError } from '../../../core/errors.ts';
import { canonicalJson } from '../../canonical-json.ts';
import type { SweepFolder } from '../folder.ts';
import type { Plan } from '../plan.ts';

/** A way to set up a policy, run on every replicate of the sweep. */
export interface Configuration {
  /** `policy=threshold, up=1.2`: the axes that matter to it. */
  readonly label: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** Ids of its runs, in the order of the replicates. */
  readonly runs: readonly string[];
}

export interface Configurations {
  readonly configurations: readonly Configuration[];
  /** What each configuration was run on: `seed=1`, `seed=2` ... */
  readonly replicates: readonly string[];
  /** Labels of configurations that lack finished runs, and are left out. */
  readonly incomplete: readonly string[];
}

/** Axes over what a policy cannot choose: seeds and workloads. */
export function replicateAxes(plan: Plan, named: readonly string[] | undefined): string[] {
  const known = plan.axes.map(({ name }) => name);
  for (const name of named ?? []) {
    if (known.includes(name)) continue;
    throw new ForesizeError({
      code: 'SWEEP_COMPARE_AXIS',
      what: `the sweep has no axis '${name}'`,
      where: '--replicates',
      remedy: `its axes are ${known.join(', ')}`,
    });
  }
  if (named) return [...named];
  const isGiven = (field: string) =>
    field === 'seed' || field === 'workload' || field.startsWith('workload.');
  return plan.axes.filter(({ fields }) => fields.every(isGiven)).map(({ name }) => name);
}

/**
 * Sorts a sweep's points by configuration and replicate. Points that come to the same runs, because an axis is
 * nothing to their policy, are one configuration.
 */
export function configurationsOf(folder: SweepFolder, replicates: readonly string[]): Configurations {
  const { plan, finished } = folder;
  const isReplicate = plan.axes.map(({ name }) => replicates.includes(name));
  const textOf = (values: readonly unknown[], wanted: boolean) =>
    plan.axes
      .map(({ name }, i) => (isReplicate[i] === wanted ? `${name}=${valueText(values[i])}` : ''))
      .filter((text) => text !== '')
      .join(', ');
  const order: string[] = [];
  const bySetting = new Map<string, { values: readonly unknown[]; ids: Map<string, string> }>();
  for (const { id, values } of plan.points) {
    const replicate = textOf(values, true);
    if (!order.includes(replicate)) order.push(replicate);
    const setting = textOf(values, false);
    const known = bySetting.get(setting) ?? { values, ids: new Map<string, string>() };
    known.ids.set(replicate, id);
    bySetting.set(setting, known);
  }
  const merged = new Map<string, { points: (readonly unknown[])[]; runs: (string | undefined)[] }>();
  for (const { values, ids } of bySetting.values()) {
    const runs = order.map((replicate) => ids.get(replicate));
    const key = runs.join(' ');
    const same = merged.get(key);
    if (same) same.points.push(values);
    else merged.set(key, { points: [values], runs });
  }
  const configurations: Configuration[] = [];
  const incomplete: string[] = [];
  for (const { points, runs } of merged.values()) {
    const values = agreed(plan, isReplicate, points);
    const label =
      Object.entries(values)
        .map(([name, value]) => `${name}=${valueText(value)}`)
        .join(', ') || 'all';
    const whole = runs.filter((id): id is string => id !== undefined && finished.has(id));
    if (whole.length < order.length) incomplete.push(label);
    else configurations.push({ label, values, runs: whole });
  }
  return { configurations, replicates: order, incomplete };
}

/** The axes on which all points of a configuration agree: the others are nothing to it. */
function agreed(
  plan: Plan,
  isReplicate: readonly boolean[],
  points: readonly (readonly unknown[])[],
): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  plan.axes.forEach(({ name }, i) => {
    if (isReplicate[i]) return;
    const text = canonicalJson(points[0]![i]);
    if (points.every((point) => canonicalJson(point[i]) === text)) values[name] = points[0]![i];
  });
  return values;
}

export function valueText(value: unknown): string {
  return typeof value === 'string' ? value : canonicalJson(value);
}
