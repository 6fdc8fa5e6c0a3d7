import type { Evidence, StagePlan } from '../../core/bundle.ts';
import { normalQuantile } from '../../core/math.ts';
import { OBSERVED_MEASURES, type ObservedMeasure } from '../../core/observed.ts';
import type { Stage } from '../operations.ts';
import type { Tally } from './tally.ts';

/** A live figure against what the simulator promised. */
export interface Check {
  readonly measure: string;
  readonly unit: string;
  readonly live: number | null;
  /** The simulator's interval, widened by the tolerance. */
  readonly low: number;
  readonly high: number;
  /** null: not to be told yet, or not in this stage. */
  readonly holds: boolean | null;
  /** Whether the stage can be judged by it at all. */
  readonly counts: boolean;
}

/** One-sided 95 %: a figure outside is a breach only when its own error does not explain it. */
const Z = normalQuantile(0.95);

/**
 * Every measure the bundle has evidence for. Only the bad side is a breach: fewer violations than promised are none.
 * While nothing is resized (shadow) only the forecast can be judged; the rest is shown.
 */
export function checksOf(stage: Stage, tally: Tally, { observed }: Evidence, plan: StagePlan): Check[] {
  const enough = tally.vmDays >= plan.minVmDays;
  return OBSERVED_MEASURES.flatMap((measure): Check[] => {
    const promised = observed.find((estimate) => estimate.measure === measure.name);
    if (!promised || promised.estimate === null) return [];
    const tolerance = toleranceOf(measure, plan);
    const low = Math.max(0, (promised.low ?? promised.estimate) - tolerance);
    const high = Math.min(measure.most, (promised.high ?? promised.estimate) + tolerance);
    const figure = tally.figure(measure);
    const counts = figure !== undefined && (measure.passive || stage !== 'shadow');
    const limit = measure.worse === 'higher' ? high : low;
    return [
      {
        measure: measure.name,
        unit: measure.unit,
        live: figure?.value ?? null,
        low,
        high,
        holds: enough && counts ? judge(measure, figure.value, figure.error, limit) : null,
        counts,
      },
    ];
  });
}

function judge({ worse }: ObservedMeasure, value: number, error: number, limit: number): boolean | null {
  const beyond = worse === 'higher' ? value - limit : limit - value;
  if (beyond <= 0) return true;
  return beyond > Z * error ? false : null;
}

function toleranceOf({ name }: ObservedMeasure, { tolerance }: StagePlan): number {
  switch (name) {
    case 'pressureRate':
    case 'costRatio':
    case 'resizesPerVmDay':
      return tolerance[name];
    default:
      return tolerance.coverage;
  }
}
