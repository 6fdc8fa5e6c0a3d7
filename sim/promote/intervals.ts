import type { Estimate } from '../../core/bundle.ts';
import { RESOURCES } from '../../core/model.ts';
import {
  forecastsColumn,
  nominalColumn,
  OBSERVED_FIELDS,
  OBSERVED_MEASURES,
  type ObservedMeasure,
} from '../../core/observed.ts';
import { starvedColumn } from '../compare/align.ts';
import { bcaInterval } from '../compare/bca.ts';
import { degreesOfFreedom } from '../compare/paired.ts';
import { bootstrapRatio } from '../compare/ratio.ts';
import { resampleTwoStage, type VmDayMatrix } from '../compare/two-stage.ts';
import type { RunResult } from '../result.ts';
import type { SimulationEvidence } from '../simulate.ts';

export interface IntervalOptions {
  readonly level: number;
  readonly resamples: number;
  readonly seed: number;
}

/** A ratio of two columns of a VM-day matrix. */
type Ratio = Pick<ObservedMeasure, 'name' | 'unit' | 'numerator' | 'denominator' | 'scale'>;

const DAY_S = 86_400;

/** What only the simulator knows: cost, and the share of VM-time in which demand was above the allocation. */
export function demandEstimates(result: RunResult, options: IntervalOptions): Estimate[] {
  const { days, currency } = result;
  const short = (['any', ...RESOURCES] as const).flatMap((of) => {
    const values = starvedColumn(days, of);
    return values ? [{ of, values }] : [];
  });
  const ratios: Ratio[] = [
    { name: 'costPerVmDay', unit: `${currency}/VM-day`, numerator: 1, denominator: 0, scale: DAY_S },
    ...short.map(({ of }, i) => ({
      name: `violationRate.${of}`,
      unit: 'share of VM-time',
      numerator: 2 + i,
      denominator: 0,
      scale: 1,
    })),
  ];
  const rows = days.vm.map((vm, i) => ({
    vmId: days.vmIds[vm]!,
    day: days.day[i]!,
    sums: [days.seconds[i]!, days.cost[i]!, ...short.map(({ values }) => values[i]!)],
  }));
  return estimates(matrixOf(rows, 2 + short.length), ratios, options);
}

/** What a live daemon could have seen as well; of a coverage also the quantile that was asked for. */
export function observedEstimates(days: SimulationEvidence['days'], options: IntervalOptions): Estimate[] {
  const matrix = matrixOf(days, OBSERVED_FIELDS);
  return estimates(matrix, OBSERVED_MEASURES, options).map((estimate) => {
    const r = RESOURCES.findIndex((name) => estimate.measure === `coverage.${name}`);
    if (r < 0) return estimate;
    return { ...estimate, nominal: total(matrix, nominalColumn(r)) / total(matrix, forecastsColumn(r)) };
  });
}

/** Each ratio with its BCa interval from the two-stage bootstrap clustered by VM; see docs/statistics.md. */
function estimates(matrix: VmDayMatrix, ratios: readonly Ratio[], options: IntervalOptions): Estimate[] {
  if (matrix.vms === 0) return [];
  const draws = resampleTwoStage(matrix, options.resamples, options.seed);
  const df = degreesOfFreedom(matrix);
  return ratios.flatMap(({ name, unit, numerator, denominator, scale }): Estimate[] => {
    const ratio = bootstrapRatio(matrix, draws, numerator, denominator);
    if (!ratio) return [];
    const interval = df > 0 ? bcaInterval(ratio, options.level, df) : null;
    const scaled = (x: number | undefined) => (x !== undefined && Number.isFinite(x) ? x * scale : null);
    return [
      {
        measure: name,
        unit,
        estimate: scaled(ratio.estimate),
        low: scaled(interval?.low),
        high: scaled(interval?.high),
      },
    ];
  });
}

interface Row {
  readonly vmId: string;
  readonly day: number;
  readonly sums: ArrayLike<number>;
}

/** Rows by VM and day; what a VM left behind twice in a day, by going and coming back, is one row. */
function matrixOf(given: readonly Row[], columns: number): VmDayMatrix {
  const rows = [...given].sort((a, b) => (a.vmId === b.vmId ? a.day - b.day : a.vmId < b.vmId ? -1 : 1));
  const values = new Float64Array(rows.length * columns);
  const starts: number[] = [];
  let n = 0;
  rows.forEach((row, i) => {
    const before = rows[i - 1];
    if (before?.vmId !== row.vmId) starts.push(n);
    if (before?.vmId === row.vmId && before.day === row.day) n--;
    for (let c = 0; c < columns; c++) {
      values[n * columns + c] = values[n * columns + c]! + row.sums[c]!;
    }
    n++;
  });
  return {
    vms: starts.length,
    starts: Int32Array.of(...starts, n),
    columns,
    values: values.subarray(0, n * columns),
  };
}

function total({ values, columns }: VmDayMatrix, column: number): number {
  let sum = 0;
  for (let i = column; i < values.length; i += columns) sum += values[i]!;
  return sum;
}
