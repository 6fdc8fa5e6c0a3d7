import { z } from 'zod';
import type { Fleet } from '../fleet.ts';
import { exp2 } from '../math.ts';
import { type Frame, grown, R } from '../model.ts';
import { Hierarchy } from './hierarchy.ts';
import { isSample } from './point-model.ts';
import { ForecastBatch, type ForecastContext, type Forecaster } from './types.ts';

/** Steps that candidates are compared on, and levels. */
const STEPS = 12;
const LEVELS = [0.5, 0.9, 0.95, 0.99] as const;

export const autoParams = z.strictObject({}).describe('x');

export class Auto implements Forecaster {
  readonly name = 'auto';
  readonly #candidates: readonly Forecaster[];
  readonly #fleet: Fleet;
  readonly #rows: Hierarchy;
  readonly #fallback: number;
  /** Pinball losses of each candidate, decayed, per (row * R + r) * candidates + c, and how many. */
  #losses = new Float64Array(0);
  #counts = new Float64Array(0);
  #weights = new Float32Array(0);
  #rowsReady = 0;
  /** Forecasts being scored: per slot, since which tick, and values[((i * C + c) * L + l) * STEPS + h]. */
  #since = new Int32Array(0);
  #made = new Float32Array(0);
  #running = new Float64Array(0);
  #tick = -1;
  readonly #memory: number;
  static POWER = 8;

  constructor(candidates: readonly Forecaster[], ctx: ForecastContext, memory = 864) {
    this.#candidates = candidates;
    this.#fleet = ctx.fleet;
    this.#rows = new Hierarchy(ctx.fleet);
    this.#memory = memory;
    this.#fallback = Math.max(
      0,
      candidates.findIndex((c) => c.name === 'last-value'),
    );
  }

  grow(capacity: number): void {
    this.#rows.grow(capacity);
    const C = this.#candidates.length;
    this.#since = grown(this.#since, capacity);
    this.#made = grown(this.#made, capacity * R * C * LEVELS.length * STEPS);
    this.#running = grown(this.#running, capacity * R * C);
    for (const candidate of this.#candidates) candidate.grow(capacity);
  }

  admit(slot: number): void {
    this.#rows.admit(slot);
    const { size, parent } = this.#rows;
    const C = this.#candidates.length;
    this.#losses = grown(this.#losses, size * R * C);
    this.#counts = grown(this.#counts, size * R);
    this.#weights = grown(this.#weights, size * R * C);
    for (let row = this.#rowsReady; row < size; row++) {
      for (let k = 0; k < R * C; k++) {
        this.#weights[row * R * C + k] =
          parent[row]! < 0 ? (k % C === this.#fallback ? 1 : 0) : this.#weights[parent[row]! * R * C + k]!;
      }
    }
    this.#rowsReady = size;
    this.#since[slot] = -1;
    for (const candidate of this.#candidates) candidate.admit(slot);
  }

  retire(slot: number): void {
    for (const candidate of this.#candidates) candidate.retire?.(slot);
  }

  async observe(frame: Frame): Promise<void> {
    for (const candidate of this.#candidates) {
      const trained = candidate.observe(frame);
      if (trained) await trained;
    }
    this.#tick = frame.tick;
    this.#score(frame);
    this.#ask();
    if (frame.tick % 36 === 0) this.#decide();
  }

  #score(frame: Frame): void {
    const C = this.#candidates.length;
    const L = LEVELS.length;
    for (const slot of this.#fleet.slots) {
      const since = this.#since[slot]!;
      if (since < 0) continue;
      const h = this.#tick - since - 1;
      for (let r = 0; r < R; r++) {
        const i = slot * R + r;
        const y = frame.usage[i]!;
        if (!isSample(y)) continue;
        for (let c = 0; c < C; c++) {
          let loss = 0;
          for (let l = 0; l < L; l++) {
            const f = this.#made[((i * C + c) * L + l) * STEPS + h]!;
            const d = y - f;
            loss += d >= 0 ? LEVELS[l]! * d : (LEVELS[l]! - 1) * d;
          }
          this.#running[i * C + c]! += Number.isNaN(loss) ? 1e30 : loss;
        }
      }
      if (h === STEPS - 1) {
        this.#close(slot);
        this.#since[slot] = -1;
      }
    }
  }

  /** Adds the finished comparison of a VM to its pair, and relative to the pair's usual loss to its parents. */
  #close(slot: number): void {
    const C = this.#candidates.length;
    const row = this.#rows.row[slot]!;
    for (let r = 0; r < R; r++) {
      const from = (slot * R + r) * C;
      let mean = 0;
      for (let c = 0; c < C; c++) mean += this.#running[from + c]!;
      if (!(mean > 0 && mean < 1e29)) continue;
      const rr = row * R + r;
      this.#counts[rr]!++;
      for (let c = 0; c < C; c++) this.#losses[rr * C + c]! += this.#running[from + c]!;
      let scale = 0;
      for (let c = 0; c < C; c++) scale += this.#losses[rr * C + c]!;
      scale /= this.#counts[rr]!;
      for (let up = this.#rows.parent[row]!; up >= 0; up = this.#rows.parent[up]!) {
        this.#counts[up * R + r]!++;
        for (let c = 0; c < C; c++) this.#losses[(up * R + r) * C + c]! += this.#running[from + c]! / scale;
      }
    }
  }

  #ask(): void {
    const C = this.#candidates.length;
    const L = LEVELS.length;
    const due = this.#fleet.slots.filter(
      (slot) => (this.#tick + slot * 5) % 13 === 0 && this.#since[slot]! < 0,
    );
    if (due.length === 0) return;
    const batch = new ForecastBatch(due.length, STEPS, LEVELS);
    this.#candidates.forEach((candidate, c) => {
      candidate.predict(due, batch);
      for (let k = 0; k < due.length; k++) {
        for (let r = 0; r < R; r++) {
          const to = ((due[k]! * R + r) * C + c) * L * STEPS;
          const from = batch.index(k, r, 0, 0);
          for (let j = 0; j < L * STEPS; j++) this.#made[to + j] = batch.values[from + j]!;
        }
      }
    });
    for (const slot of due) {
      this.#since[slot] = this.#tick;
      this.#running.fill(0, slot * R * C, (slot + 1) * R * C);
    }
  }

  #decide(): void {
    const C = this.#candidates.length;
    const keep = exp2(-36 / this.#memory);
    const { size, parent } = this.#rows;
    for (let row = 0; row < size; row++) {
      for (let r = 0; r < R; r++) {
        const rr = row * R + r;
        const n = this.#counts[rr]!;
        let total = 0;
        for (let c = 0; c < C; c++) total += this.#losses[rr * C + c]!;
        const up = parent[row]! < 0 ? -1 : parent[row]! * R + r;
        const m = up < 0 ? 0 : this.#counts[up]!;
        let upTotal = 0;
        if (m > 0) for (let c = 0; c < C; c++) upTotal += this.#losses[up * C + c]!;
        const k = m > 0 ? 6 : 0;
        if (n + k === 0) continue;
        let sum = 0;
        for (let c = 0; c < C; c++) {
          const own = total > 0 ? (n * this.#losses[rr * C + c]!) / total : 0;
          const theirs = upTotal > 0 ? (k * this.#losses[up * C + c]!) / upTotal : 0;
          const relative = (own + theirs) / (n + k);
          let w = 1 / (relative * C + 1e-12);
          for (let p = 1; p < Auto.POWER; p *= 2) w *= w;
          this.#weights[rr * C + c] = w;
          sum += w;
        }
        for (let c = 0; c < C; c++) this.#weights[rr * C + c]! /= sum;
      }
    }
    for (let k = 0; k < this.#losses.length; k++) this.#losses[k]! *= keep;
    for (let k = 0; k < this.#counts.length; k++) this.#counts[k]! *= keep;
  }

  peak(): void {
    throw new Error('later');
  }

  predict(slots: Int32Array, out: ForecastBatch): void {
    const C = this.#candidates.length;
    const width = out.quantiles.length * out.horizon;
    const batch = new ForecastBatch(slots.length, out.horizon, out.quantiles);
    out.values.fill(0);
    this.#candidates.forEach((candidate, c) => {
      candidate.predict(slots, batch);
      for (let k = 0; k < slots.length; k++) {
        const row = this.#rows.row[slots[k]!]!;
        for (let r = 0; r < R; r++) {
          const w = this.#weights[(row * R + r) * C + c]!;
          if (w < 0.01) continue;
          const from = (k * R + r) * width;
          for (let j = 0; j < width; j++) out.values[from + j]! += w * batch.values[from + j]!;
        }
      }
    });
    for (let k = 0; k < slots.length * R; k++) {
      const row = this.#rows.row[slots[Math.floor(k / R)]!]!;
      let sum = 0;
      for (let c = 0; c < C; c++) {
        const w = this.#weights[(row * R + (k % R)) * C + c]!;
        if (w >= 0.01) sum += w;
      }
      for (let j = 0; j < width; j++) out.values[k * width + j]! /= sum;
    }
  }
}
