import { z } from 'zod';
import type { Fleet } from '../fleet.ts';
import { type Frame, grown, R } from '../model.ts';
import { BandedForecaster } from './banded.ts';
import { isSample, type PointModel } from './point-model.ts';
import type { ForecastContext, Forecaster } from './types.ts';

export const lastValueParams = z
  .strictObject({})
  .describe('Forecasts that usage stays what it was last seen to be (the naive method).');

/** The naive method (Hyndman & Athanasopoulos, Forecasting: Principles and Practice, 5.2). */
export function createLastValue(_params: z.infer<typeof lastValueParams>, ctx: ForecastContext): Forecaster {
  return new BandedForecaster('last-value', () => new LastValue(ctx.fleet), ctx);
}

/** Last sample seen, per slot and resource: 8 bytes each. */
export class LastValue implements PointModel {
  readonly #fleet: Fleet;
  #last = new Float64Array(0);

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  grow(capacity: number): void {
    this.#last = grown(this.#last, capacity * R);
  }

  admit(slot: number): void {
    this.#last.fill(Number.NaN, slot * R, slot * R + R);
  }

  observe(frame: Frame): void {
    const last = this.#last;
    const usage = frame.usage;
    const n = this.#fleet.rows * R;
    for (let i = 0; i < n; i++) {
      const u = usage[i]!;
      if (isSample(u)) last[i] = u;
    }
  }

  at(index: number, _step: number): number {
    return this.#last[index]!;
  }

  peak(slots: Int32Array, _horizon: number, out: Float64Array): void {
    const last = this.#last;
    for (let k = 0; k < slots.length; k++) {
      const i = slots[k]! * R;
      out[i] = last[i]!;
      out[i + 1] = last[i + 1]!;
      out[i + 2] = last[i + 2]!;
      out[i + 3] = last[i + 3]!;
    }
  }
}
