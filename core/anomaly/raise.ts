import type { Forecaster } from '../forecast/types.ts';
import { grown, type PerSlot, R } from '../model.ts';

/**
 * What policies provide beyond their own quantile while a `raise` response lasts: columns, slot x R, that are at rest
 * (quantile 0, factor 1) for all VMs but a few.
 */
export class Raise implements PerSlot {
  /** VMs with anything raised. */
  active = 0;
  #quantile = new Float64Array(0);
  #factor = new Float64Array(0);
  #raised = new Uint8Array(0);
  #need = new Float64Array(0);

  grow(capacity: number): void {
    this.#quantile = grown(this.#quantile, capacity * R);
    this.#factor = grown(this.#factor, capacity * R);
    this.#raised = grown(this.#raised, capacity);
    this.#need = grown(this.#need, capacity * R);
  }

  admit(slot: number): void {
    this.clear(slot);
  }

  set(slot: number, resource: number, quantile: number, factor: number): void {
    if (this.#raised[slot] === 0) this.active++;
    this.#raised[slot] = 1;
    this.#quantile[slot * R + resource] = quantile;
    this.#factor[slot * R + resource] = factor;
  }

  clear(slot: number): void {
    if (this.#raised[slot] === 1) this.active--;
    this.#raised[slot] = 0;
    this.#quantile.fill(0, slot * R, slot * R + R);
    this.#factor.fill(1, slot * R, slot * R + R);
  }

  /**
   * Lifts the need of raised VMs among `slots` to their higher quantile, times their factor.
   * @param need what the policy's own quantile says, slot x R; changed in place
   */
  lift(forecaster: Forecaster, slots: Int32Array, horizon: number, need: Float64Array): void {
    if (this.active === 0) return;
    const raised = slots.filter((slot) => this.#raised[slot] === 1);
    const quantiles = new Set<number>();
    for (const slot of raised) {
      for (let i = slot * R; i < slot * R + R; i++) quantiles.add(this.#quantile[i]!);
    }
    quantiles.delete(0);
    for (const quantile of quantiles) {
      forecaster.peak(raised, horizon, quantile, this.#need);
      for (const slot of raised) {
        for (let i = slot * R; i < slot * R + R; i++) {
          if (this.#quantile[i] === quantile) need[i] = Math.max(need[i]!, this.#need[i]!) * this.#factor[i]!;
        }
      }
    }
  }
}
