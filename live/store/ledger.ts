import type { VmSpec } from '../../core/model.ts';
import type { OperationsEvent } from '../operations.ts';
import type { Entry, JournaledIntent, RecordedWrite, SessionStart } from './entries.ts';

/** A VM the daemon knows, under the number it got when it came. */
export interface RosterEntry {
  readonly number: number;
  readonly spec: VmSpec;
  readonly uuid: string;
}

/** How to put the limits of a VM back, by resource. */
export interface Original {
  readonly uuid: string;
  readonly writes: ReadonlyMap<number, readonly RecordedWrite[]>;
}

const KEPT_EVENTS = 1000;

/**
 * What the journal's entries add up to, short of the forecasts: who is here, what was set and how to put it back, what
 * was begun and not heard of again. The daemon keeps it up to date with every entry it writes; after a restart the same
 * fold over the journal gives the same.
 */
export class Ledger {
  /** VMs by id, in order of admission. */
  readonly roster = new Map<string, RosterEntry>();
  readonly originals = new Map<string, Original>();
  /** Intents whose outcome is not known, by tick. */
  readonly open = new Map<number, readonly JournaledIntent[]>();
  readonly policies = new Map<string, string>();
  readonly answers = new Map<string, 'accepted' | 'dismissed'>();
  readonly resizes = { applied: 0, failed: 0, refused: 0 };
  killSwitch = { engaged: false, reason: '', at: 0 };
  /** What was saved of the stages last: live/promote/stages.ts reads it. */
  stages: unknown;
  session: SessionStart | undefined;
  /** Number of the session's own entry. */
  sessionSeq = 0;
  /** Whether the newest session ended by itself. */
  ended = true;
  /** Newest events, oldest first. */
  readonly events: OperationsEvent[] = [];
  /** VMs that ever came: the number of the next. */
  admitted = 0;

  apply(seq: number, entry: Entry): void {
    switch (entry.kind) {
      case 'session':
        this.session = entry.session;
        this.sessionSeq = seq;
        this.ended = false;
        return;
      case 'end':
        this.ended = true;
        return;
      case 'fleet':
        for (const vmId of entry.departed) {
          this.roster.delete(vmId);
          this.originals.delete(vmId);
        }
        for (const { spec, uuid } of entry.arrived) {
          const number = this.roster.get(spec.vmId)?.number ?? this.admitted++;
          this.roster.set(spec.vmId, { number, spec, uuid });
        }
        return;
      case 'intents':
        this.open.set(entry.tick, entry.intents);
        return;
      case 'outcomes':
        this.open.delete(entry.tick);
        for (const outcome of entry.outcomes) this.#count(outcome);
        return;
      case 'original':
        {
          const known = this.originals.get(entry.vmId)?.writes ?? [];
          const writes = new Map([...known, [entry.resource, entry.writes]]);
          this.originals.set(entry.vmId, { uuid: entry.uuid, writes });
        }
        return;
      case 'restored':
        for (const vmId of entry.vmIds) this.originals.delete(vmId);
        return;
      case 'policy':
        this.policies.set(entry.applicationId, entry.policy);
        return;
      case 'kill-switch':
        this.killSwitch = { engaged: entry.engaged, reason: entry.reason, at: entry.at };
        return;
      case 'stages':
        this.stages = entry.state;
        return;
      case 'answer':
        this.answers.set(entry.id, entry.answer);
        return;
      case 'event':
        this.note({ seq, at: entry.at, ...entry.event });
        return;
      case 'missed':
      case 'models':
      case 'stage':
        return;
    }
  }

  note(event: OperationsEvent): void {
    this.events.push(event);
    if (this.events.length > KEPT_EVENTS) this.events.shift();
  }

  #count(outcome: number): void {
    if (outcome === 3) this.resizes.failed++;
    else if (outcome === 4) this.resizes.refused++;
    else this.resizes.applied++;
  }
}
