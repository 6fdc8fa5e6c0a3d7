import type { Fleet } from '../fleet.ts';
import { exp2 } from '../math.ts';
import { type Frame, grown, type PerSlot, R } from '../model.ts';
import { Experts } from './experts.ts';
import { pack, unpack } from './float-codec.ts';
import type { Hierarchy } from './hierarchy.ts';
import { NormalEquations } from './normal-equations.ts';
import { isSample } from './point-model.ts';

/** A curve over ticks that a batch fit gave, in units of the VM's size. */
export interface Shape {
  at(tick: number): number;
}

/** Steps ahead that have coefficients of their own; farther ones use the last. */
const STEPS = 12;
/** Length of the short season, ticks: an hour of 5-minute ticks. */
const HOUR = 12;
/** How fast the profiles by time of day and of hour follow: the weight of the newest one. */
const PROFILE = 0.3;
/** A VM teaches once in so many ticks: neighbours say much the same. No divisor of an hour or of a day. */
const EVERY = 7;
/** Ticks between solutions of a row. */
const SOLVE = 72;
/** Half-life of what the regression remembers, days. */
const MEMORY_DAYS = 7;
/** Samples before a VM's past teaches anything. */
const ENOUGH = 24;
/** Added to |error| in the weights of the regression, in units of scale. */
const SMOOTH = 0.05;
/** Deviations up to so many scales are usual. */
const USUAL = 4;
/** Origins and curve values kept, as powers of two: STEPS back, and STEPS back and ahead. */
const RING = 16;
const CURVE = 32;

/** Columns of the state; the first KEPT are kept of each origin. */
const LAST = 0;
const SHORT_MEAN = 1;
const LONG_MEAN = 2;
const LEVEL = 3;
const KEPT = 4;
const SCALE = 4;
const HIGH = 5;
const COUNT = 6;
const STATE = 8;
const ALPHA_SHORT = 1 - exp2(-1 / 4);
const ALPHA_LONG = 1 - exp2(-1 / 24);

/** Terms: those of the origin, those of the target, those of the shape. */
const OF_TARGET = 6;
const OF_SHAPE = 10;
const TERMS = 12;

/**
 * Brings a shape to where the VM is now. Usage around any seasonal curve is strongly autocorrelated, so a bare curve
 * loses to the last value for an hour; and how far to trust the curve differs from VM to VM. So the forecast of
 * each step is a regression of its own (dynamic regression, Hyndman & Athanasopoulos, Forecasting: Principles and
 * Practice, ch. 10; one equation a step, the direct strategy, Ben Taieb et al. 2012) on
 *
 *   1 | last value, means of about 4 and 24 ticks, what is unusual in two of them | same time of the last day
 *   and of the last hour, and usual at both | change of the shape, the shape
 *
 * as deviations from the mean of the last day, in units of the series' own scale. Absolute error is minimised.
 * Coefficients belong to the pair and resource, are shrunk towards the application's and the fleet's, and before
 * anything is known say "as now": last-value, carried along the shape. `Experts` weighs the outcome against the last
 * value, the mean of a couple of hours and the usual at the time of day.
 */
export class DynamicRegression implements PerSlot {
  readonly #fleet: Fleet;
  readonly #hierarchy: Hierarchy;
  readonly #dayTicks: number;
  readonly #equations: NormalEquations;
  readonly #experts = new Experts(4);
  readonly #shapes: (Shape | undefined)[] = [];
  /** Size of the VM, the unit of everything below. */
  #unit = new Float64Array(0);
  /** The shape from STEPS back to STEPS ahead, by tick modulo CURVE. */
  #curve = new Float32Array(0);
  /** Usage at each time of day, and of hour, when it was last seen and smoothed over days or hours; NaN where never. */
  #day = new Float32Array(0);
  #dayProfile = new Float32Array(0);
  #hour = new Float32Array(0);
  #origin = new Float32Array(0);
  #state = new Float64Array(0);
  #tick = -1;
  readonly #x = new Float64Array(TERMS);
  readonly #raw = new Float64Array(4);
  readonly #opinions = new Float64Array(4);

  /** @param day ticks in a day */
  constructor(fleet: Fleet, hierarchy: Hierarchy, day: number) {
    this.#fleet = fleet;
    this.#hierarchy = hierarchy;
    this.#dayTicks = day;
    const asNow = new Float64Array(TERMS);
    asNow[1] = 1;
    asNow[OF_SHAPE] = 1;
    this.#equations = new NormalEquations(hierarchy, STEPS, asNow);
  }

  grow(capacity: number): void {
    const n = capacity * R;
    this.#unit = grown(this.#unit, n);
    this.#curve = grown(this.#curve, n * CURVE);
    this.#day = grown(this.#day, n * this.#dayTicks);
    this.#dayProfile = grown(this.#dayProfile, n * this.#dayTicks);
    this.#hour = grown(this.#hour, n * 2 * HOUR);
    this.#origin = grown(this.#origin, n * RING * KEPT);
    this.#state = grown(this.#state, n * STATE);
    this.#experts.grow(n);
  }

  admit(slot: number): void {
    this.#equations.grow();
    for (let i = slot * R; i < slot * R + R; i++) {
      const requested = this.#fleet.requested[i]!;
      this.#unit[i] = requested > 0 ? requested : 1;
      this.#shapes[i] = undefined;
      this.#curve.fill(0, i * CURVE, (i + 1) * CURVE);
      this.#day.fill(Number.NaN, i * this.#dayTicks, (i + 1) * this.#dayTicks);
      this.#dayProfile.fill(Number.NaN, i * this.#dayTicks, (i + 1) * this.#dayTicks);
      this.#hour.fill(Number.NaN, i * 2 * HOUR, (i + 1) * 2 * HOUR);
      this.#origin.fill(0, i * RING * KEPT, (i + 1) * RING * KEPT);
      this.#state.fill(0, i * STATE, (i + 1) * STATE);
      this.#experts.clear(i);
    }
  }

  /** The unit a VM's usage is divided by: its request, or 1 where it has none. */
  unit(index: number): number {
    return this.#unit[index]!;
  }

  /** Gives slot * R + resource a shape, or another one. */
  setShape(index: number, shape: Shape | undefined): void {
    if (this.#shapes[index] === shape) return;
    this.#shapes[index] = shape;
    const t = Math.max(0, this.#tick);
    for (let h = -STEPS; h <= STEPS; h++) {
      this.#curve[index * CURVE + ((t + h) & (CURVE - 1))] = t + h < 0 ? 0 : (shape?.at(t + h) ?? 0);
    }
  }

  observe(frame: Frame): void {
    const t = frame.tick;
    this.#tick = t;
    const slots = this.#fleet.slots;
    const rows = this.#hierarchy.row;
    const usage = frame.usage;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const teaches = (t + slot) % EVERY === 0;
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        const shape = this.#shapes[i];
        if (shape) this.#curve[i * CURVE + ((t + STEPS) & (CURVE - 1))] = shape.at(t + STEPS);
        const value = usage[i]!;
        const count = this.#state[i * STATE + COUNT]!;
        if (isSample(value)) {
          const y = value / this.#unit[i]!;
          if (teaches && count >= ENOUGH) this.#teach(i, rows[slot]!, r, y);
          this.#experts.score(i, t, y);
          this.#take(i, y);
        } else if (count > 0) this.#miss(i);
      }
    }
    this.#solve(t);
  }

  #take(i: number, y: number): void {
    const t = this.#tick;
    const day = this.#dayTicks;
    const s = this.#state;
    const state = i * STATE;
    const at = i * day + (t % day);
    const usual = this.#dayProfile[at]!;
    this.#dayProfile[at] = Number.isNaN(usual) ? y : usual + PROFILE * (y - usual);
    this.#day[at] = y;
    const minute = i * 2 * HOUR + (t % HOUR);
    const hourly = this.#hour[minute + HOUR]!;
    this.#hour[minute + HOUR] = Number.isNaN(hourly) ? y : hourly + PROFILE * (y - hourly);
    this.#hour[minute] = y;
    const count = ++s[state + COUNT]!;
    const share = 1 / count;
    const before = count === 1 ? y : s[state + LAST]!;
    s[state + LAST] = y;
    s[state + SHORT_MEAN]! += Math.max(ALPHA_SHORT, share) * (y - s[state + SHORT_MEAN]!);
    s[state + LONG_MEAN]! += Math.max(ALPHA_LONG, share) * (y - s[state + LONG_MEAN]!);
    s[state + LEVEL]! += Math.max(0.7 / day, share) * (y - s[state + LEVEL]!);
    if (count > 1) {
      const rate = Math.max(0.1 / day, 1 / (count - 1));
      s[state + SCALE]! += rate * (Math.abs(y - before) - s[state + SCALE]!);
    }
    s[state + HIGH] = Math.max(y, s[state + HIGH]! * (1 - 0.1 / day));
    this.#keep(i);
  }

  /** A lost sample: the smoothed values stay, the last one goes to the level as it gets old. */
  #miss(i: number): void {
    const s = this.#state;
    const state = i * STATE;
    const t = this.#tick;
    const at = i * this.#dayTicks + (t % this.#dayTicks);
    this.#day[at] = this.#dayProfile[at]!;
    const minute = i * 2 * HOUR + (t % HOUR);
    this.#hour[minute] = this.#hour[minute + HOUR]!;
    s[state + LAST] = s[state + LEVEL]! + 0.9 * (s[state + LAST]! - s[state + LEVEL]!);
    this.#keep(i);
  }

  #keep(i: number): void {
    const o = (i * RING + (this.#tick & (RING - 1))) * KEPT;
    for (let k = 0; k < KEPT; k++) this.#origin[o + k] = this.#state[i * STATE + k]!;
  }

  #termsOfOrigin(o: number, inverse: number): void {
    const x = this.#x;
    const origin = this.#origin;
    const level = origin[o + LEVEL]!;
    x[0] = 1;
    x[1] = (origin[o + LAST]! - level) * inverse;
    x[2] = (origin[o + SHORT_MEAN]! - level) * inverse;
    x[3] = (origin[o + LONG_MEAN]! - level) * inverse;
    x[4] = excess(x[1]);
    x[5] = excess(x[2]);
  }

  /** Usage that the terms of a target are made of: at the same time of the last day and hour, and usual then. */
  #lookBack(i: number, target: number): void {
    const raw = this.#raw;
    const at = i * this.#dayTicks + (target % this.#dayTicks);
    const minute = i * 2 * HOUR + (target % HOUR);
    raw[0] = this.#day[at]!;
    raw[1] = this.#dayProfile[at]!;
    raw[2] = this.#hour[minute]!;
    raw[3] = this.#hour[minute + HOUR]!;
  }

  /**
   * Terms of the target and the shape. For usage that was never seen stands what the shape says of it, from the last
   * sample on: so a new VM follows the shape of its application before it has a yesterday of its own.
   */
  #termsOfTarget(o: number, inverse: number, now: number, then: number, known: boolean): void {
    const x = this.#x;
    const raw = this.#raw;
    const level = this.#origin[o + LEVEL]!;
    const change = (then - now) * inverse;
    const unseen = known ? (this.#origin[o + LAST]! - level) * inverse + change : 0;
    for (let k = 0; k < 4; k++) {
      const v = (raw[k]! - level) * inverse;
      x[OF_TARGET + k] = Number.isNaN(v) ? unseen : v;
    }
    x[OF_SHAPE] = known ? change : 0;
    x[OF_SHAPE + 1] = known ? (then - level) * inverse : 0;
  }

  /** Adds what a sample says about the forecasts that were due for it. */
  #teach(i: number, row: number, r: number, y: number): void {
    const t = this.#tick;
    const scale = this.#state[i * STATE + SCALE]!;
    if (!(scale > STILL * this.#state[i * STATE + HIGH]!)) return;
    const inverse = 1 / scale;
    const curve = this.#curve;
    const then = curve[i * CURVE + (t & (CURVE - 1))]!;
    const known = this.#shapes[i] !== undefined;
    this.#lookBack(i, t);
    for (let h = 1; h <= STEPS; h++) {
      const o = (i * RING + ((t - h) & (RING - 1))) * KEPT;
      const level = this.#origin[o + LEVEL]!;
      this.#termsOfOrigin(o, inverse);
      this.#termsOfTarget(o, inverse, curve[i * CURVE + ((t - h) & (CURVE - 1))]!, then, known);
      this.#equations.learn(row, r, h - 1, this.#x, (y - level) * inverse, SMOOTH);
    }
  }

  #solve(t: number): void {
    const { size } = this.#hierarchy;
    if (t % SOLVE === 0) this.#equations.solveParents();
    const keep = exp2(-SOLVE / (MEMORY_DAYS * this.#dayTicks));
    for (let row = t % SOLVE; row < size; row += SOLVE) {
      if (!this.#hierarchy.isPair(row)) continue;
      this.#equations.solve(row);
      this.#equations.forget(row, keep);
    }
  }

  /**
   * Writes the forecasts of steps 1..horizon, in units of the resource, to `out` from `offset`. NaN when neither
   * a sample nor a shape is known.
   */
  path(slot: number, r: number, horizon: number, out: Float64Array, offset: number): void {
    const i = slot * R + r;
    const t = this.#tick;
    const unit = this.#unit[i]!;
    const shape = this.#shapes[i];
    const state = i * STATE;
    if (this.#state[state + COUNT] === 0) {
      for (let h = 1; h <= horizon; h++) {
        out[offset + h - 1] = shape ? Math.max(0, shape.at(t + h) * unit) : Number.NaN;
      }
      return;
    }
    const level = this.#state[state + LEVEL]!;
    const scale = this.#state[state + SCALE]!;
    const most = 2 * this.#state[state + HIGH]!;
    const last = this.#state[state + LAST]!;
    if (!(scale > (STILL / 2) * most)) {
      // Never seen to move: there is nothing to scale by. A VM that is new may be about to follow its shape.
      const along = shape && this.#state[state + COUNT]! < ENOUGH ? shape : undefined;
      for (let h = 1; h <= horizon; h++) {
        const change = along ? along.at(t + h) - along.at(t) : 0;
        out[offset + h - 1] = unit * Math.max(0, last + change);
      }
      return;
    }
    const inverse = 1 / scale;
    const row = this.#hierarchy.row[slot]!;
    const x = this.#x;
    const coefficients = this.#equations.coefficients;
    const now = this.#curve[i * CURVE + (t & (CURVE - 1))]!;
    const opinions = this.#opinions;
    opinions[1] = last;
    opinions[2] = this.#state[state + LONG_MEAN]!;
    const origin = (i * RING + (t & (RING - 1))) * KEPT;
    this.#termsOfOrigin(origin, inverse);
    this.#experts.weigh(i);
    for (let h = 1; h <= horizon; h++) {
      const step = h <= STEPS ? h - 1 : STEPS - 1;
      const then = h <= STEPS ? this.#curve[i * CURVE + ((t + h) & (CURVE - 1))]! : (shape?.at(t + h) ?? 0);
      this.#lookBack(i, t + h);
      this.#termsOfTarget(origin, inverse, now, then, shape !== undefined);
      const from = this.#equations.at(row, r, step);
      let sum = 0;
      for (let j = 0; j < TERMS; j++) sum += coefficients[from + j]! * x[j]!;
      opinions[0] = Math.min(most, Math.max(0, level + scale * sum));
      const usual = this.#raw[1]!;
      opinions[3] = Number.isNaN(usual) ? last : usual;
      out[offset + h - 1] = unit * this.#experts.combine(i, t, h, opinions);
    }
  }

  saveRow(row: number): string {
    return pack(this.#equations.columns(row));
  }

  loadRow(row: number, saved: unknown): void {
    unpack(saved, this.#equations.columns(row));
  }

  saveSlot(slot: number): string {
    return pack(this.#columns(slot));
  }

  /** Puts a VM back that was saved after tick `t`. */
  loadSlot(slot: number, saved: unknown, t: number): void {
    unpack(saved, this.#columns(slot));
    this.#tick = Math.max(this.#tick, t);
  }

  #columns(slot: number): (Float64Array | Float32Array)[] {
    const from = slot * R;
    const part = <T extends Float64Array | Float32Array>(column: T, width: number): T =>
      column.subarray(from * width, (from + R) * width) as T;
    return [
      part(this.#unit, 1),
      part(this.#curve, CURVE),
      part(this.#day, this.#dayTicks),
      part(this.#dayProfile, this.#dayTicks),
      part(this.#hour, 2 * HOUR),
      part(this.#origin, RING * KEPT),
      part(this.#state, STATE),
      ...Array.from({ length: R }, (_, r) => this.#experts.columns(from + r)).flat(),
    ];
  }
}

/** Share of the highest usage that movements must exceed to be more than rounding. */
const STILL = 1e-9;

/** What lies beyond the usual: a step that large is not noise, and need not be averaged away like noise. */
function excess(x: number): number {
  return x > USUAL ? x - USUAL : x < -USUAL ? x + USUAL : 0;
}
