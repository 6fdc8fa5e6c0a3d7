import { grown, type PerSlot } from '../model.ts';

const HOUR_MS = 3_600_000;

/** The largest value of each slot over the last so many whole hours and the one that runs; 0 while there is none. */
export class RecentHigh implements PerSlot {
  readonly #hours: number;
  readonly #perHour: number;
  /** The highest of all of them, by slot. */
  #high = new Float64Array(0);
  /** Highest of each hour, slot x (hours + 1). */
  #hourly = new Float64Array(0);
  #hour = -1;

  constructor(hours: number, stepMs: number) {
    this.#hours = hours + 1;
    this.#perHour = Math.max(1, Math.round(HOUR_MS / stepMs));
  }

  grow(capacity: number): void {
    this.#high = grown(this.#high, capacity);
    this.#hourly = grown(this.#hourly, capacity * this.#hours);
  }

  admit(slot: number): void {
    this.#high[slot] = 0;
    this.#hourly.fill(0, slot * this.#hours, (slot + 1) * this.#hours);
  }

  /** Begins a tick, and with it an hour when it is its first. */
  begin(tick: number): void {
    const hour = Math.floor(tick / this.#perHour);
    if (hour === this.#hour) return;
    this.#hour = hour;
    const n = this.#hours;
    for (let slot = 0; slot < this.#high.length; slot++) {
      this.#hourly[slot * n + (hour % n)] = 0;
      let high = 0;
      for (let k = slot * n; k < (slot + 1) * n; k++) high = Math.max(high, this.#hourly[k]!);
      this.#high[slot] = high;
    }
  }

  /** Takes in a value, not when it is NaN. @returns the highest of late */
  add(slot: number, value: number): number {
    if (value > this.#high[slot]!) this.#high[slot] = value;
    const at = slot * this.#hours + (this.#hour % this.#hours);
    if (value > this.#hourly[at]!) this.#hourly[at] = value;
    return this.#high[slot]!;
  }
}
