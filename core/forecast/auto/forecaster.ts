import { z } from 'zod';
import { DAY } from '../../duration.ts';
import type { Fleet } from '../../fleet.ts';
import { normalQuantile } from '../../math.ts';
import { type Frame, grown, R, RESOURCES, type Resource } from '../../model.ts';
import { Documents } from '../documents.ts';
import { type Columns, pack, unpack } from '../float-codec.ts';
import { Hierarchy, type RowKey } from '../hierarchy.ts';
import type { ModelDocument, SavedState } from '../model-document.ts';
import { isSample } from '../point-model.ts';
import type { TrainingHealth } from '../retrained.ts';
import { isPersistent, type Persistent, type Stateful } from '../stateful.ts';
import { ForecastBatch, type ForecastContext, type Forecaster } from '../types.ts';
import { Mixture } from './mixture.ts';
import { COMPARED, Standings } from './standings.ts';

/** Steps ahead that candidates are compared over. */
const STEPS = 12;
/** A VM is compared anew every so many ticks, just after the last comparison ended. */
const EVERY = STEPS + 1;
const Q = COMPARED.length;
export const AUTO_CANDIDATES = [
  'last-value',
  'seasonal-naive',
  'holt-winters',
  'prophet-ridge',
  'linear-quantile',
  'prophet',
  'ets',
  'mstl',
  'lstm',
] as const;

export const autoParams = z
  .strictObject({
    candidates: z
      .array(z.enum(AUTO_CANDIDATES))
      .min(1)
      .default(['last-value', 'seasonal-naive', 'prophet-ridge', 'linear-quantile'])
      .describe('Models to choose from, each with its defaults.'),
    memoryDays: z
      .number()
      .min(0.1)
      .max(90)
      .default(2)
      .describe('Half-life of what is held against a model, days.'),
    decideHours: z.number().min(0.1).max(168).default(3).describe('Time between decisions, hours.'),
  })
  .describe(
    'Chooses a model for every application, user and resource by its recent losses; averages those that are as good.',
  );

export type AutoParams = z.infer<typeof autoParams>;

/** The weights a row gives to the candidates, for reports. */
export interface Choice extends RowKey {
  readonly resource: Resource;
  readonly weights: Readonly<Record<string, number>>;
}

/** @param candidates made by the registry, in the order of `params.candidates`; not registered with the fleet */
export function createAuto(
  params: AutoParams,
  ctx: ForecastContext,
  candidates: readonly Forecaster[],
): Auto {
  return new Auto(params, ctx, candidates);
}

/**
 * Model choice by rolling origin: at staggered ticks every candidate forecasts the next hour for a VM, and is held to
 * it as the samples come in. The forecast is the average of the candidates' quantiles, weighted by how they stand.
 */
export class Auto implements Forecaster, Persistent, Stateful {
  readonly name = 'auto';
  readonly parameters: string;
  readonly #candidates: readonly Forecaster[];
  readonly #fleet: Fleet;
  readonly #rows: Hierarchy;
  readonly #standings: Standings;
  readonly #mixture: Mixture;
  readonly #documents: Documents;
  readonly #decideTicks: number;
  readonly #halfLives: number;
  /** Tick that a slot's running comparison began after; -1 when none runs. */
  #since = new Int32Array(0);
  /** Forecasts under comparison: (((slot * R + r) * (C + 1) + c) * Q + q) * STEPS + h, the combined one last. */
  #made = new Float32Array(0);
  /** Loss of each candidate so far, and arrivals and how many of them were covered by the combined one. */
  #running = new Float64Array(0);
  #arrived = new Float64Array(0);
  #tick = -1;
  readonly #covered = new Float64Array(Q);

  constructor(params: AutoParams, ctx: ForecastContext, candidates: readonly Forecaster[]) {
    const names = candidates.map((candidate) => candidate.name);
    this.parameters = JSON.stringify(['auto', 1, params, names]);
    this.#candidates = candidates;
    this.#fleet = ctx.fleet;
    this.#rows = new Hierarchy(ctx.fleet);
    const { stepMs, epochMs } = ctx;
    this.#standings = new Standings(this.#rows, candidates.length, Math.max(0, names.indexOf('last-value')));
    this.#mixture = new Mixture(candidates, this.#rows, this.#standings);
    const identity = { forecaster: this.name, parameters: this.parameters, stepMs, epochMs };
    this.#documents = new Documents(identity, ctx.fleet, this.#rows, this);
    this.#decideTicks = Math.max(1, Math.round((params.decideHours * DAY) / 24 / stepMs));
    this.#halfLives = (this.#decideTicks * stepMs) / (params.memoryDays * DAY);
  }

  grow(capacity: number): void {
    const C = this.#candidates.length;
    this.#rows.grow(capacity);
    this.#since = grown(this.#since, capacity);
    this.#made = grown(this.#made, capacity * R * (C + 1) * Q * STEPS);
    this.#running = grown(this.#running, capacity * R * C);
    this.#arrived = grown(this.#arrived, capacity * R * (Q + 1));
    this.#mixture.grow(capacity);
    for (const candidate of this.#candidates) candidate.grow(capacity);
  }

  admit(slot: number): void {
    this.#rows.admit(slot);
    this.#standings.grow();
    this.#since[slot] = -1;
    this.#mixture.clear(slot);
    for (const candidate of this.#candidates) candidate.admit(slot);
    this.#documents.admitted(slot);
  }

  retire(slot: number): void {
    for (const candidate of this.#candidates) candidate.retire?.(slot);
  }

  async observe(frame: Frame): Promise<void> {
    for (const candidate of this.#candidates) {
      const trained = candidate.observe(frame);
      if (trained) await trained;
    }
    const t = frame.tick;
    this.#tick = t;
    for (const slot of this.#fleet.slots) {
      for (let i = slot * R; i < slot * R + R; i++) {
        if (isSample(frame.usage[i]!)) this.#mixture.seen[i] = 1;
      }
      if (this.#since[slot]! >= 0) this.#score(slot, frame);
    }
    if (t % this.#decideTicks === 0) this.#standings.decide(this.#halfLives);
    this.#ask();
  }

  /** Holds this tick's samples against the forecasts under comparison. */
  #score(slot: number, frame: Frame): void {
    const C = this.#candidates.length;
    const h = this.#tick - this.#since[slot]! - 1;
    for (let r = 0; r < R; r++) {
      const i = slot * R + r;
      const y = frame.usage[i]!;
      if (!isSample(y)) continue;
      let at = i * (C + 1) * Q * STEPS + h;
      for (let c = 0; c < C; c++) {
        for (let q = 0; q < Q; q++, at += STEPS) {
          const error = y - this.#made[at]!;
          this.#running[i * C + c]! += error >= 0 ? COMPARED[q]! * error : (COMPARED[q]! - 1) * error;
        }
      }
      for (let q = 0; q < Q; q++, at += STEPS) {
        if (y <= this.#made[at]!) this.#arrived[i * (Q + 1) + q]!++;
      }
      this.#arrived[i * (Q + 1) + Q]!++;
    }
    if (h < STEPS - 1) return;
    this.#since[slot] = -1;
    const row = this.#rows.row[slot]!;
    for (let r = 0; r < R; r++) {
      const i = slot * R + r;
      const arrived = this.#arrived[i * (Q + 1) + Q]!;
      if (arrived === 0) continue;
      for (let q = 0; q < Q; q++) this.#covered[q] = this.#arrived[i * (Q + 1) + q]! / arrived;
      this.#standings.add(row, r, this.#running, i * C, this.#covered);
    }
  }

  /** Begins new comparisons. */
  #ask(): void {
    const C = this.#candidates.length;
    const due = this.#fleet.slots.filter((slot) => (this.#tick + 5 * slot) % EVERY === 0);
    if (due.length === 0) return;
    const batch = new ForecastBatch(due.length, STEPS, COMPARED);
    [...this.#candidates, this].forEach((forecaster, c) => {
      forecaster.predict(due, batch);
      for (let k = 0; k < due.length; k++) {
        for (let r = 0; r < R; r++) {
          const to = ((due[k]! * R + r) * (C + 1) + c) * Q * STEPS;
          const from = batch.index(k, r, 0, 0);
          for (let j = 0; j < Q * STEPS; j++) this.#made[to + j] = batch.values[from + j]!;
        }
      }
    });
    for (const slot of due) {
      this.#since[slot] = this.#tick;
      this.#running.fill(0, slot * R * C, (slot + 1) * R * C);
      this.#arrived.fill(0, slot * R * (Q + 1), (slot + 1) * R * (Q + 1));
    }
  }

  peak(slots: Int32Array, horizon: number, quantile: number, out: Float64Array): void {
    const batch = new ForecastBatch(slots.length, 1, [quantile]);
    this.#read(slots, batch, (levels) => this.#mixture.blendPeaks(slots, horizon, levels));
    for (let k = 0; k < slots.length; k++) {
      for (let r = 0; r < R; r++) out[slots[k]! * R + r] = batch.values[batch.index(k, r, 0, 0)]!;
    }
  }

  predict(slots: Int32Array, out: ForecastBatch): void {
    this.#read(slots, out, (levels) => this.#mixture.blend(slots, out.horizon, levels));
  }

  /** Reads the quantiles of `out` off those of the mixture at some levels around them. */
  #read(slots: Int32Array, out: ForecastBatch, blend: (levels: readonly number[]) => Float64Array): void {
    const { quantiles, horizon, values } = out;
    const probits = quantiles.map(normalQuantile);
    const { places, levels } = this.#mixture.levels(probits[0]!, probits.at(-1)!);
    const mixed = blend(levels);
    const n = levels.length;
    for (let k = 0; k < slots.length; k++) {
      const row = this.#rows.row[slots[k]!]!;
      for (let r = 0; r < R; r++) {
        const from = (k * R + r) * n * horizon;
        const to = out.index(k, r, 0, 0);
        let lowest = Number.NEGATIVE_INFINITY;
        for (let q = 0; q < quantiles.length; q++) {
          // Corrections of neighbours may differ; what they are applied to must ascend all the same.
          const z = Math.max(lowest, this.#standings.corrected(row, r, probits[q]!));
          lowest = z;
          let g = 0;
          while (g + 2 < n && places[g + 1]! <= z) g++;
          const share = (z - places[g]!) / (places[g + 1]! - places[g]!);
          for (let h = 0; h < horizon; h++) {
            const low = mixed[from + g * horizon + h]!;
            const high = mixed[from + (g + 1) * horizon + h]!;
            values[to + q * horizon + h] = Math.max(0, low + share * (high - low));
          }
        }
      }
    }
  }

  /** The present weights of every pair, application and the fleet. */
  choices(): Choice[] {
    const C = this.#candidates.length;
    return this.#rows.keys.flatMap((key, row) =>
      RESOURCES.map((resource, r) => ({
        ...key,
        resource,
        weights: Object.fromEntries(
          this.#candidates.map(({ name }, c) => [name, this.#standings.weights[(row * R + r) * C + c]!]),
        ),
      })),
    );
  }

  health(): TrainingHealth {
    const parts = this.#candidates.filter(isPersistent).map((candidate) => candidate.health());
    return {
      fits: parts.reduce((sum, part) => sum + part.fits, 0),
      failures: parts.reduce((sum, part) => sum + part.failures, 0),
      waiting: parts.reduce((sum, part) => sum + part.waiting, 0),
      recent: parts.flatMap((part) => part.recent),
      refused: [...this.#documents.refused, ...parts.flatMap((part) => part.refused)],
    };
  }

  /** Its own documents and those of the candidates that can be written down. */
  models(): ModelDocument[] {
    return [
      ...this.#documents.write(this.#tick),
      ...this.#candidates.filter(isPersistent).flatMap((candidate) => candidate.models()),
    ];
  }

  load(document: unknown): void {
    const name = (document as { forecaster?: unknown } | null)?.forecaster;
    const owner = this.#candidates.filter(isPersistent).find((candidate) => candidate.name === name);
    if (owner) owner.load(document);
    else this.#documents.read(document);
  }

  trainingOf(): undefined {
    return undefined;
  }

  saveRow(row: number): SavedState {
    return { standings: pack(this.#standings.columns(row)) };
  }

  loadRow(row: number, saved: SavedState, tick: number): void {
    unpack(saved['standings'], this.#standings.columns(row));
    this.#tick = Math.max(this.#tick, tick);
  }

  saveSlot(slot: number): SavedState {
    return { comparison: pack(this.#columns(slot)) };
  }

  loadSlot(slot: number, saved: SavedState): void {
    unpack(saved['comparison'], this.#columns(slot));
  }

  #columns(slot: number): Columns[] {
    const C = this.#candidates.length;
    const part = <T extends Columns>(column: T, width: number): T =>
      column.subarray(slot * width, (slot + 1) * width) as T;
    return [
      part(this.#since, 1),
      part(this.#made, R * (C + 1) * Q * STEPS),
      part(this.#running, R * C),
      part(this.#arrived, R * (Q + 1)),
      part(this.#mixture.seen, R),
    ];
  }
}
