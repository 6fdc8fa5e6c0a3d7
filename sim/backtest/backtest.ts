import type { ForecastConfig } from '../../core/config.ts';
import { Fleet } from '../../core/fleet.ts';
import { createForecaster, historyDepth } from '../../core/forecast/registry.ts';
import { ForecastBatch, type ForecastContext, type Forecaster } from '../../core/forecast/types.ts';
import { History } from '../../core/history.ts';
import { Frame, grown, R, RESOURCES, type Resource } from '../../core/model.ts';
import { augursRuntime } from '../augurs.ts';
import { Breather } from '../breather.ts';
import { Oracle } from '../oracle.ts';
import { managedResources, Population } from '../population.ts';
import type { Workload } from '../workload/types.ts';
import { type AccuracyRow, LOW, MEDIAN, type ModelAccuracy, pinball, QUANTILES } from './accuracy.ts';

export interface BacktestOptions {
  /** Steps ahead, ticks. */
  readonly horizon: number;
  /** First origin, and ticks between origins. */
  readonly warmup: number;
  readonly every: number;
  readonly seed: number;
  readonly onProgress?: (done: number) => void;
  readonly signal?: AbortSignal | undefined;
  /** VMs whose forecasts are kept, to be drawn. */
  readonly keep?: readonly string[];
}

/** A forecast that was kept: `values[q][h]` of a resource, made at the end of tick `origin`. */
export interface KeptForecast {
  readonly vmId: string;
  readonly origin: number;
  readonly resources: Partial<Record<Resource, readonly (readonly number[])[]>>;
}

export interface Backtest {
  readonly accuracy: ModelAccuracy;
  readonly kept: KeptForecast[];
}

/** A forecast whose actual values are still coming in. */
interface Pending {
  readonly origin: number;
  readonly slots: Int32Array;
  /** VM numbers, to notice a slot that changed hands. */
  readonly vms: Int32Array;
  readonly batch: ForecastBatch;
}

/**
 * Rolling-origin backtest: the workload is replayed tick by tick through the forecaster just as the control loop does
 * it, but with true demand in place of censored usage; at every origin the forecaster predicts the whole horizon, and
 * is scored as the actual values come in. Models retrain by their own schedule.
 */
export async function backtest(
  workload: Workload,
  model: { readonly name: string; readonly config: ForecastConfig },
  options: BacktestOptions,
): Promise<Backtest> {
  const { horizon, warmup, every } = options;
  const { stepMs, epochMs, intervals } = workload;
  const fleet = new Fleet();
  const book = fleet.register(new AccuracyBook(fleet, Math.round(86_400_000 / stepMs)));
  const history = new History(fleet, historyDepth(model.config, stepMs));
  const population = new Population(fleet, workload);
  const frame = fleet.register(new Frame());
  const demand = fleet.register(new Demand());
  const ctx: ForecastContext = { fleet, history, stepMs, epochMs, seed: options.seed };
  const forecaster: Forecaster = fleet.register(
    model.config.model === 'oracle'
      ? new Oracle(workload, (slot) => population.vmOf(slot))
      : await createForecaster(model.config, ctx, augursRuntime),
  );
  const breather = new Breather();
  const kept: KeptForecast[] = [];
  let pending: Pending[] = [];
  let fitMs = 0;
  let predictMs = 0;
  let forecasts = 0;
  for (let t = 0; t <= intervals; t++) {
    frame.tick = t;
    frame.at = epochMs + t * stepMs;
    for (const slot of fleet.slots) {
      frame.usage.set(demand.values.subarray(slot * R, slot * R + R), slot * R);
      frame.sampledAt[slot] = frame.at;
    }
    if (t <= warmup) book.scale(frame);
    pending = pending.filter((p) => book.score(p, frame, t - p.origin, p.origin - warmup) < horizon);
    if (t === intervals) break;
    population.update(t);
    population.demand(t, demand.values);
    history.append(frame);
    const started = performance.now();
    const fitted = forecaster.observe(frame);
    if (fitted) await fitted;
    fitMs += performance.now() - started;
    if (t >= warmup && (t - warmup) % every === 0 && t + horizon <= intervals) {
      const slots = fleet.slots.filter((slot) => fleet.since[slot]! < t);
      const batch = new ForecastBatch(slots.length, horizon, QUANTILES);
      const asked = performance.now();
      forecaster.predict(slots, batch);
      predictMs += performance.now() - asked;
      forecasts += slots.length;
      pending.push({ origin: t, slots, vms: slots.map((slot) => book.numberOf(slot)), batch });
      for (const vmId of options.keep ?? []) keep(kept, fleet, vmId, t, slots, batch);
    }
    const pause = breather.pause();
    if (pause) {
      options.onProgress?.(t);
      await pause;
      options.signal?.throwIfAborted();
    }
  }
  options.onProgress?.(intervals);
  const managed = managedResources(fleet);
  return {
    kept,
    accuracy: {
      model: model.name,
      vmIds: book.vmIds,
      rows: Object.fromEntries(RESOURCES.flatMap((name, r) => (managed[r] ? [[name, book.rowsOf(r)]] : []))),
      scales: Object.fromEntries(
        RESOURCES.flatMap((name, r) => (managed[r] ? [[name, book.scalesOf(r)]] : [])),
      ),
      fitSeconds: fitMs / 1000,
      predictSeconds: predictMs / 1000,
      forecasts,
    },
  };
}

function keep(
  kept: KeptForecast[],
  fleet: Fleet,
  vmId: string,
  origin: number,
  slots: Int32Array,
  batch: ForecastBatch,
): void {
  const slot = fleet.slotOf(vmId);
  const k = slot === undefined ? -1 : slots.indexOf(slot);
  if (k < 0) return;
  const resources = RESOURCES.map((name, r) => [
    name,
    QUANTILES.map((_, q) =>
      Array.from({ length: batch.horizon }, (_, h) => batch.values[batch.index(k, r, q, h)]!),
    ),
  ]);
  kept.push({ vmId, origin, resources: Object.fromEntries(resources) });
}

/** Demand of the running interval, slot x R. */
class Demand {
  values = new Float64Array(0);

  grow(capacity: number): void {
    this.values = grown(this.values, capacity * R);
  }

  admit(slot: number): void {
    this.values.fill(Number.NaN, slot * R, slot * R + R);
  }
}

/** Keeps losses by VM-day and the scales of MASE. */
class AccuracyBook {
  readonly vmIds: string[] = [];
  readonly #fleet: Fleet;
  readonly #perDay: number;
  #number = new Int32Array(0);
  /** By VM number x R: sum and count of |y(t) - y(t - 1)|; by slot x R the value before. */
  #moved = new Float64Array(0);
  #moves = new Float64Array(0);
  #before = new Float64Array(0);
  readonly #rows = RESOURCES.map(() => new Map<number, AccuracyRow>());

  constructor(fleet: Fleet, perDay: number) {
    this.#fleet = fleet;
    this.#perDay = perDay;
  }

  grow(capacity: number): void {
    this.#number = grown(this.#number, capacity);
    this.#before = grown(this.#before, capacity * R);
  }

  admit(slot: number): void {
    this.#number[slot] = this.vmIds.length;
    this.vmIds.push(this.#fleet.specs[slot]!.vmId);
    this.#moved = grown(this.#moved, this.vmIds.length * 2 * R);
    this.#moves = grown(this.#moves, this.vmIds.length * 2 * R);
    this.#before.fill(Number.NaN, slot * R, slot * R + R);
  }

  numberOf(slot: number): number {
    return this.#number[slot]!;
  }

  scale(frame: Frame): void {
    for (const slot of this.#fleet.slots) {
      for (let r = 0; r < R; r++) {
        const y = frame.usage[slot * R + r]!;
        const step = Math.abs(y - this.#before[slot * R + r]!);
        this.#before[slot * R + r] = y;
        if (Number.isNaN(step)) continue;
        const i = this.#number[slot]! * R + r;
        this.#moved[i]! += step;
        this.#moves[i]!++;
      }
    }
  }

  /** Scores the step of a pending forecast that the frame is the actual value of. Gives the step. */
  score({ slots, vms, batch }: Pending, frame: Frame, step: number, sinceStart: number): number {
    const day = Math.floor(sinceStart / this.#perDay);
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      if (this.#fleet.specs[slot] === undefined || this.#number[slot] !== vms[k]) continue;
      for (let r = 0; r < R; r++) {
        const y = frame.usage[slot * R + r]!;
        const median = batch.values[batch.index(k, r, MEDIAN, step - 1)]!;
        if (Number.isNaN(y) || Number.isNaN(median)) continue;
        const row = this.#row(r, vms[k]!, day);
        row.points++;
        row.actual += y;
        row.absoluteError += Math.abs(y - median);
        for (let q = 0; q < QUANTILES.length; q++) {
          // A model with too little history to know its spread has its median for every quantile.
          const value = batch.values[batch.index(k, r, q, step - 1)]!;
          const forecast = Number.isNaN(value) ? median : value;
          row.pinball[q]! += pinball(QUANTILES[q]!, forecast, y);
          if (y <= forecast) row.covered[q]!++;
          if (QUANTILES[q] === 0.95) row.width += forecast;
          if (q === LOW) row.width -= forecast;
        }
      }
    }
    return step;
  }

  rowsOf(resource: number): AccuracyRow[] {
    return [...this.#rows[resource]!.values()].sort((a, b) => a.vm - b.vm || a.day - b.day);
  }

  scalesOf(resource: number): Float64Array {
    return Float64Array.from(this.vmIds, (_, vm) => {
      const moves = this.#moves[vm * R + resource]!;
      return moves === 0 ? 0 : this.#moved[vm * R + resource]! / moves;
    });
  }

  #row(resource: number, vm: number, day: number): AccuracyRow {
    const key = vm * 100_000 + day;
    let row = this.#rows[resource]!.get(key);
    if (!row) {
      row = {
        vm,
        day,
        points: 0,
        actual: 0,
        absoluteError: 0,
        pinball: new Float64Array(QUANTILES.length),
        covered: new Float64Array(QUANTILES.length),
        width: 0,
      };
      this.#rows[resource]!.set(key, row);
    }
    return row;
  }
}
