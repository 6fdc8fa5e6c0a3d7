import { z } from 'zod';
import type { Fleet } from '../../core/fleet.ts';
import { normalQuantile } from '../../core/math.ts';
import { Frame, R } from '../../core/model.ts';
import type { Telemetry } from '../../core/ports.ts';
import { uniformAt } from '../../core/rng.ts';
import type { Vms } from './vms.ts';

export const telemetryParams = z
  .strictObject({
    noise: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('Standard deviation of the relative error of a sample.'),
    loss: z.number().min(0).max(1).default(0).describe('Share of samples that never arrive.'),
  })
  .prefault({});

export type TelemetryParams = z.infer<typeof telemetryParams>;

/**
 * What can be observed of the VMs: the usage and pressure of the interval that just ended, with sampling noise and
 * loss. Noise is keyed by (seed, VM, resource, tick): every policy sees the same errors.
 */
export class SimTelemetry implements Telemetry {
  /** Filled by `Vms.settle` when an interval ends. */
  readonly observed: Frame;
  readonly #fleet: Fleet;
  readonly #vms: Vms;
  readonly #params: TelemetryParams;
  readonly #seed: number;
  readonly #stepMs: number;
  readonly #numberOf: (slot: number) => number;
  /** End of the interval in `observed`, ms. */
  #until = Number.NEGATIVE_INFINITY;

  constructor(
    fleet: Fleet,
    vms: Vms,
    params: TelemetryParams,
    seed: number,
    stepMs: number,
    numberOf: (slot: number) => number,
  ) {
    this.#fleet = fleet;
    this.observed = fleet.register(new Frame());
    this.#vms = vms;
    this.#params = params;
    this.#seed = seed;
    this.#stepMs = stepMs;
    this.#numberOf = numberOf;
  }

  /** The interval that ends at `at` was settled into `observed`. */
  settled(at: number): void {
    this.#until = at;
  }

  read(at: number, frame: Frame): void {
    if (this.#until > at) throw new RangeError(`a sample of ${this.#until} cannot be read at ${at}`);
    const length = this.#fleet.rows * R;
    const { usage, pressure, oomKills } = this.observed;
    frame.usage.set(usage.subarray(0, length));
    frame.pressure.set(pressure.subarray(0, length));
    frame.allocation.set(this.#vms.allocation.subarray(0, length));
    frame.oomKills.set(oomKills.subarray(0, this.#fleet.rows));
    const { noise, loss } = this.#params;
    const tick = at / this.#stepMs;
    const { slots } = this.#fleet;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const first = slot * R;
      // A VM that came just now has not been observed yet: its row is NaN since admission.
      if (Number.isNaN(usage[first]!)) continue;
      if (noise === 0 && loss === 0) {
        frame.sampledAt[slot] = this.#until;
        continue;
      }
      const number = this.#numberOf(slot);
      if (loss > 0 && uniformAt(this.#seed, number, tick) < loss) {
        frame.usage.fill(Number.NaN, first, first + R);
        frame.pressure.fill(0, first, first + R);
        continue;
      }
      frame.sampledAt[slot] = this.#until;
      if (noise === 0) continue;
      for (let r = 0; r < R; r++) {
        const z = normalQuantile(uniformAt(this.#seed + 1, number * R + r, tick) + 1e-10);
        frame.usage[first + r] = Math.max(0, frame.usage[first + r]! * (1 + noise * z));
      }
    }
  }
}
