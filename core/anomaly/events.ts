import { grown, type Resource } from '../model.ts';
import type { AnomalyParams } from './params.ts';

export const SEVERITIES = ['low', 'medium', 'high'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Multiples of the evidence asked for at which an event is medium and high. */
const MEDIUM = 3;
const HIGH = 8;

/** What an anomaly was, from onset to end. The detector rewrites severity, explanation and end while it lasts. */
export interface AnomalyEvent {
  readonly slot: number;
  readonly vmId: string;
  readonly resource: Resource | 'joint';
  /** Tick of the first sample that belongs to it; the estimate of the change point. */
  readonly onsetTick: number;
  /** Tick at which it was raised. */
  readonly raisedTick: number;
  /** Last tick that belonged to it; undefined while it lasts. */
  endTick: number | undefined;
  /** How it ended: usage came back, the change lasted and is the new normal, or the VM has gone. */
  outcome: 'returned' | 'new-normal' | 'retired' | undefined;
  severity: Severity;
  explanation: string;
}

/** What a step changed: nothing, a new event, a graver one, one that ended, one to end as the new normal. */
export const CHANGE = { none: 0, raised: 1, graver: 2, returned: 3, accepted: 4 } as const;

/**
 * Turns surprise into events, one row a stream. Evidence is Page's cumulative sum (Page 1954) of the surprise
 * less an allowance: one enormous value raises an event at once, a smaller misfit when it lasts. Its last
 * zero is the estimate of the onset. A stream has one event at a time; it ends when usage is back inside its band, or
 * when the change has lasted so long that it is the new normal. For `hold` ticks after, only graver evidence than the
 * last raises another.
 */
export class EventRows {
  /** Evidence gathered, and the largest since the event was raised. */
  evidence = new Float64Array(0);
  peak = new Float64Array(0);
  onset = new Int32Array(0);
  /** Ticks outside the band since the onset. */
  outside = new Uint32Array(0);
  /** Severity of the event that lasts, 1 to 3; 0 for none. */
  level = new Uint8Array(0);
  #last = new Int32Array(0);
  #quiet = new Uint32Array(0);
  readonly #params: AnomalyParams;

  constructor(params: AnomalyParams) {
    this.#params = params;
  }

  grow(rows: number): void {
    for (const key of ['evidence', 'peak'] as const) this[key] = grown(this[key], rows);
    this.onset = grown(this.onset, rows);
    this.outside = grown(this.outside, rows);
    this.level = grown(this.level, rows);
    this.#last = grown(this.#last, rows);
    this.#quiet = grown(this.#quiet, rows);
  }

  reset(row: number): void {
    this.evidence[row] = 0;
    this.peak[row] = 0;
    this.outside[row] = 0;
    this.level[row] = 0;
    this.#last[row] = 0;
    this.#quiet[row] = 0;
  }

  /** Last tick of the row's event that belonged to it. */
  last(row: number): number {
    return this.#last[row]!;
  }

  /** Ends the row's event. */
  close(row: number): void {
    this.level[row] = 0;
    this.evidence[row] = 0;
  }

  /**
   * Takes in a tick.
   * @param gain surprise less the allowance
   * @param isOutside whether usage is outside its band
   * @param seen ticks of history
   * @returns one of `CHANGE`
   */
  step(row: number, tick: number, gain: number, isOutside: boolean, seen: number): number {
    const before = this.evidence[row]!;
    const evidence = Math.max(0, before + gain);
    this.evidence[row] = evidence;
    const level = this.level[row]!;
    if (level === 0) {
      if (evidence === 0) return CHANGE.none;
      if (before === 0) {
        this.onset[row] = tick;
        this.outside[row] = 0;
      }
      if (isOutside) this.outside[row]!++;
      const asked = this.#asked(seen);
      if (evidence < asked) return CHANGE.none;
      if (this.peak[row]! >= evidence && tick - this.#last[row]! <= this.#params.hold) return CHANGE.none;
      this.peak[row] = evidence;
      this.level[row] = severityOf(evidence / asked);
      this.#last[row] = tick;
      this.#quiet[row] = 0;
      return CHANGE.raised;
    }
    if (isOutside || gain > 0) {
      if (isOutside) this.outside[row]!++;
      this.#last[row] = tick;
      this.#quiet[row] = 0;
    } else if (++this.#quiet[row]! >= this.#params.quiet) {
      this.close(row);
      return CHANGE.returned;
    }
    if (tick - this.onset[row]! >= this.#params.accept) {
      this.close(row);
      return CHANGE.accepted;
    }
    if (evidence > this.peak[row]!) {
      this.peak[row] = evidence;
      const graver = severityOf(evidence / this.#asked(seen));
      if (graver > level) {
        this.level[row] = graver;
        return CHANGE.graver;
      }
    }
    return CHANGE.none;
  }

  /** Evidence asked for: the less is known of a VM, the more. */
  #asked(seen: number): number {
    const lack = this.#params.learn / (seen + 1);
    return this.#params.alarm * (1 + lack * lack);
  }
}

function severityOf(ratio: number): number {
  return ratio >= HIGH ? 3 : ratio >= MEDIUM ? 2 : 1;
}
