import type { Fleet } from '../fleet.ts';
import { normalQuantile } from '../math.ts';
import { type Frame, grown, R } from '../model.ts';
import { Documents } from './documents.ts';
import { pack, unpack } from './float-codec.ts';
import { Hierarchy } from './hierarchy.ts';
import type { ModelDocument, SavedState } from './model-document.ts';
import { highestOf, Peaks, windowOf } from './peaks.ts';
import { isSample } from './point-model.ts';
import type { Training, TrainingHealth } from './retrained.ts';
import { B, BUCKETS, G, GRID, PROBITS, Scores } from './scores.ts';
import { Spreads } from './spreads.ts';
import type { Persistent, Stateful } from './stateful.ts';
import { ForecastBatch, type ForecastContext, type Forecaster } from './types.ts';

/** Steps whose forecasts are remembered and scored; farther ones are given the errors of the last. */
const STEPS = 12;
/** All of them, bit h - 1. */
const ALL = (1 << STEPS) - 1;
const RING = 16;
/** A VM's errors become scores once in so many ticks: neighbours are much alike. No divisor of an hour or a day. */
const EVERY = 5;
/** Levels whose coverage is reported. */
const REPORTED = [0.5, 0.9, 0.95, 0.99] as const;

const BUCKET_OF = Uint8Array.from({ length: STEPS }, (_, h) =>
  BUCKETS.findLastIndex((first) => first <= h + 1),
);

export interface Coverage {
  readonly resource: number;
  readonly level: number;
  /** Share of arrivals at or below the forecast quantile, over all steps, and how many there were. */
  readonly share: number;
  readonly count: number;
}

/** What can be calibrated: a forecaster that gives the paths it is asked for and can be written down. */
export interface Calibratable extends Omit<Forecaster, 'peak'>, Stateful {}

/** A point forecaster whose steps can be had one by one, so that only those are made that somebody asks for. */
export interface Stepwise {
  /** Steps it has to make every tick for its own sake, bit h - 1, the first among them. */
  readonly due: number;
  /** Writes the `wanted` ones of the first `horizon` steps to out[h - 1]: the same until the next tick is observed. */
  steps(slot: number, r: number, horizon: number, wanted: number, out: Float64Array): void;
}

/**
 * Gives any forecaster calibrated quantiles. The scores are its own recent errors, (usage - forecast) / spread, where
 * the spread follows the size of the VM's errors of late; a quantile is the forecast plus the spread times that
 * quantile of the scores. So coverage is that of the recent past whatever the forecaster assumes (split conformal
 * prediction, Lei et al. 2018; with weights that decay, Barber et al. 2023, "Conformal prediction beyond
 * exchangeability"; locally scaled, Papadopoulos et al. 2008).
 *
 * A forecaster with quantiles of its own is scored on each of them, and each is moved to where it should be
 * (conformalised quantile regression, Romano et al. 2019). Peaks over a horizon are calibrated by themselves: `Peaks`.
 */
export class Conformal implements Forecaster, Persistent, Stateful {
  readonly name: string;
  readonly parameters: string;
  readonly #inner: Calibratable;
  readonly #stepwise: Stepwise | undefined;
  readonly #fleet: Fleet;
  readonly #documents: Documents;
  readonly #rows: Hierarchy;
  readonly #scores: Scores;
  readonly #levels: readonly number[];
  /** For each level of the grid, which of `levels` it starts from. */
  readonly #base: Uint8Array;
  readonly #median: number;
  /** Forecasts of the newest origin, (i * levels + level) * STEPS + h - 1, and the spreads, i * B + bucket. */
  #forecasts = new Float32Array(0);
  #widths = new Float32Array(0);
  /** Of a stepwise forecaster, the steps that `#forecasts` holds and those that were asked for later, bit h - 1. */
  #held = new Uint16Array(0);
  #asked = new Uint16Array(0);
  readonly #path = new Float64Array(STEPS);
  readonly #spreads = new Spreads();
  readonly #peaks: Peaks;
  /** What will be scored at each coming tick, [tick % RING][i * B + bucket]: the forecast at each level, the spread. */
  readonly #due: Float32Array[] = Array.from({ length: RING }, () => new Float32Array(0));
  #tick = -1;
  #batch: ForecastBatch | undefined;
  readonly #z: Float64Array;
  /** Highest forecast at each level. */
  readonly #tops: Float64Array;
  readonly #turn = new Uint8Array(STEPS);
  readonly #values = new Float64Array(G);
  readonly #reported = REPORTED.map((level) => GRID.indexOf(level));
  readonly #hits = new Float64Array(R * REPORTED.length);
  readonly #trials = new Float64Array(R);

  /**
   * @param levels quantiles the inner forecaster has an opinion on, ascending; [.5] for one that only knows a point
   */
  constructor(inner: Calibratable, levels: readonly number[], ctx: ForecastContext) {
    this.name = inner.name;
    this.#inner = inner;
    this.#stepwise = levels.length === 1 && 'steps' in inner ? (inner as Calibratable & Stepwise) : undefined;
    this.#fleet = ctx.fleet;
    this.#levels = levels;
    this.parameters = inner.parameters;
    this.#rows = new Hierarchy(ctx.fleet);
    const { stepMs, epochMs } = ctx;
    const identity = { forecaster: inner.name, parameters: inner.parameters, stepMs, epochMs };
    this.#documents = new Documents(identity, ctx.fleet, this.#rows, this);
    const probits = levels.map(normalQuantile);
    const distance = (l: number, g: number): number => Math.abs(probits[l]! - PROBITS[g]!);
    this.#base = Uint8Array.from(GRID, (_, g) =>
      levels.reduce((best, _level, l) => (distance(l, g) < distance(best, g) ? l : best), 0),
    );
    this.#median = this.#base[GRID.indexOf(0.5)]!;
    this.#scores = new Scores(this.#rows, levels.length, this.#base);
    this.#peaks = new Peaks(this.#rows, levels.length, this.#base);
    this.#z = new Float64Array(levels.length);
    this.#tops = new Float64Array(levels.length);
  }

  grow(capacity: number): void {
    this.#rows.grow(capacity);
    const n = capacity * R;
    const L = this.#levels.length;
    this.#forecasts = grown(this.#forecasts, n * L * STEPS);
    this.#widths = grown(this.#widths, n * B);
    this.#held = grown(this.#held, n);
    this.#asked = grown(this.#asked, n);
    for (let k = 0; k < RING; k++) this.#due[k] = grown(this.#due[k]!, n * B * (L + 1));
    this.#spreads.grow(n * B);
    this.#peaks.grow(n);
    this.#inner.grow(capacity);
  }

  admit(slot: number): void {
    this.#rows.admit(slot);
    this.#scores.grow();
    this.#peaks.scores.grow();
    this.#spreads.growShared(this.#scores.offsets.length / G);
    const L = this.#levels.length;
    const width = R * L * STEPS;
    this.#forecasts.fill(Number.NaN, slot * width, (slot + 1) * width);
    this.#held.fill(ALL, slot * R, slot * R + R);
    this.#asked.fill(0, slot * R, slot * R + R);
    for (const due of this.#due) due.fill(Number.NaN, slot * R * B * (L + 1), (slot + 1) * R * B * (L + 1));
    this.#spreads.clear(slot * R * B, (slot + 1) * R * B);
    this.#peaks.clear(slot * R, (slot + 1) * R);
    this.#inner.admit(slot);
    this.#documents.admitted(slot);
  }

  retire(slot: number): void {
    this.#inner.retire?.(slot);
  }

  observe(frame: Frame): void | Promise<void> {
    const trained = this.#inner.observe(frame);
    if (trained) return trained.then(() => this.#after(frame));
    this.#after(frame);
  }

  #after(frame: Frame): void {
    const t = frame.tick;
    this.#tick = t;
    const slots = this.#fleet.slots;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const row = this.#rows.row[slot]!;
      const scored = (t + slot) % EVERY === 0;
      const phase = phaseOf(t, slot);
      for (let r = 0; r < R; r++) {
        const y = frame.usage[slot * R + r]!;
        const sample = isSample(y);
        if (sample) this.#score(slot * R + r, (row * R + r) * B, r, y, scored);
        this.#peaks.see(slot * R + r, (row * R + r) * B, phase, sample ? y : Number.NaN);
      }
    }
    this.#scores.tick(t);
    this.#peaks.scores.tick(t);
    this.#remember();
  }

  /** Compares a sample with the forecasts that were made for it: one step of each bucket, in turn. */
  #score(i: number, rb: number, r: number, y: number, scored: boolean): void {
    const t = this.#tick;
    const L = this.#levels.length;
    const z = this.#z;
    const due = this.#due[t & (RING - 1)]!;
    const offsets = this.#scores.offsets;
    let at = i * B * (L + 1);
    for (let b = 0; b < B; b++, rb++, at += L + 1) {
      const median = due[at + this.#median]!;
      if (Number.isNaN(median)) continue;
      const spread = due[at + L]!;
      if (scored && spread > 0) {
        for (let l = 0; l < L; l++) {
          z[l] = (y - due[at + l]!) / spread;
          this.#scores.add(rb, l, z[l]!);
        }
        this.#trials[r]!++;
        for (let q = 0; q < REPORTED.length; q++) {
          const g = this.#reported[q]!;
          if (z[this.#base[g]!]! <= offsets[rb * G + g]!) this.#hits[r * REPORTED.length + q]!++;
        }
      }
      this.#spreads.add(i * B + b, rb, y - median, median);
      due[at + this.#median] = Number.NaN;
    }
  }

  /** Asks the inner forecaster for its paths, and keeps what will be scored, with the spreads of the moment. */
  #remember(): void {
    const { slots, size } = this.#fleet;
    const L = this.#levels.length;
    const stepwise = this.#stepwise;
    if (!stepwise) {
      if (this.#batch?.count !== size) this.#batch = new ForecastBatch(size, STEPS, this.#levels);
      this.#inner.predict(slots, this.#batch);
    }
    const values = this.#batch?.values ?? this.#path;
    const t = this.#tick;
    const forecasts = this.#forecasts;
    const widths = this.#widths;
    const width = L * STEPS;
    // The step of each bucket whose turn it is moves on with the tick that is forecast.
    let taken = 0;
    let turn = 0;
    for (let h = 1; h <= STEPS; h++) {
      const b = BUCKET_OF[h - 1]!;
      const steps = (BUCKETS[b + 1] ?? STEPS + 1) - BUCKETS[b]!;
      const target = t + h;
      if (h !== BUCKETS[b]! + ((target + Math.floor(target / steps)) % steps)) continue;
      this.#turn[taken++] = h;
      turn |= 1 << (h - 1);
    }
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const row = this.#rows.row[slot]!;
      const phase = phaseOf(t, slot);
      const wanted = stepwise ? stepwise.due | turn | this.#peaks.wanted(phase) : ALL;
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        let from = (k * R + r) * width;
        if (stepwise) {
          from = 0;
          // What was asked for last time will be again.
          const mask = wanted | this.#asked[i]!;
          this.#asked[i] = 0;
          this.#held[i] = 0;
          this.#make(stepwise, slot, r, mask);
        } else for (let j = 0; j < width; j++) forecasts[i * width + j] = values[from + j]!;
        const point = values[from + this.#median * STEPS]!;
        if (Number.isNaN(point)) continue;
        for (let b = 0; b < B; b++) {
          widths[i * B + b] = this.#spreads.at(i * B + b, (row * R + r) * B + b, point);
        }
        this.#peaks.begin(i, phase, forecasts, i * width, STEPS, widths, i * B);
        for (let n = 0; n < taken; n++) {
          const h = this.#turn[n]!;
          const b = BUCKET_OF[h - 1]!;
          const due = this.#due[(t + h) & (RING - 1)]!;
          const at = (i * B + b) * (L + 1);
          for (let l = 0; l < L; l++) due[at + l] = values[from + l * STEPS + h - 1]!;
          due[at + L] = widths[i * B + b]!;
        }
      }
    }
  }

  /** Forecasts more steps of the newest origin. */
  #make(stepwise: Stepwise, slot: number, r: number, mask: number): void {
    const i = slot * R + r;
    const path = this.#path;
    const to = i * STEPS;
    stepwise.steps(slot, r, STEPS, mask, path);
    for (let h = 0; h < STEPS; h++) if ((mask & (1 << h)) !== 0) this.#forecasts[to + h] = path[h]!;
    this.#held[i]! |= mask;
  }

  /** Sees to it that the first `steps` forecasts of the newest origin are there. */
  #complete(slot: number, r: number, steps: number): void {
    const stepwise = this.#stepwise;
    if (!stepwise) return;
    const i = slot * R + r;
    const mask = (1 << steps) - 1;
    if ((this.#held[i]! & mask) !== mask) this.#make(stepwise, slot, r, mask & ~this.#held[i]!);
    this.#asked[i]! |= mask;
  }

  /** At least the highest of the path's quantiles; for more than a step also what peaks so long were of late. */
  peak(slots: Int32Array, horizon: number, quantile: number, out: Float64Array, only?: number): void {
    const L = this.#levels.length;
    const forecasts = this.#forecasts;
    const widths = this.#widths;
    const offsets = this.#scores.offsets;
    const steps = Math.min(horizon, STEPS);
    const place = locate(quantile);
    const { g, share } = place;
    const first = only ?? 0;
    const end = only === undefined ? R : only + 1;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const row = this.#rows.row[slot]!;
      for (let r = first; r < end; r++) {
        const i = slot * R + r;
        this.#complete(slot, r, steps);
        let highest = steps > 1 ? this.#window(i, (row * R + r) * B, steps, place) : Number.NEGATIVE_INFINITY;
        for (let h = 0; h < steps; h++) {
          const b = BUCKET_OF[h]!;
          const at = ((row * R + r) * B + b) * G;
          const spread = widths[i * B + b]!;
          const from = i * L * STEPS + h;
          let v: number;
          if (L === 1) {
            const low = offsets[at + g]!;
            v = forecasts[from]! + spread * (low + share * (offsets[at + g + 1]! - low));
          } else {
            this.#ladder(forecasts, from, STEPS, spread, offsets, at);
            v = this.#values[g]! + share * (this.#values[g + 1]! - this.#values[g]!);
          }
          if (!(v <= highest)) highest = v;
        }
        out[i] = highest > 0 ? highest : highest <= 0 ? 0 : Number.NaN;
      }
    }
    if (horizon > STEPS) this.#farther(slots, horizon, quantile, out);
  }

  /** The quantile of the peak of the next `steps` > 1 ticks, by the windows next to it. */
  #window(i: number, rb: number, steps: number, { g, share }: Place): number {
    const L = this.#levels.length;
    for (let l = 0; l < L; l++) this.#tops[l] = highestOf(this.#forecasts, (i * L + l) * STEPS, steps);
    const window = windowOf(steps);
    let peak = 0;
    for (let n = 0; n < 2; n++) {
      const weight = n === 0 ? 1 - window.share : window.share;
      const b = window.b + n;
      this.#ladder(this.#tops, 0, 1, this.#widths[i * B + b]!, this.#peaks.scores.offsets, (rb + b) * G);
      peak += weight * (this.#values[g]! + share * (this.#values[g + 1]! - this.#values[g]!));
    }
    return peak;
  }

  #farther(slots: Int32Array, horizon: number, quantile: number, out: Float64Array): void {
    const batch = new ForecastBatch(slots.length, horizon, [quantile]);
    this.predict(slots, batch);
    for (let k = 0; k < slots.length; k++) {
      for (let r = 0; r < R; r++) {
        const i = slots[k]! * R + r;
        const highest = highestOf(batch.values, batch.index(k, r, 0, 0), horizon);
        if (!(highest <= out[i]!)) out[i] = highest;
      }
    }
  }

  /** Forecasts at every level of the grid, made ascending. Level l of the inner forecaster is at from + l * stride. */
  #ladder(
    forecasts: Float32Array | Float64Array,
    from: number,
    stride: number,
    spread: number,
    offsets: Float32Array,
    at: number,
  ): void {
    const values = this.#values;
    let least = Number.NEGATIVE_INFINITY;
    for (let g = 0; g < G; g++) {
      const v = forecasts[from + this.#base[g]! * stride]! + spread * offsets[at + g]!;
      least = Math.max(least, v);
      values[g] = least;
    }
  }

  predict(slots: Int32Array, out: ForecastBatch): void {
    const { horizon, quantiles, values } = out;
    const L = this.#levels.length;
    const offsets = this.#scores.offsets;
    // Steps that were asked about this tick are known; farther ones have to be asked for.
    let inner: ForecastBatch | undefined;
    if (horizon > STEPS) {
      inner = new ForecastBatch(slots.length, horizon, this.#levels);
      this.#inner.predict(slots, inner);
    }
    const forecasts = inner?.values ?? this.#forecasts;
    const stride = inner ? horizon : STEPS;
    const places = quantiles.map(locate);
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const row = this.#rows.row[slot]!;
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        const from = (inner ? k * R + r : i) * L * stride;
        if (!inner) this.#complete(slot, r, horizon);
        for (let h = 0; h < horizon; h++) {
          const b = BUCKET_OF[Math.min(h, STEPS - 1)]!;
          const width = this.#widths[i * B + b]!;
          const at = ((row * R + r) * B + b) * G;
          if (L > 1) this.#ladder(forecasts, from + h, stride, width, offsets, at);
          for (let q = 0; q < quantiles.length; q++) {
            const { g, share } = places[q]!;
            const v =
              L > 1
                ? this.#values[g]! + share * (this.#values[g + 1]! - this.#values[g]!)
                : forecasts[from + h]! +
                  width * (offsets[at + g]! + share * (offsets[at + g + 1]! - offsets[at + g]!));
            values[out.index(k, r, q, h)] = Math.max(0, v);
          }
        }
      }
    }
  }

  /** How often usage stayed at or below the forecast quantile, against the offsets in force as it came. */
  coverage(): Coverage[] {
    const list: Coverage[] = [];
    for (let r = 0; r < R; r++) {
      const count = this.#trials[r]!;
      if (count === 0) continue;
      for (let q = 0; q < REPORTED.length; q++) {
        list.push({
          resource: r,
          level: REPORTED[q]!,
          share: this.#hits[r * REPORTED.length + q]! / count,
          count,
        });
      }
    }
    return list;
  }

  models(): ModelDocument[] {
    return this.#documents.write(this.#tick);
  }

  load(document: unknown): void {
    this.#documents.read(document);
  }

  health(): TrainingHealth {
    return { ...this.#inner.health(), refused: this.#documents.refused };
  }

  trainingOf(row: number): Training | undefined {
    return this.#inner.trainingOf(row);
  }

  saveRow(row: number): SavedState {
    return {
      inner: this.#inner.saveRow(row),
      scores: this.#scores.save(row),
      peaks: this.#peaks.scores.save(row),
      spreads: pack(this.#spreads.sharedColumns(row * R * B, (row + 1) * R * B)),
    };
  }

  loadRow(row: number, saved: SavedState, tick: number): void {
    this.#inner.loadRow(row, saved['inner'] as SavedState, tick);
    this.#scores.load(row, saved['scores'] as SavedState, tick);
    this.#peaks.scores.load(row, saved['peaks'] as SavedState, tick);
    unpack(saved['spreads'], this.#spreads.sharedColumns(row * R * B, (row + 1) * R * B));
    this.#tick = Math.max(this.#tick, tick);
  }

  saveSlot(slot: number): SavedState {
    for (let r = 0; r < R; r++) this.#complete(slot, r, STEPS);
    return {
      inner: this.#inner.saveSlot(slot),
      quantiles: pack(this.#columns(slot)),
      peaks: this.#peaks.saveSeries(slot * R, slot * R + R),
    };
  }

  loadSlot(slot: number, saved: SavedState, tick: number): void {
    this.#inner.loadSlot(slot, saved['inner'] as SavedState, tick);
    unpack(saved['quantiles'], this.#columns(slot));
    this.#held.fill(ALL, slot * R, slot * R + R);
    this.#peaks.loadSeries(slot * R, slot * R + R, saved['peaks']);
  }

  #columns(slot: number): (Float64Array | Float32Array | Int32Array)[] {
    const L = this.#levels.length;
    const from = slot * R;
    const to = from + R;
    return [
      this.#forecasts.subarray(from * L * STEPS, to * L * STEPS),
      this.#widths.subarray(from * B, to * B),
      ...this.#due.map((due) => due.subarray(from * B * (L + 1), to * B * (L + 1))),
      ...this.#spreads.columns(from * B, to * B),
    ];
  }
}

interface Place {
  readonly g: number;
  readonly share: number;
}

/** Ticks, so shifted that windows of different VMs do not begin together. */
function phaseOf(t: number, slot: number): number {
  return t + 5 * slot;
}

/** Where a quantile lies on the grid: between g and g + 1, or beyond an end along the same line. */
function locate(quantile: number): Place {
  const z = normalQuantile(Math.min(0.9999, Math.max(0.0001, quantile)));
  let g = 0;
  while (g + 2 < G && PROBITS[g + 1]! <= z) g++;
  return { g, share: (z - PROBITS[g]!) / (PROBITS[g + 1]! - PROBITS[g]!) };
}
