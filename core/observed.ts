import type { ControllerConfig, PolicyConfig } from './config.ts';
import type { Controller, TickRecord } from './controller.ts';
import type { Fleet } from './fleet.ts';
import type { Forecaster } from './forecast/types.ts';
import type { History } from './history.ts';
import { OUTCOME } from './intents.ts';
import { grown, MEMORY, type PerSlot, R, RESOURCES } from './model.ts';
import { unitPricesPerSecond } from './prices.ts';

/** Sums kept of a VM. The last three are of each resource, in the order of RESOURCES. */
const SECONDS = 0;
const PRESSED = 1;
const COST = 2;
const REQUESTED = 3;
const RESIZES = 4;
const FORECASTS = 5;
const COVERED = FORECASTS + R;
const NOMINAL = COVERED + R;

/** Length of a row of sums. */
export const OBSERVED_FIELDS = NOMINAL + R;

/** A measure that can be had of a simulated and of a live VM alike: a ratio of two sums over VMs and time. */
export interface ObservedMeasure {
  readonly name: string;
  readonly unit: string;
  readonly numerator: number;
  readonly denominator: number;
  readonly scale: number;
  /** The largest it can be. */
  readonly most: number;
  /** On which side of what was promised it is a breach. */
  readonly worse: 'higher' | 'lower';
  /** Whether it says something while nothing is resized. */
  readonly passive: boolean;
}

/**
 * The measures both worlds share. Nobody knows demand in the live one, so a violation is what can be seen of it: the
 * share of VM-time in which some managed resource was held back by more than `guards.pressure`, or the guest was
 * killed for memory.
 */
export const OBSERVED_MEASURES: readonly ObservedMeasure[] = [
  {
    name: 'pressureRate',
    unit: 'share of VM-time',
    numerator: PRESSED,
    denominator: SECONDS,
    scale: 1,
    most: 1,
    worse: 'higher',
    passive: false,
  },
  {
    name: 'costRatio',
    unit: 'share of the cost of the request',
    numerator: COST,
    denominator: REQUESTED,
    scale: 1,
    most: Number.POSITIVE_INFINITY,
    worse: 'higher',
    passive: false,
  },
  {
    name: 'resizesPerVmDay',
    unit: 'resizes/VM-day',
    numerator: RESIZES,
    denominator: SECONDS,
    scale: 86_400,
    most: Number.POSITIVE_INFINITY,
    worse: 'higher',
    passive: false,
  },
  ...RESOURCES.map(
    (resource, r): ObservedMeasure => ({
      name: `coverage.${resource}`,
      unit: 'share of forecasts',
      numerator: COVERED + r,
      denominator: FORECASTS + r,
      scale: 1,
      most: 1,
      worse: 'lower',
      passive: true,
    }),
  ),
];

/** Column of the seconds observed, and of the sum of the quantiles that were forecast of a resource. */
export const OBSERVED_SECONDS = SECONDS;
export const nominalColumn = (resource: number): number => NOMINAL + resource;
export const forecastsColumn = (resource: number): number => FORECASTS + resource;

/** History is kept in 32-bit floats: what equals its forecast must not seem above it. */
const ROUNDING = 1 + 1e-6;

/**
 * A fold over tick records that sees only what a live daemon sees too: samples, allocations, intents, and the quantile
 * the policy provides for, as it was forecast one tick before. Runs beside the loop, after each tick, in either world.
 */
export class Observed implements PerSlot {
  readonly #controller: Controller;
  readonly #fleet: Fleet;
  readonly #history: History;
  readonly #policies: ControllerConfig['policies'];
  readonly #pressure: number;
  readonly #unit: readonly number[];
  readonly #sink: (vmId: string, sums: Float64Array) => void;
  /** slot x OBSERVED_FIELDS. */
  #sums = new Float64Array(0);
  /** Forecast of the interval that runs, slot x R, and its quantile; NaN where there is none. */
  #upper = new Float64Array(0);
  #quantile = new Float64Array(0);
  #scratch = new Float64Array(0);
  #groups: Group[] = [];
  #slots: Int32Array = new Int32Array(0);
  #names: readonly string[] = [];
  #begun = false;

  /**
   * Register it with the controller's fleet.
   * @param sink takes a VM's sums since it was last drained; they are valid only during the call
   */
  constructor(
    controller: Controller,
    config: ControllerConfig,
    sink: (vmId: string, sums: Float64Array) => void,
  ) {
    this.#controller = controller;
    this.#fleet = controller.fleet;
    this.#history = controller.history;
    this.#policies = config.policies;
    this.#pressure = config.guards.pressure;
    this.#unit = unitPricesPerSecond(config.prices);
    this.#sink = sink;
  }

  grow(capacity: number): void {
    this.#sums = grown(this.#sums, capacity * OBSERVED_FIELDS);
    this.#upper = grown(this.#upper, capacity * R);
    this.#quantile = grown(this.#quantile, capacity * R);
    this.#scratch = grown(this.#scratch, capacity * R);
  }

  admit(slot: number): void {
    this.#sums.fill(0, slot * OBSERVED_FIELDS, (slot + 1) * OBSERVED_FIELDS);
    this.#upper.fill(Number.NaN, slot * R, slot * R + R);
  }

  retire(slot: number): void {
    this.#emit(slot);
  }

  /** Takes in a tick. Of the first one only what it begins: its samples are of the time before. */
  observe(record: TickRecord): void {
    if (this.#begun) this.#score(record);
    this.#begun = true;
    const { intents } = record;
    for (let i = 0; i < intents.count; i++) {
      const outcome = intents.outcome[i]!;
      if (outcome === OUTCOME.failed || outcome === OUTCOME.refused) continue;
      const at = intents.slot[i]! * OBSERVED_FIELDS + RESIZES;
      this.#sums[at] = this.#sums[at]! + 1;
    }
    this.#forecast(record.slots);
  }

  /** Hands over what came together of every VM since the last time, and begins anew. */
  drain(): void {
    for (const slot of this.#fleet.slots) this.#emit(slot);
  }

  #emit(slot: number): void {
    const row = this.#sums.subarray(slot * OBSERVED_FIELDS, (slot + 1) * OBSERVED_FIELDS);
    if (row[SECONDS]! > 0 || row[RESIZES]! > 0) this.#sink(this.#fleet.specs[slot]!.vmId, row);
    row.fill(0);
  }

  #score({ tick, slots, frame }: TickRecord): void {
    const seen = this.#history.block(tick);
    if (!seen) return;
    const { max, requested } = this.#fleet;
    const { pressure, allocation, oomKills } = frame;
    const sums = this.#sums;
    const upper = this.#upper;
    const dt = this.#controller.stepMs / 1000;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const row = slot * OBSERVED_FIELDS;
      let sampled = false;
      let pressed = oomKills[slot]! > 0;
      let cost = 0;
      let request = 0;
      for (let r = 0, i = slot * R; r < R; r++, i++) {
        const usage = seen[i]!;
        if (!(max[i]! > 0) || Number.isNaN(usage)) continue;
        sampled = true;
        if (pressure[i]! > this.#pressure) pressed = true;
        cost += allocation[i]! * this.#unit[r]!;
        request += requested[i]! * this.#unit[r]!;
        const forecast = upper[i]!;
        if (Number.isNaN(forecast)) continue;
        sums[row + FORECASTS + r] = sums[row + FORECASTS + r]! + 1;
        sums[row + NOMINAL + r] = sums[row + NOMINAL + r]! + this.#quantile[i]!;
        if (usage <= forecast * ROUNDING) sums[row + COVERED + r] = sums[row + COVERED + r]! + 1;
      }
      if (!sampled) continue;
      sums[row + SECONDS] = sums[row + SECONDS]! + dt;
      sums[row + COST] = sums[row + COST]! + cost * dt;
      sums[row + REQUESTED] = sums[row + REQUESTED]! + request * dt;
      if (pressed) sums[row + PRESSED] = sums[row + PRESSED]! + dt;
    }
  }

  /** Keeps the quantile each VM's policy provides for, of the interval that begins now. */
  #forecast(slots: Int32Array): void {
    this.#regroup(slots);
    for (const { forecaster, slots: own, quantile, memoryQuantile } of this.#groups) {
      forecaster.peak(own, 1, quantile, this.#upper);
      const apart = memoryQuantile !== quantile;
      if (apart) forecaster.peak(own, 1, memoryQuantile, this.#scratch);
      for (let k = 0; k < own.length; k++) {
        const i = own[k]! * R;
        this.#quantile.fill(quantile, i, i + R);
        this.#quantile[i + MEMORY] = memoryQuantile;
        if (apart) this.#upper[i + MEMORY] = this.#scratch[i + MEMORY]!;
      }
    }
  }

  /** VMs by what is forecast of them, made anew when VMs came or went or an application changed its policy. */
  #regroup(slots: Int32Array): void {
    const names = this.#fleet.applications.list.map((id) => this.#controller.policyOf(id));
    if (slots === this.#slots && names.every((name, i) => name === this.#names[i])) return;
    this.#slots = slots;
    this.#names = names;
    const byPolicy = new Map<string, number[]>();
    for (const slot of slots) {
      const name = names[this.#fleet.application[slot]!]!;
      const list = byPolicy.get(name);
      if (list) list.push(slot);
      else byPolicy.set(name, [slot]);
      this.#upper.fill(Number.NaN, slot * R, slot * R + R);
    }
    this.#groups = [...byPolicy].flatMap(([name, list]): Group[] => {
      const provided = providedQuantiles(this.#policies[name]!);
      const { applicationId } = this.#fleet.specs[list[0]!]!;
      const forecaster = this.#controller.forecasterOf(applicationId);
      return provided && forecaster ? [{ ...provided, forecaster, slots: Int32Array.from(list) }] : [];
    });
  }
}

interface Group {
  readonly forecaster: Forecaster;
  readonly slots: Int32Array;
  readonly quantile: number;
  readonly memoryQuantile: number;
}

/** The quantiles of the forecast that a policy acts on, of memory and of the rest; undefined when it has no forecast. */
export function providedQuantiles(
  policy: PolicyConfig,
): { quantile: number; memoryQuantile: number } | undefined {
  switch (policy.kind) {
    case 'quantile':
      return { quantile: policy.quantile, memoryQuantile: policy.memory.quantile };
    case 'threshold':
      return { quantile: policy.quantile, memoryQuantile: policy.quantile };
    case 'oracle':
      return { quantile: 0.5, memoryQuantile: 0.5 };
    default:
      return undefined;
  }
}
