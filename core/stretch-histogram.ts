import { exp, log } from './math.ts';
import { grown } from './model.ts';

const BINS = 96;
const GROWTH = 1.05;
const LOG_GROWTH = log(GROWTH);
/** Most stretches are small: below this, the bin is looked up in steps of 1 / FINE instead of by a logarithm. */
const SMALL = 4;
const FINE = 128;
/** Where each bin begins, and the bin of the beginning of each step. */
const BEGIN = Float64Array.from({ length: BINS }, (_, bin) => exp(bin * LOG_GROWTH));
const BIN = Uint8Array.from({ length: SMALL * FINE }, (_, step) =>
  Math.max(
    0,
    BEGIN.findLastIndex((begin) => begin <= step / FINE),
  ),
);

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
    const at = vm * BINS + binOf(stretch);
    this.#weights[at] = this.#weights[at]! + weight;
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

function binOf(stretch: number): number {
  if (stretch >= SMALL) return Math.min(BINS - 1, Math.floor(log(stretch) / LOG_GROWTH));
  const bin = BIN[(stretch * FINE) | 0]!;
  return bin + +(stretch >= BEGIN[bin + 1]!);
}
