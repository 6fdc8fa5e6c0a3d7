import { RESOURCES, type Resource } from '../../core/model.ts';
import { bcaInterval, bcaTwoSidedP } from '../compare/bca.ts';
import { holm } from '../compare/holm.ts';
import { bootstrapRatio } from '../compare/ratio.ts';
import { resampleTwoStage, type VmDayMatrix } from '../compare/two-stage.ts';
import { type AccuracyRow, type ModelAccuracy, QUANTILES } from './accuracy.ts';

/** Mean scaled loss of a model less that of the reference, on the same forecasts. Below 0 the model is better. */
export interface AccuracyDifference {
  readonly model: string;
  readonly reference: string;
  readonly resource: Resource;
  readonly measure: string;
  readonly difference: number;
  /** Difference / the reference's loss. */
  readonly relative: number;
  readonly low: number | null;
  readonly high: number | null;
  readonly level: number;
  readonly pHolm: number;
  readonly vms: number;
}

const MEASURES: readonly { name: string; loss: (row: AccuracyRow) => number }[] = [
  { name: 'mase', loss: (row) => row.absoluteError },
  ...[0.5, 0.9, 0.95, 0.99].map((tau) => {
    const q = QUANTILES.indexOf(tau as (typeof QUANTILES)[number]);
    return { name: `pinball.${tau}`, loss: (row: AccuracyRow) => row.pinball[q]! };
  }),
];

/**
 * Paired differences of every model to every reference: losses scaled by the VM, two-stage bootstrap clustered by VM
 * with blocks of days, BCa intervals, Holm's correction over the whole table.
 */
export function pairAccuracies(
  models: readonly ModelAccuracy[],
  references: readonly string[],
  options: { level: number; resamples: number; seed: number },
): AccuracyDifference[] {
  const out: AccuracyDifference[] = [];
  for (const reference of models.filter((m) => references.includes(m.model))) {
    for (const model of models) {
      if (model === reference) continue;
      for (const resource of RESOURCES) out.push(...pairResource(model, reference, resource, options));
    }
  }
  const adjusted = holm(out.map((row) => row.pHolm));
  return out.map((row, i) => ({ ...row, pHolm: adjusted[i]! }));
}

function pairResource(
  model: ModelAccuracy,
  reference: ModelAccuracy,
  resource: Resource,
  { level, resamples, seed }: { level: number; resamples: number; seed: number },
): AccuracyDifference[] {
  const matrix = pairRows(model, reference, resource);
  if (!matrix) return [];
  const draws = resampleTwoStage(matrix, resamples, seed);
  const df = matrix.vms - 1;
  return MEASURES.flatMap(({ name }, k) => {
    const difference = bootstrapRatio(matrix, draws, 1 + 2 * k, 0);
    if (!difference) return [];
    let points = 0;
    let loss = 0;
    for (let at = 0; at < matrix.values.length; at += matrix.columns) {
      points += matrix.values[at]!;
      loss += matrix.values[at + 2 + 2 * k]!;
    }
    const interval = df > 0 ? bcaInterval(difference, level, df) : undefined;
    return [
      {
        model: model.model,
        reference: reference.model,
        resource,
        measure: name,
        difference: difference.estimate,
        relative: difference.estimate / (loss / points),
        low: interval?.low ?? null,
        high: interval?.high ?? null,
        level,
        pHolm: df > 0 ? bcaTwoSidedP(difference, df) : 1,
        vms: matrix.vms,
      },
    ];
  });
}

/** Rows of [points, difference and reference loss of each measure], of the VM-days both have, scaled by the VM. */
function pairRows(
  model: ModelAccuracy,
  reference: ModelAccuracy,
  resource: Resource,
): VmDayMatrix | undefined {
  const mine = model.rows[resource];
  const theirs = reference.rows[resource];
  const scales = reference.scales[resource];
  if (!mine || !theirs || !scales) return undefined;
  const key = (row: AccuracyRow) => row.vm * 100_000 + row.day;
  const byKey = new Map(mine.map((row) => [key(row), row]));
  const columns = 1 + 2 * MEASURES.length;
  const values: number[] = [];
  const starts: number[] = [0];
  let vms = 0;
  let last = -1;
  for (const row of theirs) {
    const other = byKey.get(key(row));
    const scale = scales[row.vm]!;
    if (!other || scale === 0) continue;
    if (row.vm !== last) {
      if (last >= 0) starts.push(values.length / columns);
      last = row.vm;
      vms++;
    }
    values.push(row.points);
    for (const { loss } of MEASURES) values.push((loss(other) - loss(row)) / scale, loss(row) / scale);
  }
  starts.push(values.length / columns);
  return vms === 0
    ? undefined
    : { vms, starts: Int32Array.from(starts), columns, values: Float64Array.from(values) };
}
