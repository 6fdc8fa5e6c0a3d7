const LEAST_MS = 0.01;
const STEP = 1.02;
const BINS = 1000;

/** Durations counted in bins that are 2 % wide, from 0.01 ms to an hour and more: as much memory after a year as after an hour. */
export class Durations {
  readonly #bins = new Uint32Array(BINS);
  count = 0;

  add(ms: number): void {
    const bin = Math.ceil(Math.log(ms / LEAST_MS) / Math.log(STEP));
    this.#bins[Math.max(0, Math.min(bin, BINS - 1))]!++;
    this.count++;
  }

  /** Upper end of the bin that holds the quantile, by nearest rank, ms; NaN before the first. */
  quantile(q: number): number {
    let left = Math.max(1, Math.ceil(q * this.count));
    for (let bin = 0; bin < BINS && this.count > 0; bin++) {
      left -= this.#bins[bin]!;
      if (left <= 0) return LEAST_MS * STEP ** bin;
    }
    return Number.NaN;
  }
}
