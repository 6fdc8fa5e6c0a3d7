import type { Fleet } from '../fleet.ts';
import { grown, type PerSlot, R } from '../model.ts';
import { isSample, type PointModel } from './point-model.ts';

/** Errors retained per slot and resource, and how many it takes before quantiles are given. */
const WINDOW = 64;
const ENOUGH = 8;
/** Windows of the peak that are open at once: a new one starts every horizon / LANES ticks. */
const LANES = 4;

/**
 * The newest 64 errors of each index, in order of age and in order of size, and their quantiles in O(1).
 * 512 bytes an index.
 */
export class ErrorWindows {
  #age = new Float32Array(0);
  #sorted = new Float32Array(0);
  /** Errors ever added; the oldest retained one sits at count % WINDOW. */
  #count = new Int32Array(0);

  grow(length: number): void {
    this.#age = grown(this.#age, length * WINDOW);
    this.#sorted = grown(this.#sorted, length * WINDOW);
    this.#count = grown(this.#count, length);
  }

  clear(index: number): void {
    this.#count[index] = 0;
  }

  count(index: number): number {
    return Math.min(WINDOW, this.#count[index]!);
  }

  add(index: number, error: number): void {
    const sorted = this.#sorted;
    const base = index * WINDOW;
    const count = this.#count[index]!;
    const at = base + (count % WINDOW);
    const value = Math.fround(error);
    // `hole` is where a place is free: at the end, or where the oldest error was.
    let hole = base + count;
    if (count >= WINDOW) {
      const oldest = this.#age[at]!;
      hole = base;
      let high = base + WINDOW - 1;
      while (hole < high) {
        const middle = (hole + high) >> 1;
        if (sorted[middle]! < oldest) hole = middle + 1;
        else high = middle;
      }
    }
    const end = base + Math.min(count, WINDOW - 1);
    while (hole < end && sorted[hole + 1]! < value) sorted[hole] = sorted[++hole]!;
    while (hole > base && sorted[hole - 1]! > value) sorted[hole] = sorted[--hole]!;
    sorted[hole] = value;
    this.#age[at] = value;
    this.#count[index] = count + 1;
  }

  /**
   * What to add to a point forecast to get its `q` quantile: the error of rank ceil((n + 1) q) of n, the bound of
   * split conformal prediction (Lei et al., JASA 2018), or the largest where that rank is above n; mirrored
   * below .5. It never crosses the point forecast, which is q = .5. NaN below 8 errors.
   */
  offset(index: number, q: number): number {
    if (q === 0.5) return 0;
    const n = this.count(index);
    if (n < ENOUGH) return Number.NaN;
    const base = index * WINDOW;
    if (q > 0.5) return Math.max(0, this.#sorted[base + Math.min(n, ceil((n + 1) * q)) - 1]!);
    return Math.min(0, this.#sorted[base + n - Math.min(n, ceil((n + 1) * (1 - q)))]!);
  }
}

/** Ceiling that forgives rounding: 10 * .9 is rank 9, whichever way the product rounds. */
function ceil(x: number): number {
  return Math.ceil(x - 1e-9);
}

/**
 * Errors of the forecast peak over one horizon: largest usage seen in the window less the peak forecast at its
 * start. Four overlapping windows are open at once. A tick costs four comparisons an index, and an
 * insertion every horizon / 4 ticks.
 */
export class PeakResiduals implements PerSlot {
  readonly errors = new ErrorWindows();
  readonly #fleet: Fleet;
  readonly #horizon: number;
  readonly #spacing: number;
  readonly #forecast: Float64Array[];
  readonly #seen: Float64Array[];

  constructor(fleet: Fleet, horizon: number) {
    this.#fleet = fleet;
    this.#horizon = horizon;
    this.#spacing = Math.ceil(horizon / LANES);
    const lanes = Math.ceil(horizon / this.#spacing);
    this.#forecast = Array.from({ length: lanes }, () => new Float64Array(0));
    this.#seen = Array.from({ length: lanes }, () => new Float64Array(0));
  }

  grow(capacity: number): void {
    this.errors.grow(capacity * R);
    for (let lane = 0; lane < this.#seen.length; lane++) {
      this.#forecast[lane] = grown(this.#forecast[lane]!, capacity * R);
      this.#seen[lane] = grown(this.#seen[lane]!, capacity * R);
    }
  }

  admit(slot: number): void {
    for (let i = slot * R; i < slot * R + R; i++) this.errors.clear(i);
    for (const forecast of this.#forecast) forecast.fill(Number.NaN, slot * R, slot * R + R);
  }

  /** Takes in the usage of `tick`, which `model` has observed already. */
  observe(usage: Float64Array, tick: number, model: PointModel): void {
    const n = this.#fleet.rows * R;
    const lanes = this.#seen.length;
    for (let lane = 0; lane < lanes; lane++) {
      const seen = this.#seen[lane]!;
      for (let i = 0; i < n; i++) {
        const u = usage[i]!;
        if (u > seen[i]! && isSample(u)) seen[i] = u;
      }
      const sinceStart = modulo(tick - lane * this.#spacing, lanes * this.#spacing);
      // A window that starts every `horizon` ticks ends on the tick the next starts.
      if (sinceStart === this.#horizon % (lanes * this.#spacing)) this.#close(lane, n);
      if (sinceStart === 0) {
        seen.fill(-1, 0, n);
        model.peak(this.#fleet.slots, this.#horizon, this.#forecast[lane]!);
      }
    }
  }

  #close(lane: number, n: number): void {
    const seen = this.#seen[lane]!;
    const forecast = this.#forecast[lane]!;
    for (let i = 0; i < n; i++) {
      const error = seen[i]! - forecast[i]!;
      if (seen[i]! >= 0 && !Number.isNaN(error)) this.errors.add(i, error);
    }
  }
}

/**
 * Errors of the forecast 1, 2, 4, 8, ... steps ahead; the quantile of a step between is interpolated. Step 2^k is
 * checked at every tick that 2^k divides, so a tick costs two insertions an index however far the steps go.
 */
export class StepResiduals implements PerSlot {
  readonly #fleet: Fleet;
  readonly #errors: ErrorWindows[];
  readonly #forecast: Float64Array[];

  constructor(fleet: Fleet, horizon: number) {
    this.#fleet = fleet;
    let levels = 1;
    while (1 << (levels - 1) < horizon) levels++;
    this.#errors = Array.from({ length: levels }, () => new ErrorWindows());
    this.#forecast = Array.from({ length: levels }, () => new Float64Array(0));
  }

  /** The farthest step that is tracked. */
  get reach(): number {
    return 1 << (this.#errors.length - 1);
  }

  grow(capacity: number): void {
    for (let k = 0; k < this.#errors.length; k++) {
      this.#errors[k]!.grow(capacity * R);
      this.#forecast[k] = grown(this.#forecast[k]!, capacity * R);
    }
  }

  admit(slot: number): void {
    for (let k = 0; k < this.#errors.length; k++) {
      for (let i = slot * R; i < slot * R + R; i++) this.#errors[k]!.clear(i);
      this.#forecast[k]!.fill(Number.NaN, slot * R, slot * R + R);
    }
  }

  /** Takes in the usage of `tick`, which `model` has observed already. */
  observe(usage: Float64Array, tick: number, model: PointModel): void {
    const slots = this.#fleet.slots;
    for (let k = 0; k < this.#errors.length; k++) {
      if (tick % (1 << k) !== 0) break;
      const errors = this.#errors[k]!;
      const forecast = this.#forecast[k]!;
      for (let s = 0; s < slots.length; s++) {
        const base = slots[s]! * R;
        for (let i = base; i < base + R; i++) {
          const error = usage[i]! - forecast[i]!;
          if (isSample(usage[i]!) && !Number.isNaN(error)) errors.add(i, error);
          forecast[i] = model.at(i, 1 << k);
        }
      }
    }
  }

  /** What to add to the point forecast `step` ahead. A step with too few errors yet uses a nearer one's. */
  offset(index: number, step: number, q: number): number {
    let k = 0;
    while (k + 1 < this.#errors.length && 1 << (k + 1) <= step) k++;
    while (k > 0 && this.#errors[k]!.count(index) < ENOUGH) k--;
    const near = this.#errors[k]!.offset(index, q);
    const next = this.#errors[k + 1]?.offset(index, q) ?? Number.NaN;
    const share = step / (1 << k) - 1;
    return share > 0 && share < 1 && !Number.isNaN(next) ? near + (next - near) * share : near;
  }
}

function modulo(a: number, b: number): number {
  return ((a % b) + b) % b;
}
