import { ForesizeError } from '../../../core/errors.ts';
import { holm } from '../../compare/holm.ts';
import { type NonInferiority, nonInferiority } from '../../compare/non-inferiority.ts';
import { pairRuns } from '../../compare/paired.ts';
import { paretoFront } from '../../compare/pareto.ts';
import { isOracle } from '../../report/measures.ts';
import type { PairedDifference, RunResult } from '../../result.ts';
import type { SweepFolder } from '../folder.ts';
import { type Configuration, configurationsOf, replicateAxes, valueText } from './configurations.ts';
import { poolRuns } from './pool-runs.ts';
import { type Sensitivity, sensitivity } from './sensitivity.ts';

export interface CompareSweepOptions {
  /** `policy=vpa`, or several joined by commas: the configuration the others are measured against. */
  readonly baseline?: string | undefined;
  /** Axes that replicate; seeds and workloads when left out. */
  readonly replicates?: readonly string[] | undefined;
  readonly level: number;
  readonly resamples: number;
  /** How much more time in violation is still no worse, as a share of VM-time. */
  readonly margin?: number | undefined;
  readonly seed?: number;
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

export interface ComparedConfiguration {
  readonly label: string;
  readonly values: Readonly<Record<string, unknown>>;
  readonly policy: string;
  /** It saw the demand to come: the bound, not a competitor. */
  readonly oracle: boolean;
  readonly costPerVmDay: number;
  readonly violationRate: number;
  /** No other configuration is as good in both and better in one. */
  readonly front: boolean;
  /** Against the baseline, by measure; empty for the baseline itself. */
  readonly paired: readonly PairedDifference[];
  readonly nonInferiority: NonInferiority | null;
}

export interface SweepComparison {
  readonly schema: 'foresize/sweep-comparison/v1';
  readonly sweep: string;
  readonly name: string;
  readonly version: string;
  readonly currency: string;
  readonly baseline: string;
  readonly level: number;
  readonly replicates: readonly string[];
  /** By cost, the least first. */
  readonly configurations: readonly ComparedConfiguration[];
  readonly incomplete: readonly string[];
  /** Of cost and violations to each axis, over all points and over those of each policy. */
  readonly sensitivity: readonly (Sensitivity & { readonly policy: string | null })[];
}

const ANY = 'violationRate.any';

/**
 * Every configuration of a sweep against one of them: paired by common random numbers over the same replicates,
 * with intervals clustered by VM and p-values corrected over the whole table; the front of cost against violations;
 * and what each axis explains.
 * @throws ForesizeError SWEEP_COMPARE_*
 */
export function compareSweep(folder: SweepFolder, options: CompareSweepOptions): SweepComparison {
  const { configurations, replicates, incomplete } = configurationsOf(
    folder,
    replicateAxes(folder.plan, options.replicates),
  );
  if (configurations.length < 2) {
    throw new ForesizeError({
      code: 'SWEEP_COMPARE_TOO_FEW',
      what: `${configurations.length} configurations have runs on all of ${replicates.length} replicates`,
      where: folder.path,
      remedy:
        incomplete.length > 0
          ? 'finish the sweep with --resume'
          : 'sweep over a field of a policy, or over the policies themselves',
    });
  }
  const policyOf = (c: Configuration) => folder.record(c.runs[0]!).result.policy;
  const policies = configurations.map(policyOf);
  const baseline = configurations[chooseBaseline(configurations, policies, options.baseline)]!;
  const pool = (c: Configuration): RunResult =>
    poolRuns(
      c.label,
      c.runs.map((id, i) => ({ name: replicates[i]!, record: folder.record(id) })),
    );
  const against = pool(baseline);
  const { level, resamples, seed = 0 } = options;
  const compared = configurations.map((configuration, i) => {
    options.onProgress?.(i, configurations.length);
    const run = configuration === baseline ? against : pool(configuration);
    const seconds = sum(run.days.seconds);
    return {
      label: configuration.label,
      values: configuration.values,
      policy: policies[i]!,
      oracle: isOracle(policies[i]!),
      costPerVmDay: (sum(run.days.cost) / seconds) * 86_400,
      violationRate: sum(run.days.starvedAny ?? []) / seconds,
      paired: configuration === baseline ? [] : pairRuns(run, against, { level, resamples, seed }),
    };
  });
  options.onProgress?.(configurations.length, configurations.length);
  const adjusted = holm(compared.flatMap(({ paired }) => paired.map(({ pHolm }) => pHolm)));
  let next = 0;
  const corrected = compared.map((c) => ({
    ...c,
    paired: c.paired.map((difference) => ({ ...difference, pHolm: adjusted[next++]! })),
  }));
  const rivals = corrected.filter(({ oracle }) => !oracle);
  const front = new Set(
    paretoFront(rivals.map(({ costPerVmDay, violationRate }) => ({ x: costPerVmDay, y: violationRate }))).map(
      (i) => rivals[i]!.label,
    ),
  );
  return {
    schema: 'foresize/sweep-comparison/v1',
    sweep: folder.plan.id,
    name: folder.plan.name,
    version: folder.plan.version,
    currency: against.currency,
    baseline: baseline.label,
    level,
    replicates,
    configurations: corrected
      .map((c): ComparedConfiguration => {
        const any = c.paired.find(({ measure }) => measure === ANY);
        const margin = options.margin;
        return {
          ...c,
          front: front.has(c.label),
          nonInferiority: any && margin !== undefined ? nonInferiority(any, margin) : null,
        };
      })
      .sort((a, b) => a.costPerVmDay - b.costPerVmDay),
    incomplete,
    sensitivity: sensitivities(folder, level, seed),
  };
}

/** The named configuration; else the only one of vpa or of static; else the first of a sweep over one policy. */
function chooseBaseline(
  configurations: readonly Configuration[],
  policies: readonly string[],
  named: string | undefined,
): number {
  const problem = (what: string) =>
    new ForesizeError({
      code: 'SWEEP_COMPARE_BASELINE',
      what,
      where: '--baseline',
      remedy: `name one configuration by its axes, such as foresize sweep compare FOLDER --baseline "${configurations[0]!.label}"`,
    });
  if (named !== undefined) {
    const wanted = named.split(',').map((part) => part.trim());
    const matching = configurations.flatMap(({ values }, i) => {
      const own = Object.entries(values).map(([name, value]) => `${name}=${valueText(value)}`);
      return wanted.every((part) => own.includes(part)) ? [i] : [];
    });
    // A label may itself hold commas.
    const exact = configurations.findIndex(({ label }) => label === named);
    if (exact >= 0) return exact;
    if (matching.length === 1) return matching[0]!;
    throw problem(`'${named}' fits ${matching.length} configurations`);
  }
  for (const policy of ['vpa', 'static']) {
    const matching = policies.flatMap((name, i) => (name === policy ? [i] : []));
    if (matching.length === 1) return matching[0]!;
  }
  if (new Set(policies).size === 1) return 0;
  throw problem('several configurations could be the baseline');
}

/** Over all points, and over those of each policy when that is an axis: thresholds mean nothing to another policy. */
function sensitivities(
  folder: SweepFolder,
  level: number,
  seed: number,
): (Sensitivity & { policy: string | null })[] {
  const { plan, finished } = folder;
  const points = plan.points.filter(({ id }) => finished.has(id));
  const cache = new Map<string, { policy: string; cost: number; rate: number }>();
  const measured = points.map(({ id, values }) => {
    let known = cache.get(id);
    if (!known) {
      const { measures, result } = folder.record(id);
      known = {
        policy: result.policy,
        cost: measures['cost_per_vm_day'] ?? Number.NaN,
        rate: measures['violation_rate'] ?? Number.NaN,
      };
      cache.set(id, known);
    }
    return { ...known, id, values };
  });
  const policies = [...new Set(measured.map(({ policy }) => policy))];
  const options = { exact: plan.design === 'grid', level, seed };
  return [null, ...(policies.length > 1 ? policies : [])].flatMap((policy) => {
    // Of one policy, each run once: an axis that is nothing to it then does not vary.
    const seen = new Set<string>();
    const own = measured.filter(({ id, policy: of }) => {
      if (policy === null) return true;
      const first = !seen.has(id);
      seen.add(id);
      return of === policy && first;
    });
    return plan.axes.flatMap(({ name }, axis) =>
      (['cost', 'rate'] as const).flatMap((measure) => {
        const found = sensitivity(
          name,
          measure === 'cost' ? 'costPerVmDay' : ANY,
          own.map(({ values }) => values[axis]),
          own.map((point) => point[measure]),
          options,
        );
        return found ? [{ ...found, policy }] : [];
      }),
    );
  });
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
