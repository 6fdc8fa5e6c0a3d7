import { exp2 } from '../../math.ts';
import { grown } from '../../model.ts';
import {
  DAY_HIGH,
  HOUR_HIGH,
  HOUR_LOW,
  HOUR_TICKS,
  LAST,
  LEVEL,
  LONG_MEAN,
  NEAR_STEP,
  ORIGINS,
  RecentPast,
  SCALE,
  SHORT_MEAN,
  stepSpread,
} from '../recent-past.ts';

export const TERMS = 18;
/** Steps ahead; what a farther step is asked about is answered as for the last. */
export const STEPS = 12;
const KEPT = HOUR_LOW + 1;
/** Ticks on either side of yesterday's time that its high is taken over. */
const AROUND = 2;
/** How fast the deviation from the usual at a time of day follows: the weight of the newest day. */
const DEVIATION = 1 - exp2(-0.5);
/** Differences of so many units count half. */
const FAR = 30;

/**
 * The lags that quantiles are regressed on. Per series, as differences from the last value, in units of how far
 * the series moves just now. Large ones are compressed: a series that only climbs is hundreds of steps from its
 * yesterday, and the slightest error of a coefficient would be as many.
 *
 *   location: means of about 4, 24 ticks and of a day; the same time of the last day and hour, and usual at both
 *   range: high and low of the hour, high of the day, high around the same time yesterday
 *   spread: 1, the long mean step, size of the first, day's and usual difference, usual deviation at this time, the step
 */
export class QuantileTerms {
  readonly past: RecentPast;
  readonly x = new Float64Array(TERMS);
  /** Mean absolute deviation from the usual, by time of day. */
  #deviation = new Float32Array(0);

  constructor(dayTicks: number) {
    this.past = new RecentPast(dayTicks, KEPT);
  }

  grow(length: number): void {
    this.past.grow(length);
    this.#deviation = grown(this.#deviation, length * this.past.dayTicks);
  }

  clear(i: number): void {
    this.past.clear(i);
    this.#deviation.fill(0, i * this.past.dayTicks, (i + 1) * this.past.dayTicks);
  }

  /** Takes in the sample of the tick that `past` has begun. */
  take(i: number, y: number): void {
    const usual = this.past.day[this.past.dayAt(i, 0) + 1]!;
    const at = i * this.past.dayTicks + this.past.timeAt(0);
    if (!Number.isNaN(usual)) {
      this.#deviation[at]! += DEVIATION * (Math.abs(y - usual) - this.#deviation[at]!);
    }
    this.past.take(i, y);
  }

  /** The last value at an origin, one of the newest ORIGINS ticks. */
  last(i: number, origin: number): number {
    return this.past.origins[(i * ORIGINS + (origin & (ORIGINS - 1))) * KEPT + LAST]!;
  }

  /** Fills the terms that belong to the origin. @returns their unit; 0 when the series never moved */
  fromOrigin(i: number, origin: number): number {
    const a = this.past.origins;
    const x = this.x;
    const o = (i * ORIGINS + (origin & (ORIGINS - 1))) * KEPT;
    const scale = a[o + SCALE]!;
    const unit = stepSpread(a[o + NEAR_STEP]!, scale);
    if (!(unit > 0)) return 0;
    const inverse = 1 / unit;
    const last = a[o + LAST]!;
    x[0] = 1;
    x[1] = scale * inverse;
    x[2] = near((a[o + LEVEL]! - last) * inverse);
    x[3] = near((a[o + SHORT_MEAN]! - last) * inverse);
    x[4] = near((a[o + LONG_MEAN]! - last) * inverse);
    x[5] = near((a[o + HOUR_HIGH]! - last) * inverse);
    x[6] = near((a[o + HOUR_LOW]! - last) * inverse);
    x[7] = near((a[o + DAY_HIGH]! - last) * inverse);
    x[8] = Math.abs(x[3]);
    x[9] = Math.abs(x[2]);
    return unit;
  }

  /**
   * Fills the terms that belong to the target, `h` after the origin and `ahead` of now. What was never seen is taken to be
   * the last value.
   */
  ofTarget(i: number, origin: number, h: number, ahead: number, unit: number): void {
    const { past, x } = this;
    const inverse = 1 / unit;
    const last = this.last(i, origin);
    const day = past.dayTicks;
    const base = i * day;
    const at = past.timeAt(ahead);
    const minute = past.hourAt(i, ahead);
    const yesterday = past.day[2 * (base + at)]!;
    let high = yesterday;
    for (let d = -AROUND; d <= AROUND; d++) {
      const k = at + d;
      const v = past.day[2 * (base + (k < 0 ? k + day : k >= day ? k - day : k))]!;
      if (v > high) high = v;
    }
    const usual = orLast(past.day[2 * (base + at) + 1]!, last);
    x[10] = near((orLast(yesterday, last) - last) * inverse);
    x[11] = near((usual - last) * inverse);
    x[12] = near((orLast(high, last) - last) * inverse);
    x[13] = near((orLast(past.hour[minute]!, last) - last) * inverse);
    x[14] = near((orLast(past.hour[minute + HOUR_TICKS]!, last) - last) * inverse);
    x[15] = near(this.#deviation[base + at]! * inverse);
    x[16] = Math.abs(x[11]);
    x[17] = h / STEPS;
  }

  columns(from: number, to: number): (Float64Array | Float32Array)[] {
    const day = this.past.dayTicks;
    return [...this.past.columns(from, to), this.#deviation.subarray(from * day, to * day)];
  }
}

function orLast(value: number, last: number): number {
  return Number.isNaN(value) ? last : value;
}

function near(difference: number): number {
  return difference / (1 + Math.abs(difference) / FAR);
}
