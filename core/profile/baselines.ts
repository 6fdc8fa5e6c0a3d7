import { BucketGrid, Histograms } from '../histogram.ts';
import { exp2 } from '../math.ts';
import { grown, R } from '../model.ts';
import { Moments } from './moments.ts';
import { Shapes } from './shapes.ts';
import { Trends } from './trends.ts';

/** Buckets 10 % wide, from a millicore, a MiB and a kB/s up to ten million of each. */
const RATIO = 1.1;
const GRIDS = [0.001, 1, 1e3, 1e3].map((first) => new BucketGrid(first, first * 1e7, RATIO));
export const BUCKETS = GRIDS[0]!.count;
export const DAY = 24;
export const WEEK = 168;
/** Weights of peaks are scaled down when they have grown by 2^40. */
const MAX_EXPONENT = 40;

/** The end of a bucket of hourly peaks, in the unit of the resource. */
export function bucketEnd(resource: number, bucket: number): number {
  return GRIDS[resource]!.ends[bucket]!;
}

/**
 * Baselines of (application, user) pairs, a pair a row, from the hourly means and peaks of their VMs. Baselines of whole
 * applications and users are merged from these when they are read. 6.1 kB a pair.
 */
export class Baselines {
  /** Hours in which any VM was seen, a pair. */
  hours = new Int32Array(0);
  /** Pair x R: least and largest peak, and VM-hours. */
  least = new Float64Array(0);
  largest = new Float64Array(0);
  samples = new Float64Array(0);
  readonly moments: Moments;
  readonly daily: Shapes;
  readonly weekly: Shapes;
  readonly trends: Trends;
  readonly peaks = new Histograms(BUCKETS, [], 0);

  readonly #halfLife: number;
  readonly #hoursPerDay: number;
  /** Hour at which a VM-hour weighs 1, the newest hour, and what a VM-hour weighs in it. */
  #reference = Number.NaN;
  #newest = Number.NaN;
  #growth = 1;
  #rows = 0;
  #capacity = 0;
  /** Pair x R: weighted sum of requested sizes. */
  #requested = new Float64Array(0);
  /** Pair x R: sum and number of the hourly means of the open day. */
  #daySum = new Float64Array(0);
  #dayHours = new Uint8Array(0);
  #day = Number.NaN;
  /** Pairs with VMs in the open hour, each once. */
  #open = new Int32Array(0);
  #opened = 0;
  #isOpen = new Uint8Array(0);
  readonly #batch = new Float64Array(R);

  /** @param halfLifeDays age at which an hour weighs half, @param hoursPerDay how many hours of a day get samples */
  constructor(halfLifeDays: number, hoursPerDay: number) {
    this.#hoursPerDay = hoursPerDay;
    this.#halfLife = halfLifeDays * DAY;
    this.moments = new Moments(1 - exp2(-1 / this.#halfLife));
    this.daily = new Shapes(DAY, 1 - exp2(-1 / halfLifeDays));
    this.weekly = new Shapes(WEEK, 1 - exp2(-7 / halfLifeDays));
    this.trends = new Trends(exp2(-1 / halfLifeDays));
  }

  /** Adds an hour of a VM to the open hour of a pair: rows of R at `from`, a mean NaN where nothing was seen. */
  add(
    pair: number,
    hour: number,
    means: Float64Array,
    peaks: Float64Array,
    requested: Float64Array,
    from: number,
  ): void {
    if (pair >= this.#rows) this.#grow(pair + 1);
    if (hour !== this.#newest) this.#advance(hour);
    if (this.#isOpen[pair] === 0) {
      this.#isOpen[pair] = 1;
      this.#open[this.#opened++] = pair;
    }
    this.moments.add(pair, means, from);
    const growth = this.#growth;
    for (let r = 0; r < R; r++) {
      if (Number.isNaN(means[from + r]!)) continue;
      const i = pair * R + r;
      const peak = peaks[from + r]!;
      if (peak < this.least[i]!) this.least[i] = peak;
      if (peak > this.largest[i]!) this.largest[i] = peak;
      this.samples[i]!++;
      this.#requested[i]! += growth * requested[from + r]!;
      this.peaks.add(i, GRIDS[r]!.find(peak), growth);
    }
  }

  /** Ends the open hour, `hour` hours after the Unix epoch. */
  close(hour: number): void {
    const day = Math.floor(hour / DAY);
    if (day !== this.#day) this.#closeDay();
    this.#day = day;
    // The epoch was a Thursday; weeks start on Monday.
    const ofWeek = (hour + 3 * DAY) % WEEK;
    for (let k = 0; k < this.#opened; k++) {
      const pair = this.#open[k]!;
      this.#isOpen[pair] = 0;
      this.moments.close(pair, this.#batch);
      const hours = this.hours[pair]!++;
      this.daily.add(pair, Math.floor(hours / DAY), hour % DAY, this.#batch);
      this.weekly.add(pair, Math.floor(hours / WEEK), ofWeek, this.#batch);
      for (let r = 0; r < R; r++) {
        const mean = this.#batch[r]!;
        if (Number.isNaN(mean)) continue;
        const i = pair * R + r;
        this.#daySum[i]! += mean;
        this.#dayHours[i]!++;
      }
    }
    this.#opened = 0;
  }

  /** Weighted VM-hours behind a pair's baseline of a resource: how much it counts when pairs are merged. */
  weight(pair: number, resource: number): number {
    return this.peaks.total(pair * R + resource);
  }

  /** Weighted mean of the sizes requested, times `weight`. */
  requested(pair: number, resource: number): number {
    return this.#requested[pair * R + resource]!;
  }

  #closeDay(): void {
    for (let i = 0; i < this.#rows * R; i++) {
      const hours = this.#dayHours[i]!;
      if (hours === 0) continue;
      // The mean of part of a day says more about the daily shape than about the trend.
      if (hours >= 0.75 * this.#hoursPerDay) this.trends.add(i, this.#day, this.#daySum[i]! / hours);
      this.#daySum[i] = 0;
      this.#dayHours[i] = 0;
    }
  }

  #advance(hour: number): void {
    if (Number.isNaN(this.#reference)) this.#reference = hour;
    if (hour - this.#reference > MAX_EXPONENT * this.#halfLife) {
      const factor = exp2((this.#reference - hour) / this.#halfLife);
      for (let i = 0; i < this.#rows * R; i++) {
        this.peaks.scale(i, factor);
        this.#requested[i]! *= factor;
      }
      this.#reference = hour;
    }
    this.#newest = hour;
    this.#growth = exp2((hour - this.#reference) / this.#halfLife);
  }

  #grow(rows: number): void {
    const from = this.#rows;
    this.#rows = rows;
    if (rows > this.#capacity) {
      this.#capacity = Math.max(rows, 2 * this.#capacity);
      const columns = this.#capacity * R;
      for (const part of [this.moments, this.daily, this.weekly]) part.grow(this.#capacity);
      for (const part of [this.trends, this.peaks]) part.grow(columns);
      this.hours = grown(this.hours, this.#capacity);
      this.#open = grown(this.#open, this.#capacity);
      this.#isOpen = grown(this.#isOpen, this.#capacity);
      for (const key of ['least', 'largest', 'samples'] as const) this[key] = grown(this[key], columns);
      this.#requested = grown(this.#requested, columns);
      this.#daySum = grown(this.#daySum, columns);
      this.#dayHours = grown(this.#dayHours, columns);
    }
    this.least.fill(Number.POSITIVE_INFINITY, from * R, rows * R);
    for (let i = from * R; i < rows * R; i++) this.peaks.clear(i);
  }
}
