import { exp2 } from '../math.ts';
import { grown } from '../model.ts';

/** Length of the short season, ticks: an hour of 5-minute ticks. */
export const HOUR_TICKS = 12;
/** Origins kept: a power of two above the steps that are forecast. */
export const ORIGINS = 16;

/** Columns of `state`. */
export const LAST = 0;
/** Means of about 4 and 24 ticks, and of a day. */
export const SHORT_MEAN = 1;
export const LONG_MEAN = 2;
export const LEVEL = 3;
/** Mean absolute step from tick to tick: of about 12 ticks, and of ten days. */
export const NEAR_STEP = 4;
export const SCALE = 5;
/** Largest value of the last day, forgotten towards the level, and of the last hour; smallest of the last hour. */
export const DAY_HIGH = 6;
export const HOUR_HIGH = 7;
export const HOUR_LOW = 8;
/** Largest value ever, forgotten over weeks, and number of samples. */
export const HIGH = 9;
export const COUNT = 10;
export const STATE = 11;

const ALPHA_SHORT = 1 - exp2(-1 / 4);
const ALPHA_LONG = 1 - exp2(-1 / 24);
const ALPHA_STEP = 1 - exp2(-1 / 12);
/** How fast the profiles by time of day and of hour follow: the weight of the newest one. */
const PROFILE = 0.3;

/** Share of the long mean step in the near one: after a calm, a series is not trusted to stay calm. */
const LONG_SHARE = 0.03;

/**
 * How far a series moves in a tick just now: the geometric mean of its steps of late and its steps at all. The unit of
 * regressions, so that bursts do not drown what is learned in between. 0 for a series that never moved.
 */
export function stepSpread(near: number, long: number): number {
  return Math.sqrt((near + LONG_SHARE * long) * long);
}

/**
 * What short-term forecasts are made of: per series, smoothed values of the recent past, usage by time of day and
 * of hour, last seen and usual, and the first columns of the state at the newest ORIGINS ticks.
 */
export class RecentPast {
  readonly dayTicks: number;
  readonly kept: number;
  /** i * STATE + column. */
  state = new Float64Array(0);
  /** (i * ORIGINS + tick % ORIGINS) * kept + column. */
  origins = new Float32Array(0);
  /** 2 * (i * dayTicks + tick % dayTicks): usage when last seen, and next to it smoothed over days. NaN where never. */
  day = new Float32Array(0);
  /** i * 2 * HOUR_TICKS + tick % HOUR_TICKS: the same of the hour, first seen then usual. */
  hour = new Float32Array(0);

  /** The tick being taken in, as time of day and of hour. */
  #time = 0;
  #minute = 0;
  #tick = -1;

  /** @param kept leading columns of the state that are kept of each origin */
  constructor(dayTicks: number, kept: number) {
    this.dayTicks = dayTicks;
    this.kept = kept;
  }

  grow(length: number): void {
    this.state = grown(this.state, length * STATE);
    this.origins = grown(this.origins, length * ORIGINS * this.kept);
    this.day = grown(this.day, length * 2 * this.dayTicks);
    this.hour = grown(this.hour, length * 2 * HOUR_TICKS);
  }

  clear(i: number): void {
    this.state.fill(0, i * STATE, (i + 1) * STATE);
    this.origins.fill(0, i * ORIGINS * this.kept, (i + 1) * ORIGINS * this.kept);
    this.day.fill(Number.NaN, i * 2 * this.dayTicks, (i + 1) * 2 * this.dayTicks);
    this.hour.fill(Number.NaN, i * 2 * HOUR_TICKS, (i + 1) * 2 * HOUR_TICKS);
  }

  /** Samples seen. */
  count(i: number): number {
    return this.state[i * STATE + COUNT]!;
  }

  /** Begins tick `t`: what is taken in or missed from here on belongs to it. */
  begin(t: number): void {
    this.#time = t % this.dayTicks;
    this.#minute = t % HOUR_TICKS;
    this.#tick = t;
  }

  /** Time of day, in ticks, `h` ticks from now. */
  timeAt(h: number): number {
    const at = this.#time + h;
    return at < this.dayTicks ? at : at % this.dayTicks;
  }

  /** Index into `day` of what was last seen at the time of day `h` ticks from now; what is usual is next to it. */
  dayAt(i: number, h: number): number {
    return 2 * (i * this.dayTicks + this.timeAt(h));
  }

  /** Index into `hour` of what was last seen at the minute `h` ticks from now; what is usual is HOUR_TICKS further. */
  hourAt(i: number, h: number): number {
    const at = this.#minute + h;
    const minute = at < HOUR_TICKS ? at : at < 2 * HOUR_TICKS ? at - HOUR_TICKS : at % HOUR_TICKS;
    return i * 2 * HOUR_TICKS + minute;
  }

  /** Takes in the sample of the tick. */
  take(i: number, y: number): void {
    const day = this.dayTicks;
    const s = this.state;
    const at = i * STATE;
    const time = this.dayAt(i, 0);
    const usual = this.day[time + 1]!;
    this.day[time + 1] = Number.isNaN(usual) ? y : usual + PROFILE * (y - usual);
    this.day[time] = y;
    const minute = this.hourAt(i, 0);
    const hourly = this.hour[minute + HOUR_TICKS]!;
    this.hour[minute + HOUR_TICKS] = Number.isNaN(hourly) ? y : hourly + PROFILE * (y - hourly);
    this.hour[minute] = y;
    const count = ++s[at + COUNT]!;
    const share = 1 / count;
    const step = count === 1 ? 0 : Math.abs(y - s[at + LAST]!);
    s[at + LAST] = y;
    s[at + SHORT_MEAN]! += Math.max(ALPHA_SHORT, share) * (y - s[at + SHORT_MEAN]!);
    s[at + LONG_MEAN]! += Math.max(ALPHA_LONG, share) * (y - s[at + LONG_MEAN]!);
    s[at + LEVEL]! += Math.max(0.7 / day, share) * (y - s[at + LEVEL]!);
    if (count > 1) {
      const steps = 1 / (count - 1);
      s[at + NEAR_STEP]! += Math.max(ALPHA_STEP, steps) * (step - s[at + NEAR_STEP]!);
      s[at + SCALE]! += Math.max(0.1 / day, steps) * (step - s[at + SCALE]!);
    }
    const level = s[at + LEVEL]!;
    s[at + DAY_HIGH] = count === 1 ? y : Math.max(y, level + (s[at + DAY_HIGH]! - level) * (1 - 1 / day));
    s[at + HIGH] = Math.max(y, s[at + HIGH]! * (1 - 0.1 / day));
    this.#keep(i);
  }

  /** The tick brought no sample: smoothed values stay, the last one goes to the level as it gets old. */
  miss(i: number): void {
    const s = this.state;
    const at = i * STATE;
    if (s[at + COUNT] === 0) return;
    const time = this.dayAt(i, 0);
    this.day[time] = this.day[time + 1]!;
    const minute = this.hourAt(i, 0);
    this.hour[minute] = this.hour[minute + HOUR_TICKS]!;
    s[at + LAST] = s[at + LEVEL]! + 0.9 * (s[at + LAST]! - s[at + LEVEL]!);
    this.#keep(i);
  }

  #keep(i: number): void {
    const s = this.state;
    const kept = this.kept;
    if (kept > HOUR_HIGH) {
      const from = i * 2 * HOUR_TICKS;
      let high = Number.NEGATIVE_INFINITY;
      let low = Number.POSITIVE_INFINITY;
      for (let k = from; k < from + HOUR_TICKS; k++) {
        const v = this.hour[k]!;
        if (v > high) high = v;
        if (v < low) low = v;
      }
      s[i * STATE + HOUR_HIGH] = high;
      s[i * STATE + HOUR_LOW] = low;
    }
    const o = (i * ORIGINS + (this.#tick & (ORIGINS - 1))) * kept;
    for (let k = 0; k < kept; k++) this.origins[o + k] = s[i * STATE + k]!;
  }

  /** The columns that hold series from..to. */
  columns(from: number, to: number): (Float64Array | Float32Array)[] {
    const part = <T extends Float64Array | Float32Array>(column: T, width: number): T =>
      column.subarray(from * width, to * width) as T;
    return [
      part(this.state, STATE),
      part(this.origins, ORIGINS * this.kept),
      part(this.day, 2 * this.dayTicks),
      part(this.hour, 2 * HOUR_TICKS),
    ];
  }
}
