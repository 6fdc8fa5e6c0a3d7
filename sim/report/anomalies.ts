import type { AnomalyMeasures, DetectionFigures } from '../anomalies/measures.ts';
import type { RunResult } from '../result.ts';
import { ANOMALY_KINDS } from '../workload/anomalies/kinds.ts';
import { formatCount, formatNumber, formatPercent, NONE } from './format.ts';

export type WatchedRun = RunResult & { anomalies: AnomalyMeasures };

/** Runs in which anomalies were looked for. */
export function watchedRuns(runs: readonly RunResult[]): WatchedRun[] {
  return runs.filter((run): run is WatchedRun => run.anomalies !== undefined);
}

export const DETECTION_HEAD = [
  'Found',
  'Recall',
  'Precision',
  'Delay, median',
  'Delay, 90th percentile',
  'False alarms',
  'False alarms per VM-day',
] as const;

/** Cells under `DETECTION_HEAD`. */
export function detectionCells(of: DetectionFigures): string[] {
  return [
    of.injected === 0 ? NONE : `${formatCount(of.found)} of ${formatCount(of.injected)}`,
    formatPercent(of.recall),
    formatPercent(of.precision),
    of.delay ? delayOf(of.delay.medianTicks, of.delay.medianMinutes) : NONE,
    of.delay ? delayOf(of.delay.p90Ticks, of.delay.p90Minutes) : NONE,
    formatCount(of.falseAlarms),
    formatNumber(of.falseAlarmsPerVmDay),
  ];
}

function delayOf(ticks: number, minutes: number): string {
  return `${formatCount(ticks)} ${ticks === 1 ? 'tick' : 'ticks'}, ${formatNumber(minutes)} min`;
}

/** The kinds that were injected, then all together: one line each. */
export function detectionLines({ kinds, total }: AnomalyMeasures): [name: string, of: DetectionFigures][] {
  const lines = ANOMALY_KINDS.flatMap((kind): [string, DetectionFigures][] => {
    const of = kinds[kind];
    return of ? [[kindName(kind), of]] : [];
  });
  return [...lines, ['all', total]];
}

export function kindName(kind: string): string {
  return kind.replaceAll('-', ' ');
}

/** "12 raised for 340 VM-ticks, 5 isolated for 210", or that nothing was done. */
export function responseText({ responses: r }: AnomalyMeasures): string {
  const parts = [
    ...(r.raised > 0 ? [`${formatCount(r.raised)} raised for ${formatCount(r.raisedVmTicks)} VM-ticks`] : []),
    ...(r.isolated > 0
      ? [`${formatCount(r.isolated)} isolated for ${formatCount(r.isolatedVmTicks)} VM-ticks`]
      : []),
  ];
  return parts.length > 0 ? parts.join(', ') : 'none';
}

/** How the figures are meant, in a sentence or two. */
export function detectionNote({ toleranceTicks, excused }: AnomalyMeasures): string {
  const out =
    excused > 0
      ? ` ${formatCount(excused)} about a neighbour on the host or from before count as neither.`
      : '';
  return `An alarm is true when raised while an anomaly of its VM lasted or up to ${toleranceTicks} ticks after; an anomaly is found when an alarm was raised while it lasted. Delay counts the first anomalous sample. A false alarm counts against every kind that shows in what it named.${out}`;
}
