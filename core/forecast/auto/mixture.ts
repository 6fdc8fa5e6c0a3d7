import { normalQuantile } from '../../math.ts';
import { grown, R } from '../../model.ts';
import type { Hierarchy } from '../hierarchy.ts';
import { ForecastBatch, type Forecaster } from '../types.ts';
import { REACH, type Standings } from './standings.ts';

/** Levels that candidates are asked for; others lie between. */
const GRID = [0.05, 0.25, 0.5, 0.75, 0.85, 0.9, 0.95, 0.98, 0.99] as const;
const PROBITS = GRID.map(normalQuantile);
/** Candidates with less weight are not asked. */
const LEAST_WEIGHT = 0.01;

/** Fills a batch with what a candidate says of some slots. */
type Ask = (candidate: Forecaster, slots: Int32Array, batch: ForecastBatch) => void;

/** The quantiles of several forecasters averaged by their standings (Vincent's average: level by level). */
export class Mixture {
  /** 1 where a sample was ever seen, slot * R + resource: there someone must have something to say. */
  seen = new Uint8Array(0);
  readonly #candidates: readonly Forecaster[];
  readonly #rows: Hierarchy;
  readonly #standings: Standings;
  #mixed = new Float64Array(0);

  constructor(candidates: readonly Forecaster[], rows: Hierarchy, standings: Standings) {
    this.#candidates = candidates;
    this.#rows = rows;
    this.#standings = standings;
  }

  grow(capacity: number): void {
    this.seen = grown(this.seen, capacity * R);
  }

  clear(slot: number): void {
    this.seen.fill(0, slot * R, slot * R + R);
  }

  /** The levels of the grid that quantiles within REACH of `low`..`high` are read off, and where they lie on the normal scale. */
  levels(low: number, high: number): { places: readonly number[]; levels: readonly number[] } {
    let first = 0;
    while (first + 2 < GRID.length && PROBITS[first + 1]! <= low - REACH) first++;
    let last = GRID.length - 1;
    while (last - 1 > first && PROBITS[last - 1]! >= high + REACH) last--;
    return { places: PROBITS.slice(first, last + 1), levels: GRID.slice(first, last + 1) };
  }

  /**
   * Averages the candidates' forecasts at some levels of the grid laid out as in a batch: valid until the next call. A candidate is
   * asked only about VMs that give it weight. NaN where no candidate has anything to say.
   */
  blend(slots: Int32Array, horizon: number, levels: readonly number[]): Float64Array {
    return this.#blend(slots, horizon, levels, (candidate, asked, batch) => candidate.predict(asked, batch));
  }

  /** The same of the candidates' peaks over a horizon: a batch of one step. */
  blendPeaks(slots: Int32Array, horizon: number, levels: readonly number[]): Float64Array {
    const peaks = new Float64Array(this.seen.length);
    return this.#blend(slots, 1, levels, (candidate, asked, batch) => {
      levels.forEach((level, q) => {
        candidate.peak(asked, horizon, level, peaks);
        for (let k = 0; k < asked.length; k++) {
          for (let r = 0; r < R; r++) batch.values[batch.index(k, r, q, 0)] = peaks[asked[k]! * R + r]!;
        }
      });
    });
  }

  #blend(slots: Int32Array, horizon: number, levels: readonly number[], ask: Ask): Float64Array {
    const C = this.#candidates.length;
    const width = levels.length * horizon;
    if (this.#mixed.length < slots.length * R * width)
      this.#mixed = new Float64Array(slots.length * R * width);
    const mixed = this.#mixed.fill(0, 0, slots.length * R * width);
    const sums = new Float64Array(slots.length * R);
    const weights = this.#standings.weights;
    const places: number[] = [];
    for (let c = 0; c < C; c++) {
      places.length = 0;
      for (let k = 0; k < slots.length; k++) {
        const from = this.#rows.row[slots[k]!]! * R;
        for (let r = 0; r < R; r++) {
          if (weights[(from + r) * C + c]! < LEAST_WEIGHT) continue;
          places.push(k);
          break;
        }
      }
      this.#add(c, slots, places, horizon, levels, ask, sums, false);
    }
    // Who is trusted may know no quantiles yet: then the first who does speaks.
    for (let c = 0; c < C; c++) {
      places.length = 0;
      for (let k = 0; k < slots.length; k++) {
        for (let r = 0; r < R; r++) {
          if (sums[k * R + r]! > 0 || this.seen[slots[k]! * R + r] === 0) continue;
          places.push(k);
          break;
        }
      }
      this.#add(c, slots, places, horizon, levels, ask, sums, true);
    }
    for (let s = 0; s < sums.length; s++) {
      const inverse = 1 / sums[s]!;
      for (let j = s * width; j < (s + 1) * width; j++)
        mixed[j] = sums[s]! > 0 ? mixed[j]! * inverse : Number.NaN;
    }
    return mixed;
  }

  /** Adds what candidate `c` says of the VMs at `places`: by its weights, or where nobody else spoke. */
  #add(
    c: number,
    slots: Int32Array,
    places: readonly number[],
    horizon: number,
    levels: readonly number[],
    ask: Ask,
    sums: Float64Array,
    instead: boolean,
  ): void {
    if (places.length === 0) return;
    const C = this.#candidates.length;
    const width = levels.length * horizon;
    const batch = new ForecastBatch(places.length, horizon, levels);
    ask(
      this.#candidates[c]!,
      Int32Array.from(places, (k) => slots[k]!),
      batch,
    );
    for (let p = 0; p < places.length; p++) {
      const k = places[p]!;
      const row = this.#rows.row[slots[k]!]!;
      for (let r = 0; r < R; r++) {
        const weight = this.#standings.weights[(row * R + r) * C + c]!;
        const w = !instead ? weight : sums[k * R + r] === 0 ? 1 : 0;
        const from = (p * R + r) * width;
        const to = (k * R + r) * width;
        if (w < LEAST_WEIGHT || Number.isNaN(batch.values[from]!)) continue;
        sums[k * R + r]! += w;
        for (let j = 0; j < width; j++) this.#mixed[to + j]! += w * batch.values[from + j]!;
      }
    }
  }
}
