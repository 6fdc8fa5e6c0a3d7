import { z } from 'zod';
import { DAY } from '../../duration.ts';
import type { Fleet } from '../../fleet.ts';
import { exp2, log } from '../../math.ts';
import { type Frame, R, RESOURCES } from '../../model.ts';
import { type Calibratable, Conformal } from '../conformal.ts';
import { pack, unpack } from '../float-codec.ts';
import { Hierarchy } from '../hierarchy.ts';
import type { SavedState } from '../model-document.ts';
import { isSample } from '../point-model.ts';
import { HIGH, STATE } from '../recent-past.ts';
import type { Training, TrainingHealth } from '../retrained.ts';
import type { ForecastBatch, ForecastContext } from '../types.ts';
import { QuantileEquations } from './equations.ts';
import { QuantileTerms, STEPS, TERMS } from './terms.ts';

/** Quantiles that have coefficients; `Conformal` makes all others from the nearest. */
const LEVELS = [0.5, 0.9, 0.95, 0.99] as const;
const L = LEVELS.length;
/** The level whose loss is stated. */
const STATED = LEVELS.indexOf(0.9);
/** First step of each bucket of steps that share coefficients. */
const BUCKETS = [1, 2, 3, 7] as const;
const B = BUCKETS.length;
const BUCKET_OF = Uint8Array.from({ length: STEPS }, (_, h) =>
  BUCKETS.findLastIndex((first) => first <= h + 1),
);
/** A VM teaches once in so many ticks: neighbours say much the same. No divisor of an hour or of a day. */
const EVERY = 5;
/** Ticks between solutions of a row. */
const SOLVE = 72;
/** Samples before a VM's past teaches anything. */
const ENOUGH = 24;
/** No forecast is above so many times the largest value of the last weeks. */
const HIGHEST = 1.5;

export const linearQuantileParams = z
  .strictObject({
    memoryDays: z
      .number()
      .min(0.5)
      .max(365)
      .default(3)
      .describe('Half-life of what the regression remembers, days.'),
  })
  .describe(
    'Quantile regression on lags: the recent past, the same time of the last day and hour, their spread.',
  );

export type LinearQuantileParams = z.infer<typeof linearQuantileParams>;

/** Linear quantile regression (Koenker & Bassett 1978) on lags, with its quantiles moved to where they should be. */
export function createLinearQuantile(params: LinearQuantileParams, ctx: ForecastContext): Conformal {
  return new Conformal(new LinearQuantile(params, ctx), LEVELS, ctx);
}

/**
 * One linear equation per bucket of steps and level, for every pair and resource, shrunk towards the application's and the
 * fleet's. There is no training run: every few ticks a VM adds what it saw, and each row is solved every few hours; see
 * `QuantileEquations`.
 */
export class LinearQuantile implements Calibratable {
  readonly name = 'linear-quantile';
  readonly parameters: string;
  readonly #fleet: Fleet;
  readonly #ctx: ForecastContext;
  readonly #rows: Hierarchy;
  readonly #terms: QuantileTerms;
  readonly #equations: QuantileEquations;
  readonly #keep: number;
  /** Per row * R + resource: pinball loss at .9 in units of the terms, decayed, its weight, and first tick learned of. */
  readonly #record: { loss: number; weight: number; first: number }[] = [];
  #tick = -1;

  constructor(params: LinearQuantileParams, ctx: ForecastContext) {
    this.parameters = JSON.stringify(['linear-quantile', 1, params]);
    this.#fleet = ctx.fleet;
    this.#ctx = ctx;
    this.#rows = new Hierarchy(ctx.fleet);
    const dayTicks = Math.max(1, Math.round(DAY / ctx.stepMs));
    this.#terms = new QuantileTerms(dayTicks);
    this.#keep = exp2(-SOLVE / (params.memoryDays * dayTicks));
    // Before anything is known: the last value, and errors as the Laplace distribution has them.
    const prior = BUCKETS.flatMap(() =>
      LEVELS.map((q) => Float64Array.from({ length: TERMS }, (_, j) => (j === 0 ? -log(2 * (1 - q)) : 0))),
    );
    this.#equations = new QuantileEquations(
      this.#rows,
      BUCKETS.flatMap(() => LEVELS),
      prior,
    );
  }

  grow(capacity: number): void {
    this.#rows.grow(capacity);
    this.#terms.grow(capacity * R);
  }

  admit(slot: number): void {
    this.#rows.admit(slot);
    this.#equations.grow();
    while (this.#record.length < this.#rows.size * R) this.#record.push({ loss: 0, weight: 0, first: -1 });
    for (let i = slot * R; i < slot * R + R; i++) this.#terms.clear(i);
  }

  observe(frame: Frame): void {
    const t = frame.tick;
    this.#tick = t;
    const terms = this.#terms;
    const slots = this.#fleet.slots;
    terms.past.begin(t);
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const teaches = (t + slot) % EVERY === 0;
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        const y = frame.usage[i]!;
        if (!isSample(y)) terms.past.miss(i);
        else {
          if (teaches && terms.past.count(i) >= ENOUGH) this.#teach(i, this.#rows.row[slot]!, r, y);
          terms.take(i, y);
        }
      }
    }
    this.#solve(t);
  }

  /** Adds what a sample says about one step of each bucket, in turn. */
  #teach(i: number, row: number, r: number, y: number): void {
    const t = this.#tick;
    const terms = this.#terms;
    const record = this.#record[row * R + r]!;
    for (let b = 0; b < B; b++) {
      const steps = (BUCKETS[b + 1] ?? STEPS + 1) - BUCKETS[b]!;
      const h = BUCKETS[b]! + ((t + Math.floor(t / steps)) % steps);
      const unit = terms.fromOrigin(i, t - h);
      if (unit === 0) continue;
      terms.ofTarget(i, t - h, h, 0, unit);
      const target = (y - terms.last(i, t - h)) / unit;
      for (let l = 0; l < L; l++) {
        const loss = this.#equations.learn(row, r, b * L + l, terms.x, target);
        if (l !== STATED) continue;
        record.loss += loss;
        record.weight++;
        if (record.first < 0) record.first = t;
      }
    }
  }

  #solve(t: number): void {
    const { size } = this.#rows;
    if (t % SOLVE === 0) this.#equations.solveParents();
    for (let row = t % SOLVE; row < size; row += SOLVE) {
      if (!this.#rows.isPair(row)) continue;
      this.#equations.solve(row);
      this.#equations.forget(row, this.#keep);
      for (let rr = row * R; rr < (row + 1) * R; rr++) {
        this.#record[rr]!.loss *= this.#keep;
        this.#record[rr]!.weight *= this.#keep;
      }
    }
  }

  /** @param out with quantiles out of LEVELS */
  predict(slots: Int32Array, out: ForecastBatch): void {
    const { horizon, values, quantiles } = out;
    const t = this.#tick;
    const terms = this.#terms;
    const { coefficients } = this.#equations;
    const x = terms.x;
    const level = quantiles.map((q) => LEVELS.indexOf(q as (typeof LEVELS)[number]));
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const row = this.#rows.row[slot]!;
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        const from = out.index(k, r, 0, 0);
        if (terms.past.count(i) === 0) {
          values.fill(Number.NaN, from, from + quantiles.length * horizon);
          continue;
        }
        const last = terms.last(i, t);
        const unit = terms.fromOrigin(i, t);
        if (unit === 0) {
          values.fill(last, from, from + quantiles.length * horizon);
          continue;
        }
        const most = HIGHEST * terms.past.state[i * STATE + HIGH]!;
        for (let h = 1; h <= horizon; h++) {
          terms.ofTarget(i, t, h, h, unit);
          const b = BUCKET_OF[Math.min(h, STEPS) - 1]!;
          let least = 0;
          for (let q = 0; q < level.length; q++) {
            const c = this.#equations.at(row, r, b * L + level[q]!);
            let sum = 0;
            for (let j = 0; j < TERMS; j++) sum += coefficients[c + j]! * x[j]!;
            least = Math.max(least, Math.min(most, last + unit * sum));
            values[from + q * horizon + h - 1] = least;
          }
        }
      }
    }
  }

  trainingOf(row: number): Training | undefined {
    const { stepMs, epochMs } = this.#ctx;
    const records = this.#record.slice(row * R, row * R + R);
    const first = Math.min(
      ...records.map((record) => (record.first < 0 ? Number.POSITIVE_INFINITY : record.first)),
    );
    if (first === Number.POSITIVE_INFINITY) return undefined;
    return {
      tick: this.#tick,
      from: epochMs + first * stepMs,
      to: epochMs + this.#tick * stepMs,
      samples: Math.round(Math.max(...records.map((record) => record.weight)) / B),
      loss: Object.fromEntries(
        records.flatMap(({ loss, weight }, r) => (weight > 0 ? [[RESOURCES[r]!, loss / weight]] : [])),
      ),
    };
  }

  /** There are no fits that could fail: what cannot be solved keeps its last coefficients. */
  health(): TrainingHealth {
    return { fits: 0, failures: 0, waiting: 0, recent: [], refused: [] };
  }

  saveRow(row: number): SavedState {
    return {
      equations: pack(this.#equations.columns(row)),
      record: this.#record.slice(row * R, row * R + R),
    };
  }

  loadRow(row: number, saved: SavedState, tick: number): void {
    const record = savedRecord.parse(saved['record']);
    unpack(saved['equations'], this.#equations.columns(row));
    record.forEach((entry, r) => {
      this.#record[row * R + r] = entry;
    });
    this.#tick = Math.max(this.#tick, tick);
  }

  saveSlot(slot: number): SavedState {
    return { terms: pack(this.#terms.columns(slot * R, slot * R + R)) };
  }

  loadSlot(slot: number, saved: SavedState, tick: number): void {
    unpack(saved['terms'], this.#terms.columns(slot * R, slot * R + R));
    this.#tick = Math.max(this.#tick, tick);
    this.#terms.past.begin(this.#tick);
  }
}

const savedRecord = z.array(z.object({ loss: z.number(), weight: z.number(), first: z.int() })).length(R);
