import { DemandEstimate } from '../demand-estimate.ts';
import type { Fleet } from '../fleet.ts';
import type { Forecaster } from '../forecast/types.ts';
import { type Frame, grown, type PerSlot, R } from '../model.ts';
import type { AlertSink } from '../ports.ts';
import { type Alarm, type AlarmChange, Alarms, rank } from './alarms.ts';
import type { AnomaliesConfig, Response } from './config.ts';
import { AnomalyDetector } from './detector.ts';
import { Raise } from './raise.ts';
import { Responses } from './responses.ts';

/**
 * For so long after an anomaly, ms, a VM is held against its own past alone: forecasters have learnt from the anomaly, and
 * most of them repeat it a day later.
 */
const ECHO_MS = 26 * 3_600_000;

/** A shortage may hide an anomaly of up to this many times what was seen. */
const UNCENSORED = 20;

export interface WatchContext {
  readonly fleet: Fleet;
  /** Length of a tick, ms. */
  readonly stepMs: number;
  /** Name of the policy that governs an application, and whether it has a quantile to raise. */
  readonly policyOf: (applicationId: string) => { readonly name: string; readonly raisable: boolean };
  readonly alerts?: AlertSink | undefined;
}

/** VMs, and the forecaster of the policy that governs them. */
export interface Foreseen {
  readonly slots: Int32Array;
  readonly forecaster: Forecaster | undefined;
}

/**
 * Anomalies in the tick: what was seen is held against what was forecast for it one tick ago, events become alarms, and
 * alarms are answered as the configuration says.
 *
 *   observe -> (policies decide, with `raise`) -> responses.impose -> guards -> responses.move -> foresee
 */
export class AnomalyWatch implements PerSlot {
  readonly detector: AnomalyDetector;
  readonly alarms: Alarms;
  readonly raise = new Raise();
  readonly responses: Responses;
  readonly #config: AnomaliesConfig;
  readonly #ctx: WatchContext;
  readonly #echoTicks: number;
  readonly #estimate: DemandEstimate;
  #median = new Float64Array(0);
  #lower = new Float64Array(0);
  #upper = new Float64Array(0);
  /** Tick up to which a VM's forecasts are not believed. */
  #echo = new Int32Array(0);

  constructor(config: AnomaliesConfig, ctx: WatchContext) {
    this.#config = config;
    this.#ctx = ctx;
    this.#echoTicks = Math.ceil(ECHO_MS / ctx.stepMs);
    // A cap or a tight allocation must not hide that an anomaly goes on, nor how large it is.
    this.#estimate = new DemandEstimate(ctx.fleet, UNCENSORED);
    this.detector = new AnomalyDetector(ctx.fleet, config.detector);
    this.alarms = new Alarms(ctx.fleet, config.dedupe);
    this.responses = new Responses(ctx.fleet, this.detector, this.raise);
  }

  grow(capacity: number): void {
    this.#median = grown(this.#median, capacity * R);
    this.#lower = grown(this.#lower, capacity * R);
    this.#upper = grown(this.#upper, capacity * R);
    this.#echo = grown(this.#echo, capacity);
    for (const part of this.#parts()) part.grow(capacity);
  }

  admit(slot: number): void {
    this.#forget(slot);
    this.#echo[slot] = -1;
    for (const part of this.#parts()) part.admit(slot);
  }

  retire(slot: number): void {
    this.detector.retire(slot);
    this.responses.retire(slot);
  }

  #parts(): readonly PerSlot[] {
    return [this.detector, this.raise, this.responses];
  }

  /**
   * Takes in a tick.
   * @param frame what telemetry brought
   * @param acting whether responses may begin
   */
  observe(frame: Frame, acting: boolean): void {
    const { detector, alarms, responses } = this;
    detector.observe(this.#estimate.update(frame), {
      median: this.#median,
      lower: this.#lower,
      upper: this.#upper,
    });
    for (const { slot } of detector.open) this.#echo[slot] = frame.tick + this.#echoTicks;
    alarms.update(frame.tick, detector.changes);
    responses.begin();
    if (acting) {
      for (const event of detector.changes) {
        if (event.endTick !== undefined) continue;
        const { applicationId } = this.#ctx.fleet.specs[event.slot]!;
        const { raisable } = this.#ctx.policyOf(applicationId);
        responses.answer(event, this.#planOf(applicationId), frame, raisable);
      }
    }
    responses.advance(frame.tick);
    for (const change of alarms.changes) this.#alert(frame, change);
  }

  /** Keeps what forecasters say of the next tick. */
  foresee(tick: number, groups: readonly Foreseen[]): void {
    for (const { slots, forecaster } of groups) {
      if (!forecaster) {
        for (const slot of slots) this.#forget(slot);
        continue;
      }
      forecaster.peak(slots, 1, 0.5, this.#median);
      forecaster.peak(slots, 1, 0.01, this.#lower);
      forecaster.peak(slots, 1, 0.99, this.#upper);
      for (const slot of slots) if (tick < this.#echo[slot]!) this.#forget(slot);
    }
  }

  #forget(slot: number): void {
    for (const column of [this.#median, this.#lower, this.#upper])
      column.fill(Number.NaN, slot * R, slot * R + R);
  }

  #planOf(applicationId: string): readonly Response[] {
    const { applications, policies, respond } = this.#config;
    return applications[applicationId] ?? policies[this.#ctx.policyOf(applicationId).name] ?? respond;
  }

  #alert({ at, tick }: Frame, { change, alarm }: AlarmChange): void {
    const { alerts, stepMs } = this.#ctx;
    const answer = this.#planOf(alarm.applicationId).find(({ kind }) => kind === 'alert');
    if (!alerts || !answer || rank(alarm.severity) < rank(answer.severity)) return;
    const time = (then: number) => at - (tick - then) * stepMs;
    const { endTick, outcome } = alarm;
    alerts.alert({
      ...wordsOf(alarm),
      change,
      at,
      onsetAt: time(alarm.onsetTick),
      raisedAt: time(alarm.raisedTick),
      endedAt: endTick === undefined ? null : time(endTick),
      outcome: outcome ?? null,
    });
  }
}

function wordsOf({ id, vmId, applicationId, userId, severity, resources, explanation }: Alarm) {
  return { id, vmId, applicationId, userId, severity, resources: [...resources], explanation };
}
