import type { Resource } from '../../core/model.ts';
import type { AnomalyKind } from '../workload/anomalies/kinds.ts';

/**
 * Ticks after an anomaly in which an alarm of its VM is still put down to it: work that waited is done, levels return.
 * An hour at 5 minutes.
 */
export const TOLERANCE = 12;

/** An anomaly as telemetry shows it: `first` and `last` are the ticks whose samples belong to it. */
export interface Truth {
  readonly vmId: string;
  readonly kind: AnomalyKind;
  readonly first: number;
  readonly last: number;
  /** Whether it begins in the scored time; one that does not only excuses alarms. */
  readonly scored: boolean;
}

export interface RaisedAlarm {
  readonly vmId: string;
  readonly raisedTick: number;
  readonly resources: readonly (Resource | 'joint')[];
  /** A noisy neighbour was at work on the VM's host: the alarm is right, though not about the VM itself. */
  readonly neighbour: boolean;
}

export type Verdict = 'true' | 'false' | 'excused';

export interface Matching {
  /** Of each alarm, in their order. */
  readonly verdicts: readonly Verdict[];
  /** The truth each true alarm belongs to, by index; -1 for others. */
  readonly truthOf: readonly number[];
  /** Of each truth: the delay in ticks from its first sample to the first alarm, counting it; 0 = missed. */
  readonly delays: readonly number[];
}

/**
 * Event-based matching. An alarm is true when it was raised while an anomaly of its VM lasted or up to `tolerance` ticks
 * after; else false. Several alarms may belong to one anomaly. An anomaly is found when one of its alarms was raised
 * while it lasted: an alarm that was open already does not find it, nor does one that comes after.
 * Alarms about an anomaly that began before scoring, or about a neighbour on the host, are excused: neither.
 */
export function matchAlarms(
  alarms: readonly RaisedAlarm[],
  truths: readonly Truth[],
  tolerance = TOLERANCE,
): Matching {
  const ofVm = new Map<string, number[]>();
  truths.forEach(({ vmId }, t) => {
    const list = ofVm.get(vmId);
    if (list) list.push(t);
    else ofVm.set(vmId, [t]);
  });
  const delays = truths.map(() => 0);
  const truthOf: number[] = [];
  const verdicts = alarms.map(({ vmId, raisedTick, neighbour }): Verdict => {
    // Of two within reach the one that lasts, else the one that ended last: both are the later.
    const t = (ofVm.get(vmId) ?? []).findLast(
      (t) => truths[t]!.first <= raisedTick && raisedTick <= truths[t]!.last + tolerance,
    );
    const truth = t === undefined ? undefined : truths[t]!;
    truthOf.push(truth?.scored ? t! : -1);
    if (!truth) return neighbour ? 'excused' : 'false';
    if (!truth.scored) return 'excused';
    const delay = raisedTick - truth.first + 1;
    if (raisedTick <= truth.last && (delays[t!] === 0 || delay < delays[t!]!)) delays[t!] = delay;
    return 'true';
  });
  return { verdicts, truthOf, delays };
}
