import { Controller, type TickRecord } from '../core/controller.ts';
import { ForesizeError } from '../core/errors.ts';
import { Fleet } from '../core/fleet.ts';
import { createForecaster, historyDepth } from '../core/forecast/registry.ts';
import { persistent } from '../core/forecast/stateful.ts';
import type { IntentBatch } from '../core/intents.ts';
import { type Frame, R } from '../core/model.ts';
import type { AlertSink } from '../core/ports.ts';
import { augursRuntime } from './augurs.ts';
import type { Entry, SessionStart } from './store/entries.ts';
import type { JournaledFrame } from './store/frame-codec.ts';

/** Entries that change what the core decides, or that it has to know of its own past. */
export type CoreInput = Extract<Entry, { kind: 'fleet' | 'missed' | 'policy' | 'intents' }>;

export type CoreSetup = Pick<SessionStart, 'controller' | 'seed' | 'stepMs' | 'epochMs'>;

/** Takes the intents of a tick and writes their outcomes. */
export type IntentSink = (at: number, intents: IntentBatch) => void | Promise<void>;

const NO_ROW = -1;

/**
 * The decision core with its fleet, driven by what the journal holds and by nothing else. The daemon writes down
 * what it saw and then hands it in here; recovery and `foresize replay` read it and hand it in here: the same way, hence
 * the same decisions.
 */
export class CoreDriver {
  readonly fleet: Fleet;
  readonly controller: Controller;
  last: TickRecord | undefined;
  /** Shown every tick once it is over, those without a sample too. */
  readonly observers: ((record: TickRecord) => void)[] = [];
  /** Told of anomalies from when it is set: not of those that are lived through again. */
  alerts: AlertSink | undefined;
  readonly #feed: FrameFeed;
  /** Number of the VM in each slot, and the slot of each number. */
  readonly #numbers: number[] = [];
  readonly #slots = new Map<number, number>();
  #nextNumber: number;
  #models: readonly unknown[] = [];

  private constructor(fleet: Fleet, controller: Controller, feed: FrameFeed, firstNumber: number) {
    this.fleet = fleet;
    this.controller = controller;
    this.#feed = feed;
    this.#nextNumber = firstNumber;
  }

  /** @param firstNumber number of the first VM to come: how many came before the history begins */
  static async create(setup: CoreSetup, firstNumber: number): Promise<CoreDriver> {
    const { controller: config, seed, stepMs, epochMs } = setup;
    const fleet = new Fleet();
    const feed = new FrameFeed();
    const forecasts = Object.values(config.policies).flatMap((p) => ('forecast' in p ? [p.forecast] : []));
    const alerts = { alert: (alert: Parameters<AlertSink['alert']>[0]) => driver.alerts?.alert(alert) };
    const controller: Controller = await Controller.create({
      config,
      alerts,
      fleet,
      telemetry: { read: (_at, frame) => feed.fill(frame) },
      hypervisor: { apply: (at, intents) => feed.sink(at, intents) },
      createForecaster: (forecast, ctx) => createForecaster(forecast, ctx, augursRuntime),
      stepMs,
      epochMs,
      seed,
      historyDepth: Math.max(1, ...forecasts.map((f) => historyDepth(f, stepMs))),
      actFrom: 0,
    });
    const driver: CoreDriver = new CoreDriver(fleet, controller, feed, firstNumber);
    return driver;
  }

  /** Takes over the forecast models that fit once a VM is here: before, there is no room for them. */
  beginWith(documents: readonly unknown[]): void {
    this.#models = documents;
  }

  /** Takes over the forecast models that fit, and returns them. Those of another clock or configuration do not. */
  loadModels(documents: readonly unknown[]): unknown[] {
    return documents.filter((document) =>
      this.controller.forecasters.some((forecaster) => {
        try {
          persistent(forecaster)?.load(document);
          return persistent(forecaster) !== undefined;
        } catch (error) {
          if (error instanceof ForesizeError) return false;
          throw error;
        }
      }),
    );
  }

  /** The last tick taken in; -1 before the first. */
  get head(): number {
    return this.controller.history.head;
  }

  numberOf(slot: number): number {
    return this.#numbers[slot]!;
  }

  slotOfNumber(vm: number): number | undefined {
    return this.#slots.get(vm);
  }

  vmIdOf(slot: number): string {
    return this.fleet.specs[slot]!.vmId;
  }

  /** Puts a VM that came before the history begins in its place. */
  seat(number: number, entry: Extract<Entry, { kind: 'fleet' }>['arrived'][number], tick: number): void {
    this.#admit(entry.spec, tick, number);
  }

  async take(input: CoreInput): Promise<void> {
    switch (input.kind) {
      case 'fleet':
        for (const vmId of input.departed) this.#retire(vmId);
        for (const { spec } of input.arrived) this.#admit(spec, input.tick);
        return;
      case 'policy':
        // One that the configuration of today does not know any more is past.
        if (this.controller.policies.includes(input.policy))
          this.controller.setPolicy(input.applicationId, input.policy);
        return;
      case 'missed':
        for (let tick = Math.max(input.from, this.head + 1); tick <= input.to; tick++) await this.#skip(tick);
        return;
      case 'intents':
        for (const [vm, resource] of input.intents) {
          const slot = this.#slots.get(vm);
          if (slot !== undefined) this.controller.noteResize(slot, resource, input.tick);
        }
        return;
    }
  }

  /**
   * Makes a tick of a frame.
   * @param act whether wishes go on to the guards and to `sink`
   */
  async tick(frame: JournaledFrame, act: boolean, sink: IntentSink): Promise<TickRecord> {
    this.#feed.next(frame, (vm) => this.#slots.get(vm) ?? NO_ROW, sink);
    return this.#over(await this.controller.tick(frame.tick, frame.at, act));
  }

  async #skip(tick: number): Promise<void> {
    this.#feed.nothing();
    const { stepMs, epochMs } = this.controller;
    this.#over(await this.controller.tick(tick, epochMs + tick * stepMs, false));
  }

  #over(record: TickRecord): TickRecord {
    this.last = record;
    for (const observe of this.observers) observe(record);
    return record;
  }

  #admit(
    spec: Extract<Entry, { kind: 'fleet' }>['arrived'][number]['spec'],
    tick: number,
    number?: number,
  ): void {
    const known = this.fleet.slotOf(spec.vmId);
    const slot = this.fleet.admit(spec, tick);
    if (known !== undefined) return;
    const vm = number ?? this.#nextNumber++;
    this.#numbers[slot] = vm;
    this.#slots.set(vm, slot);
    if (this.#models.length > 0) this.loadModels(this.#models);
    this.#models = [];
  }

  #retire(vmId: string): void {
    const slot = this.fleet.slotOf(vmId);
    if (slot === undefined) return;
    this.#slots.delete(this.#numbers[slot]!);
    this.fleet.retire(vmId);
  }
}

/** The core's telemetry and hypervisor: the journal's frame on the one side, whoever takes intents on the other. */
class FrameFeed {
  #frame: JournaledFrame | undefined;
  #slotOf: (vm: number) => number = () => NO_ROW;
  sink: IntentSink = () => {};

  next(frame: JournaledFrame, slotOf: (vm: number) => number, sink: IntentSink): void {
    this.#frame = frame;
    this.#slotOf = slotOf;
    this.sink = sink;
  }

  /** A tick without a sample: what was granted stays as it was last seen. */
  nothing(): void {
    this.#frame = undefined;
  }

  fill(into: Frame): void {
    into.usage.fill(Number.NaN);
    into.pressure.fill(0);
    into.oomKills.fill(0);
    const from = this.#frame;
    if (!from) return;
    from.vms.forEach((vm, row) => {
      const slot = this.#slotOf(vm);
      if (slot === NO_ROW) return;
      for (const key of ['usage', 'pressure', 'allocation'] as const) {
        into[key].set(from[key].subarray(row * R, row * R + R), slot * R);
      }
      into.sampledAt[slot] = from.sampledAt[row]!;
      into.oomKills[slot] = from.oomKills[row]!;
    });
  }
}
