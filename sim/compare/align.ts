import { ForesizeError } from '../../core/errors.ts';
import { RESOURCES, type Resource } from '../../core/model.ts';
import type { RunResult, VmDays } from '../result.ts';
import type { VmDayMatrix } from './two-stage.ts';

/** What a violation is counted over: one resource, or any managed one. */
export type Starvation = Resource | 'any';

/** Columns of an aligned pair: seconds, then per measure policy - baseline and baseline. */
export interface AlignedPair {
  matrix: VmDayMatrix;
  vmIds: string[];
  /** Measures in column order: difference in column 1 + 2k, baseline in 2 + 2k. */
  measures: ('cost' | Starvation)[];
}

/** The starved column of `days` for one resource or any; undefined where it is not managed or not kept. */
export function starvedColumn(days: VmDays, of: Starvation): number[] | undefined {
  return of === 'any' ? days.starvedAny : days.starved[of];
}

/**
 * Pairs the VM-days of two runs row by row.
 *
 * @throws ForesizeError when the runs are not over the same VM-days, money or maker of forecasts.
 */
export function alignRuns(policy: RunResult, baseline: RunResult): AlignedPair {
  requireComparable(policy, baseline);
  const vmIds = [...baseline.days.vmIds].sort();
  const a = sortedRows(policy.days);
  const b = sortedRows(baseline.days);
  const rows = b.length;
  if (a.length !== rows) throw differentDays(policy, baseline, `${a.length} and ${rows} VM-days`);

  const starvation = (['any', ...RESOURCES] as const).filter(
    (of) => starvedColumn(policy.days, of) !== undefined && starvedColumn(baseline.days, of) !== undefined,
  );
  const measures = ['cost' as const, ...starvation];
  const of = (run: RunResult) =>
    measures.map((m) => (m === 'cost' ? run.days.cost : starvedColumn(run.days, m)!));
  const fromPolicy = of(policy);
  const fromBaseline = of(baseline);

  const columns = 1 + 2 * measures.length;
  const values = new Float64Array(rows * columns);
  const starts = new Int32Array(vmIds.length + 1);
  let vm = 0;
  for (let row = 0; row < rows; row++) {
    const i = a[row]!;
    const j = b[row]!;
    const id = baseline.days.vmIds[baseline.days.vm[j]!]!;
    const seconds = baseline.days.seconds[j]!;
    if (
      policy.days.vmIds[policy.days.vm[i]!] !== id ||
      policy.days.day[i] !== baseline.days.day[j] ||
      Math.abs(policy.days.seconds[i]! - seconds) > 0.5
    )
      throw differentDays(policy, baseline, `VM ${id}, day ${baseline.days.day[j]}`);
    while (vmIds[vm] !== id) starts[++vm] = row;
    values[row * columns] = seconds;
    for (let k = 0; k < measures.length; k++) {
      values[row * columns + 1 + 2 * k] = fromPolicy[k]![i]! - fromBaseline[k]![j]!;
      values[row * columns + 2 + 2 * k] = fromBaseline[k]![j]!;
    }
  }
  while (vm < vmIds.length) starts[++vm] = rows;
  return { matrix: withoutEmptyVms({ vms: vmIds.length, starts, columns, values }), vmIds, measures };
}

/** Row numbers by VM id and then day. */
function sortedRows(days: VmDays): number[] {
  const rank = new Int32Array(days.vmIds.length);
  days.vmIds
    .map((id, i) => ({ id, i }))
    .sort((x, y) => (x.id < y.id ? -1 : x.id > y.id ? 1 : 0))
    .forEach(({ i }, position) => {
      rank[i] = position;
    });
  return days.vm
    .map((_, row) => row)
    .sort((x, y) => rank[days.vm[x]!]! - rank[days.vm[y]!]! || days.day[x]! - days.day[y]!);
}

/** A VM without a scored day cannot be drawn. */
function withoutEmptyVms(matrix: VmDayMatrix): VmDayMatrix {
  const starts = [...matrix.starts].filter((start, i, all) => i === 0 || start !== all[i - 1]);
  return { ...matrix, vms: starts.length - 1, starts: Int32Array.from(starts) };
}

function requireComparable(policy: RunResult, baseline: RunResult): void {
  const where = `${policy.policy} against ${baseline.policy}`;
  if (policy.currency !== baseline.currency)
    throw new ForesizeError({
      code: 'COMPARE_CURRENCIES_DIFFER',
      what: `The runs are priced in ${policy.currency} and ${baseline.currency}.`,
      where,
      remedy: 'Run both with the same price list.',
    });
  if (policy.seed !== baseline.seed)
    throw new ForesizeError({
      code: 'COMPARE_SEEDS_DIFFER',
      what: `The runs were made with the seeds ${policy.seed} and ${baseline.seed}, so they did not meet the same workload.`,
      where,
      remedy: 'Run both with the same seed.',
    });
  const backends = [policy.backend, baseline.backend].filter((name) => name !== 'none');
  if (backends.length === 2 && backends[0] !== backends[1])
    throw new ForesizeError({
      code: 'COMPARE_BACKENDS_DIFFER',
      what: `The forecasts were made by different tensor backends, ${backends.join(' and ')}, whose figures differ.`,
      where,
      remedy: 'Run both with the same backend.',
    });
  const ids = new Set(baseline.days.vmIds);
  if (policy.days.vmIds.length !== ids.size || !policy.days.vmIds.every((id) => ids.has(id)))
    throw new ForesizeError({
      code: 'COMPARE_VMS_DIFFER',
      what: 'The runs are not over the same VMs.',
      where,
      remedy: 'A paired comparison needs the same scenario, traces and seed in both runs.',
    });
}

function differentDays(policy: RunResult, baseline: RunResult, where: string): ForesizeError {
  return new ForesizeError({
    code: 'COMPARE_DAYS_DIFFER',
    what: 'The runs did not observe the same VMs for the same time.',
    where: `${policy.policy} against ${baseline.policy}: ${where}`,
    remedy: 'A paired comparison needs the same scenario, traces and seed in both runs.',
  });
}
