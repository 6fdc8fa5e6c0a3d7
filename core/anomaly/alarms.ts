import type { Fleet } from '../fleet.ts';
import { type AnomalyEvent, SEVERITIES, type Severity } from './events.ts';

/**
 * What is told of a VM: one alarm for all its anomalous resources, from the first event to `dedupe` ticks of calm after
 * the last. Severity, words and end are rewritten while it lasts.
 */
export interface Alarm {
  /** The VM and the tick it was raised at: unique within a run. */
  readonly id: string;
  readonly slot: number;
  readonly vmId: string;
  readonly applicationId: string;
  readonly userId: string;
  /** First tick that belongs to it: an estimate, before the tick it was raised at. */
  onsetTick: number;
  readonly raisedTick: number;
  /** Last tick that belonged to it; undefined while it lasts. */
  endTick: number | undefined;
  /** How its last event ended. */
  outcome: AnomalyEvent['outcome'];
  severity: Severity;
  /** The words of its gravest event; of the first one among equals. */
  explanation: string;
  /** What it has shown in, in order of appearance. */
  readonly resources: AnomalyEvent['resource'][];
}

export interface AlarmChange {
  readonly change: 'onset' | 'graver' | 'end';
  readonly alarm: Alarm;
}

interface OpenAlarm {
  readonly alarm: Alarm;
  readonly events: Set<AnomalyEvent>;
  /** The event whose words it uses. */
  gravest: AnomalyEvent;
  lastTick: number;
}

/** Joins the detector's events, one a resource, into alarms, one a VM. */
export class Alarms {
  /** What changed in the last `update`. */
  readonly changes: AlarmChange[] = [];
  readonly #fleet: Fleet;
  readonly #dedupe: number;
  readonly #open = new Map<string, OpenAlarm>();

  constructor(fleet: Fleet, dedupe: number) {
    this.#fleet = fleet;
    this.#dedupe = dedupe;
  }

  /** Alarms that last, in order of their beginning. */
  get open(): readonly Alarm[] {
    return [...this.#open.values()].map(({ alarm }) => alarm);
  }

  /** Takes in what the detector's events did in a tick. */
  update(tick: number, events: readonly AnomalyEvent[]): void {
    this.changes.length = 0;
    for (const event of events) this.#take(tick, event);
    for (const [vmId, open] of this.#open) {
      const gone = open.alarm.outcome === 'retired';
      if (open.events.size > 0 || (!gone && tick - open.lastTick < this.#dedupe)) continue;
      open.alarm.endTick = open.lastTick;
      this.#open.delete(vmId);
      this.changes.push({ change: 'end', alarm: open.alarm });
    }
  }

  #take(tick: number, event: AnomalyEvent): void {
    const known = this.#open.get(event.vmId);
    if (event.endTick !== undefined) {
      if (!known?.events.delete(event)) return;
      known.lastTick = Math.max(known.lastTick, event.endTick);
      known.alarm.outcome = event.outcome;
      this.#describe(known);
      return;
    }
    if (!known) {
      this.#begin(tick, event);
      return;
    }
    known.events.add(event);
    known.lastTick = tick;
    const { alarm } = known;
    alarm.outcome = undefined;
    if (!alarm.resources.includes(event.resource)) alarm.resources.push(event.resource);
    const graver = rank(event.severity) > rank(alarm.severity);
    if (graver) known.gravest = event;
    this.#describe(known);
    if (graver) this.changes.push({ change: 'graver', alarm });
  }

  #begin(tick: number, event: AnomalyEvent): void {
    const spec = this.#fleet.specs[event.slot];
    const alarm: Alarm = {
      id: `${event.vmId}@${tick}`,
      slot: event.slot,
      vmId: event.vmId,
      applicationId: spec?.applicationId ?? '',
      userId: spec?.userId ?? '',
      onsetTick: event.onsetTick,
      raisedTick: tick,
      endTick: undefined,
      outcome: undefined,
      severity: event.severity,
      explanation: event.explanation,
      resources: [event.resource],
    };
    this.#open.set(event.vmId, { alarm, events: new Set([event]), gravest: event, lastTick: tick });
    this.changes.push({ change: 'onset', alarm });
  }

  #describe({ alarm, gravest }: OpenAlarm): void {
    alarm.severity = gravest.severity;
    alarm.explanation = gravest.explanation;
  }
}

export function rank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}
