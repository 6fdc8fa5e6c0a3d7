import { z } from 'zod';
import type { ForesizeError } from '../errors.ts';
import type { Fleet } from '../fleet.ts';
import { type Frame, R, RESOURCES, type Resource } from '../model.ts';
import type { Calibratable, Stepwise } from './conformal.ts';
import { DynamicRegression } from './dynamic-regression.ts';
import { pack, unpack } from './float-codec.ts';
import { GLOBAL, Hierarchy, type RowKey } from './hierarchy.ts';
import type { SavedState } from './model-document.ts';
import { isSample } from './point-model.ts';
import { RetrainSchedule } from './retrain-schedule.ts';
import type { FitFailure, FittedShape, ShapeModel, TrainingBatch } from './shape-model.ts';
import { TrainingSeries } from './training-series.ts';
import type { ForecastBatch, ForecastContext, Forecaster } from './types.ts';

const DAY_MS = 86_400_000;

/** How a batch model is kept up to date. */
export interface RetrainOptions {
  /** Ticks a training sample is the mean of. */
  readonly sampleTicks: number;
  readonly windowDays: number;
  /** Days of history before a row is trained at all. */
  readonly minDays: number;
  readonly retrainTicks: number;
  /** Rows (of all resources) trained a tick at most. */
  readonly fitsPerTick: number;
}

/** A fit that was not taken over; the last good model stays. */
export interface FailedFit extends RowKey {
  /** Absent where one model is for all resources. */
  readonly resource?: Resource;
  readonly tick: number;
  readonly reason: string;
}

/** What a trained forecaster can say of its training. */
export interface TrainingHealth {
  /** Series fitted, and not taken over, since the start. */
  readonly fits: number;
  readonly failures: number;
  /** Rows that are due and wait for budget. */
  readonly waiting: number;
  /** The newest failures, oldest first. */
  readonly recent: readonly FailedFit[];
  /** Saved models that were refused when their VMs came. */
  readonly refused: readonly ForesizeError[];
}

/** What a row's model was trained on. */
export interface Training {
  readonly tick: number;
  /** Times of the window's ends, ms since the epoch, and samples in it. */
  readonly from: number;
  readonly to: number;
  readonly samples: number;
  /** Root mean squared error there, in units of the request. */
  readonly loss: Readonly<Partial<Record<Resource, number>>>;
}

const KEPT_FAILURES = 100;

/**
 * Makes a point forecaster of a batch model: keeps its training series, trains pairs, applications and the fleet on
 * a schedule, hands every VM the shape of the nearest row that has one (pair -> application -> global), and lets
 * `DynamicRegression` bring it to where the VM is now. Without any shape that alone is the forecast, and it begins
 * as last-value. A fit that fails or runs away leaves the last good model in place and is on record.
 */
export class Retrained implements Forecaster, Calibratable, Stepwise {
  readonly name: string;
  readonly parameters: string;
  readonly rows: Hierarchy;
  readonly local: DynamicRegression;
  readonly series: TrainingSeries;
  readonly schedule: RetrainSchedule;
  readonly model: ShapeModel;
  readonly #fleet: Fleet;
  readonly #ctx: ForecastContext;
  readonly #options: RetrainOptions;
  readonly #day: number;
  /** Shape per row * R + resource, and what it was trained on per row. */
  readonly #shapes: (FittedShape | undefined)[] = [];
  readonly #training: (Training | undefined)[] = [];
  /** Slots of each pair's VMs. */
  readonly #members: Set<number>[] = [];
  /** Rows directly below each row. */
  readonly #children: number[][] = [];
  readonly #failures: FailedFit[] = [];
  #fits = 0;
  #failed = 0;
  #tick = -1;

  constructor(model: ShapeModel, options: RetrainOptions, ctx: ForecastContext) {
    this.parameters = JSON.stringify([model.name, model.version, model.parameters, options]);
    this.name = model.name;
    this.model = model;
    this.#options = options;
    this.#ctx = ctx;
    this.#fleet = ctx.fleet;
    this.#day = Math.max(1, Math.round(DAY_MS / ctx.stepMs));
    this.rows = new Hierarchy(ctx.fleet);
    this.local = new DynamicRegression(ctx.fleet, this.rows, this.#day);
    const length = Math.max(2, Math.round((options.windowDays * this.#day) / options.sampleTicks));
    this.series = new TrainingSeries(this.rows, options.sampleTicks, length);
    this.schedule = new RetrainSchedule(options.retrainTicks, options.fitsPerTick);
    this.#growRows();
  }

  grow(capacity: number): void {
    this.rows.grow(capacity);
    this.local.grow(capacity);
  }

  admit(slot: number): void {
    this.rows.admit(slot);
    this.#growRows();
    this.local.admit(slot);
    const row = this.rows.row[slot]!;
    this.#members[row]!.add(slot);
    for (let r = 0; r < R; r++) this.local.setShape(slot * R + r, this.shapeFor(row, r));
  }

  retire(slot: number): void {
    this.#members[this.rows.row[slot]!]!.delete(slot);
  }

  #growRows(): void {
    const { size, parent } = this.rows;
    this.series.grow();
    this.schedule.grow(size);
    for (let row = this.#children.length; row < size; row++) {
      this.#children.push([]);
      this.#members.push(new Set());
      this.#training.push(undefined);
      for (let r = 0; r < R; r++) this.#shapes.push(undefined);
      if (parent[row]! >= 0) this.#children[parent[row]!]!.push(row);
    }
  }

  observe(frame: Frame): void | Promise<void> {
    const t = frame.tick;
    this.#tick = t;
    this.local.observe(frame);
    const slots = this.#fleet.slots;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const row = this.rows.row[slot]!;
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        const value = frame.usage[i]!;
        if (isSample(value)) this.series.add(row, r, value / this.local.unit(i));
      }
    }
    this.series.tick(t);
    return this.#train(t);
  }

  #train(t: number): void | Promise<void> {
    const { sampleTicks, minDays } = this.#options;
    const enough = (minDays * this.#day) / sampleTicks;
    if ((t + 1) % sampleTicks === 0) {
      for (let row = 0; row < this.rows.size; row++) {
        if (!this.schedule.isScheduled(row) && this.series.available(row) >= enough)
          this.schedule.start(row, t);
      }
    }
    const due = this.schedule.take(t).filter((row) => this.#worthwhile(row));
    if (due.length === 0) return;
    const batches = this.#batches(due);
    const results = batches.map(({ batch }) => this.model.fit(batch));
    if (results.some((result) => result instanceof Promise)) {
      return Promise.all(results).then((all) => this.#adopt(batches, all));
    }
    this.#adopt(batches, results as (FittedShape | FitFailure)[][]);
  }

  #worthwhile(row: number): boolean {
    // An only child's series is its parent's: nothing is learned twice.
    if (!this.rows.isPair(row) && this.#children[row]!.length < 2) return false;
    // A pair whose VMs are gone has nothing new to learn from.
    return this.series.last(row) > this.series.head - this.#options.retrainTicks / this.#options.sampleTicks;
  }

  /** The series of the due rows, those of one length together. */
  #batches(due: readonly number[]): { rows: number[]; batch: TrainingBatch }[] {
    const { sampleTicks } = this.#options;
    // Windows that are not full yet have lengths in steps of a quarter day, which fits can share work over.
    const quarter = Math.max(1, Math.floor(this.#day / sampleTicks / 4));
    const byLength = new Map<number, number[]>();
    for (const row of due) {
      const n = this.series.available(row);
      const length = n === this.series.length ? n : Math.max(2, n - (n % quarter));
      const rows = byLength.get(length);
      if (rows) rows.push(row);
      else byLength.set(length, [row]);
    }
    return [...byLength].map(([length, rows]) => {
      const values = new Float64Array(rows.length * R * length);
      rows.forEach((row, k) => {
        for (let r = 0; r < R; r++) this.series.copy(row, r, length, values, (k * R + r) * length);
      });
      const from = (this.series.head - length + 1) * sampleTicks;
      return { rows, batch: { count: rows.length * R, length, values, from, every: sampleTicks } };
    });
  }

  #adopt(
    batches: readonly { rows: number[]; batch: TrainingBatch }[],
    results: readonly (FittedShape | FitFailure)[][],
  ): void {
    batches.forEach(({ rows, batch }, b) => {
      rows.forEach((row, k) => {
        const loss: Partial<Record<Resource, number>> = {};
        for (let r = 0; r < R; r++) {
          const series = batch.values.subarray((k * R + r) * batch.length, (k * R + r + 1) * batch.length);
          if (series.every(Number.isNaN)) continue;
          this.#fits++;
          const result = results[b]![k * R + r]!;
          const reason = 'failed' in result ? result.failed : this.#runaway(result, series);
          if (reason !== undefined) this.#fail(row, r, reason);
          else {
            this.#shapes[row * R + r] = result as FittedShape;
            loss[RESOURCES[r]!] = (result as FittedShape).loss;
          }
        }
        if (Object.keys(loss).length === 0) return;
        const first = this.#training[row] === undefined;
        const { stepMs, epochMs } = this.#ctx;
        this.#training[row] = {
          tick: this.#tick,
          from: epochMs + batch.from * stepMs,
          to: epochMs + (batch.from + batch.length * batch.every) * stepMs,
          samples: batch.length,
          loss,
        };
        // Others may have been waiting for the first shape of their application.
        this.#hand(first && this.rows.isPair(row) ? this.rows.parent[row]! : row);
      });
    });
  }

  /** Why a shape may not be used before the next training, if it may not. */
  #runaway(shape: FittedShape, series: Float64Array): string | undefined {
    let most = 0;
    for (const v of series) if (Math.abs(v) > most) most = Math.abs(v);
    const step = Math.max(1, Math.floor(this.#options.retrainTicks / 12));
    for (let h = 1; h <= this.#options.retrainTicks + step; h += step) {
      const v = shape.at(this.#tick + h);
      if (!Number.isFinite(v)) return 'forecasts that are not finite';
      if (Math.abs(v) > 10 * most) return `a forecast of ${v / most} times the largest sample`;
    }
    return undefined;
  }

  #fail(row: number, r: number, reason: string): void {
    this.#failed++;
    this.#failures.push({ ...this.rows.keys[row]!, resource: RESOURCES[r]!, tick: this.#tick, reason });
    if (this.#failures.length > KEPT_FAILURES) this.#failures.shift();
  }

  /** The shape of the nearest row that has one: pair, application, global. */
  shapeFor(row: number, resource: number): FittedShape | undefined {
    for (let up = row; up >= 0; up = this.rows.parent[up]!) {
      const shape = this.#shapes[up * R + resource] ?? this.#eldest(up, resource);
      if (shape) return shape;
    }
    return undefined;
  }

  /** While an application has no shape of its own, its first trained pair speaks for it. */
  #eldest(row: number, resource: number): FittedShape | undefined {
    if (row === GLOBAL) return undefined;
    for (const child of this.#children[row]!) {
      const shape = this.#shapes[child * R + resource];
      if (shape) return shape;
    }
    return undefined;
  }

  /** Gives the VMs below a row the shapes that are now theirs. */
  #hand(row: number): void {
    if (!this.rows.isPair(row)) {
      for (const child of this.#children[row]!) this.#hand(child);
      return;
    }
    for (let r = 0; r < R; r++) {
      const shape = this.shapeFor(row, r);
      for (const slot of this.#members[row]!) this.local.setShape(slot * R + r, shape);
    }
  }

  peak(slots: Int32Array, horizon: number, _quantile: number, out: Float64Array): void {
    const path = new Float64Array(horizon);
    for (let k = 0; k < slots.length; k++) {
      for (let r = 0; r < R; r++) {
        this.local.path(slots[k]!, r, horizon, path, 0);
        let highest = path[0]!;
        for (let h = 1; h < horizon; h++) if (path[h]! > highest) highest = path[h]!;
        out[slots[k]! * R + r] = highest;
      }
    }
  }

  get due(): number {
    return this.local.due;
  }

  steps(slot: number, r: number, horizon: number, wanted: number, out: Float64Array): void {
    this.local.steps(slot, r, horizon, wanted, out, 0);
  }

  /** The point forecast, at every quantile alike. */
  predict(slots: Int32Array, out: ForecastBatch): void {
    const { horizon, quantiles, values } = out;
    for (let k = 0; k < slots.length; k++) {
      for (let r = 0; r < R; r++) {
        const from = out.index(k, r, 0, 0);
        this.local.path(slots[k]!, r, horizon, values, from);
        for (let q = 1; q < quantiles.length; q++)
          values.copyWithin(from + q * horizon, from, from + horizon);
      }
    }
  }

  health(): TrainingHealth {
    return {
      fits: this.#fits,
      failures: this.#failed,
      waiting: this.schedule.waiting(this.#tick),
      recent: [...this.#failures],
      refused: [],
    };
  }

  trainingOf(row: number): Training | undefined {
    return this.#training[row];
  }

  saveRow(row: number): SavedState {
    return {
      regression: this.local.saveRow(row),
      series: pack(this.series.columns(row)),
      head: this.series.head,
      due: this.schedule.isScheduled(row) ? this.schedule.due(row) : null,
      training: this.#training[row] ?? null,
      shapes: Array.from({ length: R }, (_, r) => this.#shapes[row * R + r]?.save() ?? null),
    };
  }

  loadRow(row: number, saved: SavedState, tick: number): void {
    const { head, due, training, shapes } = savedRow.parse(saved);
    const parsed = shapes.map((shape) => (shape === null ? undefined : this.model.parse(shape)));
    this.local.loadRow(row, saved['regression']);
    unpack(saved['series'], this.series.columns(row));
    this.series.head = Math.max(this.series.head, head);
    this.#tick = Math.max(this.#tick, tick);
    this.schedule.set(row, due ?? Number.POSITIVE_INFINITY);
    this.#training[row] = training ?? undefined;
    for (let r = 0; r < R; r++) this.#shapes[row * R + r] = parsed[r];
    this.#hand(row);
  }

  saveSlot(slot: number): SavedState {
    return { regression: this.local.saveSlot(slot) };
  }

  loadSlot(slot: number, saved: SavedState, tick: number): void {
    this.local.loadSlot(slot, saved['regression'], tick);
  }
}

const savedRow = z.object({
  head: z.int(),
  due: z.int().nullable(),
  training: z
    .object({
      tick: z.int(),
      from: z.number(),
      to: z.number(),
      samples: z.int(),
      loss: z.partialRecord(z.enum(RESOURCES), z.number()),
    })
    .nullable(),
  shapes: z.array(z.unknown()).length(R),
});
