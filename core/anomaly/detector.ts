import type { Fleet } from '../fleet.ts';
import { type Frame, grown, type PerSlot, R, RESOURCES } from '../model.ts';
import { type AnomalyEvent, CHANGE, EventRows, SEVERITIES } from './events.ts';
import { type Account, accountJoint, accountResource, sentence } from './explain.ts';
import { JointSurprise } from './joint.ts';
import type { AnomalyParams } from './params.ts';
import { hourOf } from './profile.ts';
import { Surprise } from './surprise.ts';

/** What the forecaster said one tick ago of this tick, slot x R; NaN where it said nothing. */
export interface Expected {
  /** The .5 quantile. */
  readonly median: Float64Array;
  /** The .99 quantile. */
  readonly upper: Float64Array;
  /** The .01 quantile. */
  readonly lower: Float64Array;
}

/** Surprise at which the score is one half, and below which no evidence gathers: of a resource, and jointly. */
const HALF = 4;
const HALF_JOINT = 6;
/** Values of a series before its score counts. */
const WARM_UP = 100;
/** Distance outside the band, in half-widths, that a tick counts for at most, and the joint distance that counts as one. */
const FAR = 10;
const JOINT_UNIT = 4;
/**
 * Ticks on end at more than twice the band's half-width that count as one more, and the most they count for: a leak goes
 * up slowly, and forecasters follow it. Only above, as a quiet Saturday is no anomaly, and only of a VM whose weeks are known.
 */
const FAR_OUT = 2;
const RUN = 8;
const LASTING = 3;
/** Row of a slot in the event rows: its resources, then the joint one. */
const E = R + 1;

/**
 * The anomaly detector of the tick: compares what is seen with what was predicted, per resource and jointly, and keeps
 * the book of events. Without a forecast a series is held against its own day profile, so that one class serves fleets
 * and the univariate series of a benchmark alike.
 *
 * Costs about a microsecond a series and tick; allocates only when an event begins, changes or ends.
 */
export class AnomalyDetector implements PerSlot {
  /** How anomalous each resource is now, slot x R, 0..1: surprise / (surprise + 4); one half is where NAB's cost is least. */
  score = new Float64Array(0);
  /** `score` where it is news, else 0: larger than any of the last `hold` ticks. For alarms that do not repeat. */
  news = new Float64Array(0);
  /** How anomalous each VM's resources are together, per slot, 0..1. */
  joint = new Float64Array(0);
  /** Events that began, got graver or ended with the last `observe`. */
  readonly changes: AnomalyEvent[] = [];
  readonly #fleet: Fleet;
  readonly #hold: number;
  readonly #floor: number;
  readonly #learn: number;
  readonly #surprise = new Surprise();
  readonly #joint = new JointSurprise();
  readonly #rows: EventRows;
  readonly #open = new Map<number, OpenEvent>();
  readonly #ended: AnomalyEvent[] = [];
  #held = new Float64Array(0);
  #heldAt = new Int32Array(0);
  /** Ticks on end far above the band. */
  #run = new Uint32Array(0);
  #tick = 0;

  constructor(fleet: Fleet, params: AnomalyParams) {
    this.#fleet = fleet;
    this.#hold = params.hold;
    this.#floor = params.floor;
    this.#learn = params.learn;
    this.#rows = new EventRows(params);
  }

  /** Events that last, in order of their beginning. */
  get open(): readonly AnomalyEvent[] {
    return [...this.#open.values()].map((record) => record.event);
  }

  /** The most that is normal for a resource, by the VM's own day profile; NaN while too little is known. @param row slot x R */
  normal(row: number): number {
    return this.#surprise.seen[row]! > WARM_UP ? this.#surprise.highest(row) : Number.NaN;
  }

  grow(capacity: number): void {
    for (const key of ['score', 'news'] as const) this[key] = grown(this[key], capacity * R);
    this.joint = grown(this.joint, capacity);
    this.#held = grown(this.#held, capacity * R);
    this.#heldAt = grown(this.#heldAt, capacity * R);
    this.#run = grown(this.#run, capacity * R);
    this.#surprise.grow(capacity * R);
    this.#joint.grow(capacity);
    this.#rows.grow(capacity * E);
  }

  admit(slot: number): void {
    for (let r = 0; r < R; r++) {
      const row = slot * R + r;
      this.score[row] = 0;
      this.news[row] = 0;
      this.#held[row] = 0;
      this.#run[row] = 0;
      this.#surprise.reset(row);
    }
    this.joint[slot] = 0;
    this.#joint.reset(slot);
    for (let e = 0; e < E; e++) this.#rows.reset(slot * E + e);
  }

  retire(slot: number): void {
    for (let e = 0; e < E; e++) {
      const key = slot * E + e;
      const event = this.#open.get(key)?.event;
      if (!event) continue;
      event.endTick = this.#rows.last(key);
      event.outcome = 'retired';
      this.#open.delete(key);
      this.#rows.close(key);
      this.#ended.push(event);
    }
  }

  /**
   * Takes in a tick, once a tick, in order.
   * @param expected what was forecast for it; leave it out to hold each series against its own past alone
   */
  observe(frame: Frame, expected?: Expected): void {
    const surprise = this.#surprise;
    const { usage, allocation } = frame;
    const hour = hourOf(frame.at);
    this.#tick = frame.tick;
    this.changes.length = 0;
    for (const event of this.#ended) this.changes.push(event);
    this.#ended.length = 0;
    const slots = this.#fleet.slots;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const first = slot * R;
      let present = 0;
      let seen = 0;
      for (let r = 0; r < R; r++) {
        const row = first + r;
        const value = usage[row]!;
        if (value - value !== 0) {
          this.score[row] = 0;
          this.news[row] = 0;
          surprise.excess[row] = 0;
          continue;
        }
        const median = expected ? expected.median[row]! : Number.NaN;
        const s = surprise.step(
          row,
          value,
          hour,
          this.#floor * (allocation[row]! || 0),
          median,
          expected ? expected.lower[row]! : Number.NaN,
          expected ? expected.upper[row]! : Number.NaN,
          this.#rows.level[slot * E + r] === 0,
        );
        present++;
        seen = surprise.seen[row]!;
        if (seen <= WARM_UP) continue;
        this.#score(row, s);
        const excess = Math.abs(surprise.excess[row]!);
        const run = surprise.drift[row]! > FAR_OUT && seen >= this.#learn ? this.#run[row]! + 1 : 0;
        this.#run[row] = run;
        const gain = s + Math.min(FAR, excess) + Math.min(LASTING, run / RUN) - HALF;
        const change = this.#rows.step(slot * E + r, frame.tick, gain, excess > 1, seen);
        if (change !== CHANGE.none) this.#change(frame, slot, r, change);
      }
      if (present > 1) this.#observeJoint(frame, slot, seen);
    }
  }

  #score(row: number, surprise: number): void {
    const score = surprise / (surprise + HALF);
    this.score[row] = score;
    if (this.#tick - this.#heldAt[row]! > this.#hold) this.#held[row] = 0;
    if (score > this.#held[row]!) {
      this.#held[row] = score;
      this.#heldAt[row] = this.#tick;
      this.news[row] = score;
    } else this.news[row] = 0;
  }

  #observeJoint(frame: Frame, slot: number, seen: number): void {
    const s = this.#joint.step(slot, this.#surprise.excess, slot * R, seen - 1);
    if (seen <= WARM_UP) return;
    this.joint[slot] = s / (s + HALF_JOINT);
    const distance = this.#joint.distance[slot]! / JOINT_UNIT;
    const key = slot * E + R;
    if (this.#rows.level[key] === 0) {
      // A resource that has its own event speaks for the VM.
      for (let r = 0; r < R; r++) {
        if (this.#rows.level[slot * E + r]! > 0) {
          this.#rows.evidence[key] = 0;
          return;
        }
      }
    }
    const gain = s + Math.min(FAR, distance) - HALF_JOINT;
    const change = this.#rows.step(key, frame.tick, gain, distance > 1, seen);
    if (change !== CHANGE.none) this.#change(frame, slot, R, change);
  }

  #change(frame: Frame, slot: number, part: number, change: number): void {
    const key = slot * E + part;
    const rows = this.#rows;
    if (change === CHANGE.raised) {
      this.#open.set(key, {
        event: {
          slot,
          vmId: this.#fleet.specs[slot]!.vmId,
          resource: part < R ? RESOURCES[part]! : 'joint',
          onsetTick: rows.onset[key]!,
          raisedTick: frame.tick,
          endTick: undefined,
          outcome: undefined,
          severity: 'low',
          explanation: '',
        },
        account: this.#account(frame, slot, part),
        worst: this.#distance(slot, part),
      });
    }
    const record = this.#open.get(key);
    if (!record) return;
    const { event } = record;
    if (change === CHANGE.raised || change === CHANGE.graver) {
      event.severity = SEVERITIES[rows.level[key]! - 1]!;
      const distance = this.#distance(slot, part);
      if (distance > record.worst) {
        record.worst = distance;
        record.account = this.#account(frame, slot, part);
      }
    } else {
      event.endTick = rows.last(key);
      event.outcome = change === CHANGE.accepted ? 'new-normal' : 'returned';
      if (change === CHANGE.accepted && part < R) this.#surprise.accept(slot * R + part, hourOf(frame.at));
      this.#open.delete(key);
    }
    event.explanation = sentence(record.account, rows.outside[key]!);
    this.changes.push(event);
  }

  #account(frame: Frame, slot: number, part: number): Account {
    return part < R
      ? accountResource(this.#surprise, frame.usage, slot, part)
      : accountJoint(this.#surprise, frame.usage, slot);
  }

  #distance(slot: number, part: number): number {
    return part < R ? Math.abs(this.#surprise.excess[slot * R + part]!) : this.#joint.distance[slot]!;
  }
}

interface OpenEvent {
  readonly event: AnomalyEvent;
  account: Account;
  /** Distance outside the band when the account was taken. */
  worst: number;
}
