import { RESOURCES, type Resource } from '../../core/model.ts';
import { ANOMALY_KINDS, ANOMALY_SHAPES, type AnomalyKind } from '../workload/anomalies/kinds.ts';
import { matchAlarms, type RaisedAlarm, type Truth, type Verdict } from './matching.ts';

/** How well anomalies were detected. docs/anomalies.md has the definitions. */
export interface DetectionFigures {
  /** Anomalies that began in the scored time, and those found. */
  injected: number;
  found: number;
  /** found / injected; null where none was injected. */
  recall: number | null;
  /** Alarms about them, and false alarms. */
  trueAlarms: number;
  falseAlarms: number;
  /** trueAlarms / (trueAlarms + falseAlarms); null without alarms, or where none was injected. */
  precision: number | null;
  falseAlarmsPerVmDay: number;
  /** From the first anomalous sample to the alarm, counting it, of those found; null where none was. */
  delay: { medianTicks: number; p90Ticks: number; medianMinutes: number; p90Minutes: number } | null;
}

export interface AlarmLine {
  vmId: string;
  applicationId: string;
  /** Ticks. `end` is null for one that lasts beyond the run. */
  onset: number;
  raised: number;
  end: number | null;
  severity: 'low' | 'medium' | 'high';
  resources: (Resource | 'joint')[];
  explanation: string;
  verdict: Verdict;
}

export interface TruthLine {
  vmId: string;
  kind: AnomalyKind;
  /** First and last tick whose sample shows it. */
  first: number;
  last: number;
  /** Ticks to the alarm; null = missed. */
  delay: number | null;
}

export interface AnomalyMeasures {
  /** Ticks after an anomaly in which alarms are put down to it. */
  toleranceTicks: number;
  total: DetectionFigures;
  /** By kind, those that were injected. A false alarm counts against every kind that shows in a resource it named. */
  kinds: Partial<Record<AnomalyKind, DetectionFigures>>;
  /** Alarms about anomalies from before scoring or about a neighbour on the host: neither true nor false. */
  excused: number;
  /** Responses that began, and the VM-ticks they stood. */
  responses: { raised: number; isolated: number; raisedVmTicks: number; isolatedVmTicks: number };
  /** The first alarms and anomalies, in order of time. */
  alarms: AlarmLine[];
  truths: TruthLine[];
}

/** Alarms and anomalies a result keeps. */
const KEPT = 500;

export function anomalyMeasures(
  alarms: readonly (Omit<AlarmLine, 'verdict'> & Pick<RaisedAlarm, 'neighbour'>)[],
  truths: readonly Truth[],
  responses: AnomalyMeasures['responses'],
  { vmDays, stepMs, tolerance }: { vmDays: number; stepMs: number; tolerance: number },
): AnomalyMeasures {
  const { verdicts, truthOf, delays } = matchAlarms(
    alarms.map((alarm) => ({ ...alarm, raisedTick: alarm.raised })),
    truths,
    tolerance,
  );
  const figures = (of: (t: Truth) => boolean, against: (resources: AlarmLine['resources']) => boolean) => {
    const theirs = delays.filter((_, t) => truths[t]!.scored && of(truths[t]!));
    const found = theirs.filter((delay) => delay > 0).sort((a, b) => a - b);
    const trueAlarms = truthOf.filter((t) => t >= 0 && of(truths[t]!)).length;
    const falseAlarms = alarms.filter((a, k) => verdicts[k] === 'false' && against(a.resources)).length;
    const all = trueAlarms + falseAlarms;
    return {
      injected: theirs.length,
      found: found.length,
      recall: theirs.length === 0 ? null : found.length / theirs.length,
      trueAlarms,
      falseAlarms,
      precision: theirs.length === 0 || all === 0 ? null : trueAlarms / all,
      falseAlarmsPerVmDay: vmDays === 0 ? 0 : falseAlarms / vmDays,
      delay: delayOf(found, stepMs),
    };
  };
  const kinds = ANOMALY_KINDS.filter((kind) => truths.some((t) => t.scored && t.kind === kind));
  return {
    toleranceTicks: tolerance,
    total: figures(
      () => true,
      () => true,
    ),
    kinds: Object.fromEntries(
      kinds.map((kind) => [
        kind,
        figures(
          (truth) => truth.kind === kind,
          (resources) => resources.some((name) => name === 'joint' || showsIn(kind, name)),
        ),
      ]),
    ),
    excused: verdicts.filter((verdict) => verdict === 'excused').length,
    responses,
    alarms: alarms
      .map(({ neighbour: _, ...alarm }, k) => ({ ...alarm, verdict: verdicts[k]! }))
      .slice(0, KEPT),
    truths: truths
      .flatMap(({ vmId, kind, first, last, scored }, t) =>
        scored ? [{ vmId, kind, first, last, delay: delays[t]! || null }] : [],
      )
      .sort((a, b) => a.first - b.first || (a.vmId < b.vmId ? -1 : 1))
      .slice(0, KEPT),
  };
}

function showsIn(kind: AnomalyKind, name: Resource): boolean {
  return ANOMALY_SHAPES[kind].resources.includes(RESOURCES.indexOf(name));
}

/** @param sorted ascending */
function delayOf(sorted: readonly number[], stepMs: number): DetectionFigures['delay'] {
  if (sorted.length === 0) return null;
  // Nearest rank: a delay that occurred.
  const rank = (q: number) => sorted[Math.ceil(q * sorted.length) - 1]!;
  const minutes = stepMs / 60_000;
  const [median, p90] = [rank(0.5), rank(0.9)];
  return {
    medianTicks: median,
    p90Ticks: p90,
    medianMinutes: median * minutes,
    p90Minutes: p90 * minutes,
  };
}
