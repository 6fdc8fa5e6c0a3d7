import { ForesizeError } from '../../core/errors.ts';
import type { PairedDifference, RunResult } from '../result.ts';
import { alignRuns } from './align.ts';
import { bcaInterval, bcaTwoSidedP } from './bca.ts';
import { holm } from './holm.ts';
import { bootstrapRatio } from './ratio.ts';
import { blockLength, resampleTwoStage, type VmDayMatrix, vmTotals } from './two-stage.ts';

export interface CompareOptions {
  /** Of the two-sided intervals; 0.95. */
  level?: number;
  seed?: number;
  /** 2,000. */
  resamples?: number;
}

const DAY = 86_400;

/**
 * Every other run against the one named `baselineName`: the paired difference of cost per VM-day
 * (`costPerVmDay`) and of the share of VM-time in violation (`violationRate.any`, `violationRate.cpu` ...), each
 * with a BCa interval from the two-stage bootstrap and a p corrected over the whole table. The estimators are
 * ratios of sums, so that a VM counts by the time it was seen. See docs/statistics.md.
 *
 * @throws ForesizeError when the baseline is missing or the runs cannot be paired.
 */
export function compareRuns(
  runs: readonly RunResult[],
  baselineName: string,
  { level = 0.95, seed = 0, resamples = 2000 }: CompareOptions = {},
): PairedDifference[] {
  const baseline = runs.find((run) => run.policy === baselineName);
  if (!baseline)
    throw new ForesizeError({
      code: 'COMPARE_NO_BASELINE',
      what: `No run has the policy "${baselineName}" to compare with.`,
      where: 'baseline',
      remedy: `Name one of: ${runs.map((run) => run.policy).join(', ')}.`,
    });
  const rows = runs
    .filter((run) => run !== baseline)
    .flatMap((run) => pairRuns(run, baseline, { level, seed, resamples }));
  const adjusted = holm(rows.map((row) => row.pHolm));
  return rows.map((row, i) => ({ ...row, pHolm: adjusted[i]! }));
}

/** One pair; `pHolm` still holds the p of each comparison alone. */
export function pairRuns(
  policy: RunResult,
  baseline: RunResult,
  options: Required<CompareOptions>,
): PairedDifference[] {
  checkOptions(options);
  const { matrix, measures } = alignRuns(policy, baseline);
  if (matrix.vms === 0) return [];
  const draws = resampleTwoStage(matrix, options.resamples, options.seed);
  const df = degreesOfFreedom(matrix);
  return measures.flatMap((measure, k): PairedDifference[] => {
    const cost = measure === 'cost';
    const scale = cost ? DAY : 1;
    const difference = bootstrapRatio(matrix, draws, 1 + 2 * k, 0);
    if (!difference) return [];
    const relative = bootstrapRatio(matrix, draws, 1 + 2 * k, 2 + 2 * k);
    const totals = columnTotals(matrix);
    const baselineMean = (totals[2 + 2 * k]! / totals[0]!) * scale;
    const interval = df > 0 ? bcaInterval(difference, options.level, df) : null;
    const ratio = df > 0 && relative ? bcaInterval(relative, options.level, df) : null;
    return [
      {
        policy: policy.policy,
        baseline: baseline.policy,
        measure: cost ? 'costPerVmDay' : `violationRate.${measure}`,
        unit: cost ? `${policy.currency}/VM-day` : 'share of VM-time',
        policyMean: baselineMean + difference.estimate * scale,
        baselineMean,
        difference: difference.estimate * scale,
        low: interval && interval.low * scale,
        high: interval && interval.high * scale,
        relative: relative && {
          value: relative.estimate,
          low: finite(ratio?.low),
          high: finite(ratio?.high),
        },
        level: options.level,
        effectSize: effectSize(matrix, 1 + 2 * k),
        pHolm: df > 0 ? bcaTwoSidedP(difference, df) : 1,
        vms: matrix.vms,
      },
    ];
  });
}

function checkOptions({ level, resamples }: Required<CompareOptions>): void {
  if (!(level > 0 && level < 1)) {
    throw new ForesizeError({
      code: 'COMPARE_LEVEL',
      what: `The level of an interval lies between 0 and 1, not at ${level}.`,
      where: 'level',
      remedy: 'Use 0.95.',
    });
  }
  if (!(Number.isInteger(resamples) && resamples >= 100)) {
    throw new ForesizeError({
      code: 'COMPARE_RESAMPLES',
      what: `An interval cannot be had from ${resamples} resamples.`,
      where: 'resamples',
      remedy: 'Use 2000; 100 is the least.',
    });
  }
}

/** VMs - 1; of a single VM, its blocks of days - 1. 0 means that nothing can be said of the spread. */
export function degreesOfFreedom({ vms, starts }: VmDayMatrix): number {
  if (vms > 1) return vms - 1;
  const days = starts[1]!;
  return Math.ceil(days / blockLength(days)) - 1;
}

/** Mean of the VMs' own differences over their standard deviation; null where that is 0 or not defined. */
function effectSize(matrix: VmDayMatrix, column: number): number | null {
  const { vms, columns } = matrix;
  const totals = vmTotals(matrix);
  const rates = new Float64Array(vms);
  let mean = 0;
  let seen = 0;
  for (let v = 0; v < vms; v++) {
    const seconds = totals[v * columns]!;
    if (!(seconds > 0)) continue;
    rates[seen] = totals[v * columns + column]! / seconds;
    mean += rates[seen++]!;
  }
  mean /= seen;
  let squares = 0;
  for (let i = 0; i < seen; i++) squares += (rates[i]! - mean) * (rates[i]! - mean);
  const sd = Math.sqrt(squares / (seen - 1));
  return sd > 1e-12 * Math.abs(mean) ? mean / sd : null;
}

function columnTotals(matrix: VmDayMatrix): Float64Array {
  const totals = new Float64Array(matrix.columns);
  for (let i = 0; i < matrix.values.length; i++) {
    const c = i % matrix.columns;
    totals[c] = totals[c]! + matrix.values[i]!;
  }
  return totals;
}

function finite(x: number | undefined): number | null {
  return x !== undefined && Number.isFinite(x) ? x : null;
}
