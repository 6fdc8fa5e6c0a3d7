import type { Fleet } from '../fleet.ts';
import { exp2 } from '../math.ts';
import { type Frame, grown, type PerSlot, R } from '../model.ts';
import { CHECKED, Experts } from './experts.ts';
import { pack, unpack } from './float-codec.ts';
import type { Hierarchy } from './hierarchy.ts';
import { NormalEquations } from './normal-equations.ts';
import { isSample } from './point-model.ts';
import {
  COUNT,
  HIGH,
  HOUR_TICKS,
  LAST,
  LEVEL,
  LONG_MEAN,
  NEAR_STEP,
  ORIGINS,
  RecentPast,
  SCALE,
  SHORT_MEAN,
  STATE,
  stepSpread,
} from './recent-past.ts';

/** A curve over ticks that a batch fit gave, in units of the VM's size. */
export interface Shape {
  at(tick: number): number;
}

/** Steps ahead that have coefficients of their own; farther ones use the last. */
const STEPS = 12;
/** All steps that have, bit h - 1. */
const ALL = (1 << STEPS) - 1;
/** A VM teaches once in so many ticks: neighbours say much the same. No divisor of an hour or of a day. */
const EVERY = 7;
/** Ticks between solutions of a row. */
const SOLVE = 72;
/** Half-life of what the regression remembers, days. */
const MEMORY_DAYS = 7;
/** Samples before a VM's past teaches anything. */
const ENOUGH = 24;
/** Added to |error| in the weights of the regression, in units of the spread. */
const SMOOTH = 0.05;
/** Deviations up to so many spreads are usual. */
const USUAL = 4;
/** Curve values kept: a power of two that holds STEPS back and ahead. */
const CURVE = 32;
/** Columns of an origin that the terms are made of. */
const KEPT = SCALE + 1;

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
 * as deviations from the mean of the last day, in units of how far the series moves just now. Absolute error is minimised.
 * Coefficients belong to the pair and resource, are shrunk towards the application's and the fleet's, and before
 * anything is known say "as now": last-value, carried along the shape. `Experts` weighs the outcome against the last
 * value, the mean of a couple of hours and the usual at the time of day.
 */
export class DynamicRegression implements PerSlot {
  readonly #fleet: Fleet;
  readonly #hierarchy: Hierarchy;
  readonly #past: RecentPast;
  readonly #equations: NormalEquations;
  readonly #experts = new Experts(4);
  readonly #shapes: (Shape | undefined)[] = [];
  /** Size of the VM, the unit of everything below. */
  #unit = new Float64Array(0);
  /** The shape from STEPS back to STEPS ahead, by tick modulo CURVE. */
  #curve = new Float32Array(0);
  #tick = -1;
  readonly #x = new Float64Array(TERMS);
  readonly #raw = new Float64Array(4);
  readonly #opinions = new Float64Array(4);

  /** @param day ticks in a day */
  constructor(fleet: Fleet, hierarchy: Hierarchy, day: number) {
    this.#fleet = fleet;
    this.#hierarchy = hierarchy;
    this.#past = new RecentPast(day, KEPT);
    const asNow = new Float64Array(TERMS);
    asNow[1] = 1;
    asNow[OF_SHAPE] = 1;
    this.#equations = new NormalEquations(
      hierarchy,
      Array.from({ length: STEPS }, () => asNow),
    );
  }

  grow(capacity: number): void {
    const n = capacity * R;
    this.#unit = grown(this.#unit, n);
    this.#curve = grown(this.#curve, n * CURVE);
    this.#past.grow(n);
    this.#experts.grow(n);
  }

  admit(slot: number): void {
    this.#equations.grow();
    for (let i = slot * R; i < slot * R + R; i++) {
      const requested = this.#fleet.requested[i]!;
      this.#unit[i] = requested > 0 ? requested : 1;
      this.#shapes[i] = undefined;
      this.#curve.fill(0, i * CURVE, (i + 1) * CURVE);
      this.#past.clear(i);
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
    const past = this.#past;
    past.begin(t);
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const teaches = (t + slot) % EVERY === 0;
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        const shape = this.#shapes[i];
        if (shape) this.#curve[i * CURVE + ((t + STEPS) & (CURVE - 1))] = shape.at(t + STEPS);
        const value = usage[i]!;
        if (isSample(value)) {
          const y = value / this.#unit[i]!;
          if (teaches && past.count(i) >= ENOUGH) this.#teach(i, rows[slot]!, r, y);
          this.#experts.score(i, t, y);
          past.take(i, y);
        } else past.miss(i);
      }
    }
    this.#solve(t);
  }

  #termsOfOrigin(o: number, inverse: number): void {
    const x = this.#x;
    const origin = this.#past.origins;
    const level = origin[o + LEVEL]!;
    x[0] = 1;
    x[1] = (origin[o + LAST]! - level) * inverse;
    x[2] = (origin[o + SHORT_MEAN]! - level) * inverse;
    x[3] = (origin[o + LONG_MEAN]! - level) * inverse;
    x[4] = excess(x[1]);
    x[5] = excess(x[2]);
  }

  /** Usage that the terms of a target are made of: at the same time of the last day and hour, and usual then, `h` ticks from now. */
  #lookBack(i: number, h: number): void {
    const raw = this.#raw;
    const past = this.#past;
    const at = past.dayAt(i, h);
    const minute = past.hourAt(i, h);
    raw[0] = past.day[at]!;
    raw[1] = past.day[at + 1]!;
    raw[2] = past.hour[minute]!;
    raw[3] = past.hour[minute + HOUR_TICKS]!;
  }

  /**
   * Terms of the target and the shape. For usage that was never seen stands what the shape says of it, from the last
   * sample on: so a new VM follows the shape of its application before it has a yesterday of its own.
   */
  #termsOfTarget(o: number, inverse: number, now: number, then: number, known: boolean): void {
    const x = this.#x;
    const raw = this.#raw;
    const origin = this.#past.origins;
    const level = origin[o + LEVEL]!;
    const change = (then - now) * inverse;
    const unseen = known ? (origin[o + LAST]! - level) * inverse + change : 0;
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
    const { state, origins } = this.#past;
    const scale = state[i * STATE + SCALE]!;
    if (!(scale > STILL * state[i * STATE + HIGH]!)) return;
    const curve = this.#curve;
    const then = curve[i * CURVE + (t & (CURVE - 1))]!;
    const known = this.#shapes[i] !== undefined;
    this.#lookBack(i, 0);
    for (let h = 1; h <= STEPS; h++) {
      const o = (i * ORIGINS + ((t - h) & (ORIGINS - 1))) * KEPT;
      const level = origins[o + LEVEL]!;
      const spread = stepSpread(origins[o + NEAR_STEP]!, origins[o + SCALE]!);
      if (!(spread > 0)) continue;
      const inverse = 1 / spread;
      this.#termsOfOrigin(o, inverse);
      this.#termsOfTarget(o, inverse, curve[i * CURVE + ((t - h) & (CURVE - 1))]!, then, known);
      this.#equations.learn(row, r, h - 1, this.#x, (y - level) * inverse, SMOOTH);
    }
  }

  #solve(t: number): void {
    const { size } = this.#hierarchy;
    if (t % SOLVE === 0) this.#equations.solveParents();
    const keep = exp2(-SOLVE / (MEMORY_DAYS * this.#past.dayTicks));
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
    this.steps(slot, r, horizon, ALL, out, offset);
  }

  /** Steps that have to be forecast every tick, bit h - 1: the experts are held to them. */
  readonly due = CHECKED.reduce((mask, h) => mask | (1 << (h - 1)), 0);

  /** As `path`, but of the first STEPS only those in `wanted`, bit h - 1. */
  steps(slot: number, r: number, horizon: number, wanted: number, out: Float64Array, offset: number): void {
    const i = slot * R + r;
    const t = this.#tick;
    const unit = this.#unit[i]!;
    const shape = this.#shapes[i];
    const state = this.#past.state;
    const at = i * STATE;
    if (state[at + COUNT] === 0) {
      for (let h = 1; h <= horizon; h++) {
        out[offset + h - 1] = shape ? Math.max(0, shape.at(t + h) * unit) : Number.NaN;
      }
      return;
    }
    const level = state[at + LEVEL]!;
    const scale = state[at + SCALE]!;
    const most = 2 * state[at + HIGH]!;
    const last = state[at + LAST]!;
    if (!(scale > (STILL / 2) * most)) {
      // Never seen to move: there is nothing to scale by. A VM that is new may be about to follow its shape.
      const along = shape && state[at + COUNT]! < ENOUGH ? shape : undefined;
      for (let h = 1; h <= horizon; h++) {
        const change = along ? along.at(t + h) - along.at(t) : 0;
        out[offset + h - 1] = unit * Math.max(0, last + change);
      }
      return;
    }
    const spread = stepSpread(state[at + NEAR_STEP]!, scale);
    const inverse = 1 / spread;
    const row = this.#hierarchy.row[slot]!;
    const x = this.#x;
    const coefficients = this.#equations.coefficients;
    const now = this.#curve[i * CURVE + (t & (CURVE - 1))]!;
    const opinions = this.#opinions;
    opinions[1] = last;
    opinions[2] = state[at + LONG_MEAN]!;
    const origin = (i * ORIGINS + (t & (ORIGINS - 1))) * KEPT;
    this.#termsOfOrigin(origin, inverse);
    this.#experts.weigh(i);
    const known = shape !== undefined;
    for (let h = 1; h <= horizon; h++) {
      if (h <= STEPS && (wanted & (1 << (h - 1))) === 0) continue;
      const step = h <= STEPS ? h - 1 : STEPS - 1;
      const then = h <= STEPS ? this.#curve[i * CURVE + ((t + h) & (CURVE - 1))]! : (shape?.at(t + h) ?? 0);
      this.#lookBack(i, h);
      this.#termsOfTarget(origin, inverse, now, then, known);
      const sum = dot(coefficients, this.#equations.at(row, r, step), x);
      opinions[0] = Math.min(most, Math.max(0, level + spread * sum));
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
    this.#past.begin(this.#tick);
  }

  #columns(slot: number): (Float64Array | Float32Array)[] {
    const from = slot * R;
    return [
      this.#unit.subarray(from, from + R),
      this.#curve.subarray(from * CURVE, (from + R) * CURVE),
      ...this.#past.columns(from, from + R),
      ...Array.from({ length: R }, (_, r) => this.#experts.columns(from + r)).flat(),
    ];
  }
}

/** Share of the highest usage that movements must exceed to be more than rounding. */
const STILL = 1e-9;

/** Coefficients from `at` times the TERMS terms: written out, in sums that do not wait for each other, as this is where a fleet's time goes. */
function dot(c: Float32Array, at: number, x: Float64Array): number {
  const a = c[at]! * x[0]! + c[at + 1]! * x[1]! + c[at + 2]! * x[2]!;
  const b = c[at + 3]! * x[3]! + c[at + 4]! * x[4]! + c[at + 5]! * x[5]!;
  const d = c[at + 6]! * x[6]! + c[at + 7]! * x[7]! + c[at + 8]! * x[8]!;
  const e = c[at + 9]! * x[9]! + c[at + 10]! * x[10]! + c[at + 11]! * x[11]!;
  return a + b + (d + e);
}

/** What lies beyond the usual: a step that large is not noise, and need not be averaged away like noise. */
function excess(x: number): number {
  return x > USUAL ? x - USUAL : x < -USUAL ? x + USUAL : 0;
}
