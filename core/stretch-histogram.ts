import { exp, log } from './math.ts';
import { grown } from './model.ts';

const BINS = 96;
const GROWTH = 1.05;
const LOG_GROWTH = log(GROWTH);

/**
 * How far CPU work was stretched (wanted / served of an interval), weighted by the work served: one histogram a
 * VM in steps of 5 % up to 108, 768 bytes each, so that the distribution of any set of VMs is a sum.
 */
export class StretchHistograms {
  #weights = new Float64Array(0);
  #worst = new Float64Array(0);

  grow(vms: number): void {
    this.#weights = grown(this.#weights, vms * BINS);
    this.#worst = grown(this.#worst, vms);
  }

  /** Adds held-back work only (stretch > 1): what was served in time is known from the usage. */
  add(vm: number, stretch: number, weight: number): void {
    if (stretch > this.#worst[vm]!) this.#worst[vm] = stretch;
    // Most shortages last the moment of a resize: no logarithm for the first bin.
    const step = stretch < GROWTH ? 0 : Math.min(BINS - 1, Math.floor(log(stretch) / LOG_GROWTH));
    const bin = vm * BINS + step;
    this.#weights[bin] = this.#weights[bin]! + weight;
  }

  /** Largest stretch of the VMs; 1 when nothing was held back. */
  worst(vms: readonly number[]): number {
    let worst = 1;
    for (const vm of vms) worst = Math.max(worst, this.#worst[vm]!);
    return worst;
  }

  /**
   * Stretch that the share `q` of all served work stayed within: the upper edge of its bin.
   * @param served all work served of these VMs, in the unit of the weights
   */
  quantile(vms: readonly number[], served: number, q: number): number {
    const sum = new Float64Array(BINS);
    let held = 0;
    for (const vm of vms) {
      for (let bin = 0; bin < BINS; bin++) sum[bin] = sum[bin]! + this.#weights[vm * BINS + bin]!;
    }
    for (const weight of sum) held += weight;
    let below = Math.max(0, served - held);
    if (below >= q * served) return 1;
    for (let bin = 0; bin < BINS; bin++) {
      below += sum[bin]!;
      if (below >= q * served) return Math.min(exp((bin + 1) * LOG_GROWTH), this.worst(vms));
    }
    return this.worst(vms);
  }
}
