import { Frame, R } from '../model.ts';
import type { PointModel } from './point-model.ts';
import { PeakResiduals, StepResiduals } from './residuals.ts';
import type { ForecastBatch, ForecastContext, Forecaster } from './types.ts';

/**
 * A point model with quantiles from its own recent errors. Errors are tracked from the first time a quantile other
 * than .5 is asked for, when the retained history is replayed through a fresh model to begin with; until then they
 * cost nothing. A quantile other than .5 is NaN while a VM has fewer than 8 errors.
 */
export class BandedForecaster implements Forecaster {
  readonly name: string;
  readonly #create: () => PointModel;
  readonly #ctx: ForecastContext;
  readonly #model: PointModel;
  readonly #peaks = new Map<number, PeakResiduals>();
  #steps: StepResiduals | undefined;
  #capacity = 0;

  /** @param create makes the model: once for use, and once for each replay */
  constructor(name: string, create: () => PointModel, ctx: ForecastContext) {
    this.name = name;
    this.#create = create;
    this.#ctx = ctx;
    this.#model = create();
  }

  grow(capacity: number): void {
    this.#capacity = capacity;
    this.#model.grow(capacity);
    this.#steps?.grow(capacity);
    for (const peak of this.#peaks.values()) peak.grow(capacity);
  }

  admit(slot: number): void {
    this.#model.admit(slot);
    this.#steps?.admit(slot);
    for (const peak of this.#peaks.values()) peak.admit(slot);
  }

  observe(frame: Frame): void {
    this.#model.observe(frame);
    this.#steps?.observe(frame.usage, frame.tick, this.#model);
    for (const peak of this.#peaks.values()) peak.observe(frame.usage, frame.tick, this.#model);
  }

  peak(slots: Int32Array, horizon: number, quantile: number, out: Float64Array): void {
    this.#model.peak(slots, horizon, out);
    if (quantile === 0.5) return;
    let residuals = this.#peaks.get(horizon);
    if (!residuals) {
      residuals = this.#replay(new PeakResiduals(this.#ctx.fleet, horizon));
      this.#peaks.set(horizon, residuals);
    }
    const errors = residuals.errors;
    for (let k = 0; k < slots.length; k++) {
      const base = slots[k]! * R;
      for (let i = base; i < base + R; i++) out[i] = Math.max(0, out[i]! + errors.offset(i, quantile));
    }
  }

  predict(slots: Int32Array, out: ForecastBatch): void {
    const { quantiles, horizon, values } = out;
    if (quantiles.some((q) => q !== 0.5) && (this.#steps?.reach ?? 0) < horizon) {
      this.#steps = this.#replay(new StepResiduals(this.#ctx.fleet, horizon));
    }
    for (let k = 0; k < out.count; k++) {
      for (let r = 0; r < R; r++) {
        const index = slots[k]! * R + r;
        for (let step = 1; step <= horizon; step++) {
          const point = this.#model.at(index, step);
          for (let q = 0; q < quantiles.length; q++) {
            const offset = quantiles[q] === 0.5 ? 0 : this.#steps!.offset(index, step, quantiles[q]!);
            values[out.index(k, r, q, step - 1)] = Math.max(0, point + offset);
          }
        }
      }
    }
  }

  /** Brings new residuals up to the present with what the history still holds. */
  #replay<T extends PeakResiduals | StepResiduals>(residuals: T): T {
    const { fleet, history } = this.#ctx;
    const model = this.#create();
    const frame = new Frame();
    for (const part of [model, residuals, frame]) {
      part.grow(this.#capacity);
      for (const slot of fleet.slots) part.admit(slot);
    }
    for (let tick = history.head - history.depth + 1; tick <= history.head; tick++) {
      const block = history.block(tick);
      if (!block) continue;
      frame.tick = tick;
      frame.usage.fill(Number.NaN);
      for (const slot of fleet.slots) {
        if (fleet.since[slot]! > tick) continue;
        for (let i = slot * R; i < slot * R + R; i++) frame.usage[i] = block[i] ?? Number.NaN;
      }
      model.observe(frame);
      residuals.observe(frame.usage, tick, model);
    }
    return residuals;
  }
}
