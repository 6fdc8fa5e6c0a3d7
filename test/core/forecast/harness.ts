import { Fleet } from '../../../core/fleet.ts';
import { ForecastBatch, type ForecastContext, type Forecaster } from '../../../core/forecast/types.ts';
import { History } from '../../../core/history.ts';
import { Frame, R, type ResourceVector } from '../../../core/model.ts';

export const STEP_MS = 300_000;
export const DAY_TICKS = 288;
export const EPOCH = Date.UTC(2024, 0, 1);

export interface Seat {
  readonly vmId: string;
  readonly applicationId?: string;
  readonly userId?: string;
  readonly requested?: ResourceVector;
}

/** A fleet with a forecaster and a clock: `tick` shows it one usage vector per VM. */
export class Stand<F extends Forecaster> {
  readonly fleet = new Fleet();
  readonly history = new History(this.fleet, 14 * DAY_TICKS);
  readonly frame = this.fleet.register(new Frame());
  readonly forecaster: F;
  next = 0;

  constructor(create: (ctx: ForecastContext) => F) {
    const { fleet, history } = this;
    this.forecaster = fleet.register(create({ fleet, history, stepMs: STEP_MS, epochMs: EPOCH, seed: 1 }));
  }

  admit(seat: Seat): number {
    const requested = seat.requested ?? [4, 4096, 1e6, 1e6];
    return this.fleet.admit(
      {
        vmId: seat.vmId,
        applicationId: seat.applicationId ?? 'app',
        userId: seat.userId ?? seat.vmId,
        requested,
        min: [0, 0, 0, 0],
        max: requested,
      },
      this.next,
    );
  }

  /** Shows the forecaster the usage of the next tick: `usage(slot, resource, tick)`; NaN is a lost sample. */
  async tick(usage: (slot: number, resource: number, tick: number) => number): Promise<void> {
    const { frame } = this;
    frame.tick = this.next;
    frame.at = EPOCH + this.next * STEP_MS;
    frame.usage.fill(Number.NaN);
    for (const slot of this.fleet.slots) {
      for (let r = 0; r < R; r++) frame.usage[slot * R + r] = usage(slot, r, this.next);
    }
    this.history.append(frame);
    await this.forecaster.observe(frame);
    this.next++;
  }

  async run(ticks: number, usage: (slot: number, resource: number, tick: number) => number): Promise<void> {
    for (let k = 0; k < ticks; k++) await this.tick(usage);
  }

  predict(horizon = 12, quantiles: readonly number[] = [0.05, 0.5, 0.9, 0.95, 0.99]): ForecastBatch {
    const batch = new ForecastBatch(this.fleet.slots.length, horizon, quantiles);
    this.forecaster.predict(this.fleet.slots, batch);
    return batch;
  }

  /** The path of one slot and resource at a quantile. */
  path(slot: number, resource: number, quantile: number, horizon = 12): number[] {
    const batch = this.predict(horizon, [quantile]);
    const from = batch.index(this.fleet.slots.indexOf(slot), resource, 0, 0);
    return Array.from(batch.values.subarray(from, from + horizon));
  }

  peak(slot: number, resource: number, quantile: number, horizon = 12): number {
    const out = new Float64Array(this.fleet.rows * R);
    this.forecaster.peak(this.fleet.slots, horizon, quantile, out);
    return out[slot * R + resource]!;
  }
}

/** Only the CPU is used. */
export function cpuOnly(value: (tick: number, slot: number) => number) {
  return (slot: number, resource: number, tick: number): number =>
    resource === 0 ? value(tick, slot) : Number.NaN;
}

/** Throws unless every number is finite, not negative, and quantiles ascend. */
export function checkSane(batch: ForecastBatch, resources: readonly number[]): void {
  for (let k = 0; k < batch.count; k++) {
    for (const r of resources) {
      for (let h = 0; h < batch.horizon; h++) {
        let below = 0;
        for (let q = 0; q < batch.quantiles.length; q++) {
          const v = batch.values[batch.index(k, r, q, h)]!;
          if (!Number.isFinite(v) || v < below) {
            throw new Error(
              `VM ${k} resource ${r} step ${h + 1} quantile ${batch.quantiles[q]}: ${v} after ${below}`,
            );
          }
          below = v;
        }
      }
    }
  }
}
