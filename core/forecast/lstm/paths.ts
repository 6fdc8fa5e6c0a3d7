import type { Fleet } from '../../fleet.ts';
import { log } from '../../math.ts';
import { grown, R } from '../../model.ts';
import type { ForecastBatch } from '../types.ts';
import { Batch } from './batch.ts';
import type { Features } from './features.ts';
import type { Models } from './models.ts';
import type { Network, Weights } from './network.ts';
import { type PersonalNetwork, personalShapes, stack } from './personal.ts';
import { addPersonal } from './personal-head.ts';
import { INPUTS, QUANTILES } from './sizes.ts';
import { STAT, type Statistics } from './statistics.ts';

const Q = QUANTILES.length;
/** Windows forecast in one pass; a small fleet takes one no larger than it needs. */
const TOGETHER = 64;

/**
 * The quantile paths of the whole fleet at one tick, made when first asked for and kept until the next. What is
 * read from them is finite, not negative and ascending in the quantile.
 */
export class Paths {
  readonly #fleet: Fleet;
  readonly #statistics: Statistics;
  readonly #features: Features;
  readonly #network: Network;
  readonly #personalNetwork: PersonalNetwork;
  readonly #models: Models;
  readonly #horizon: number;
  readonly #steps: number;
  #batch: Batch | undefined;
  #stacked: { readonly parts: readonly Weights[]; readonly all: Weights } | undefined;
  /** slot x R x quantile x step, in the resource's unit; NaN where nothing was ever seen. */
  #values = new Float64Array(0);
  #tick = -1;
  #made = -1;

  constructor(
    fleet: Fleet,
    statistics: Statistics,
    features: Features,
    network: Network,
    personalNetwork: PersonalNetwork,
    models: Models,
  ) {
    this.#fleet = fleet;
    this.#statistics = statistics;
    this.#features = features;
    this.#network = network;
    this.#personalNetwork = personalNetwork;
    this.#models = models;
    this.#horizon = network.shape.horizon;
    this.#steps = network.shape.steps;
  }

  grow(capacity: number): void {
    this.#values = grown(this.#values, capacity * R * Q * this.#horizon);
  }

  admit(slot: number): void {
    const width = R * Q * this.#horizon;
    this.#values.fill(Number.NaN, slot * width, (slot + 1) * width);
  }

  /** A new tick was observed: what was made is old. */
  advance(tick: number): void {
    this.#tick = tick;
    this.#made = -1;
  }

  peak(slots: Int32Array, horizon: number, quantile: number, out: Float64Array): void {
    this.#make();
    const { low, share, tail } = locate(quantile);
    const steps = Math.min(horizon, this.#horizon);
    for (let i = 0; i < slots.length; i++) {
      for (let r = 0; r < R; r++) {
        const row = slots[i]! * R + r;
        let most = Number.NaN;
        for (let h = 0; h < steps; h++) {
          const value = this.#read(row, low, share, tail, h);
          if (!(value <= most)) most = value;
        }
        out[row] = most;
      }
    }
  }

  predict(slots: Int32Array, out: ForecastBatch): void {
    this.#make();
    for (const [q, quantile] of out.quantiles.entries()) {
      const { low, share, tail } = locate(quantile);
      for (let i = 0; i < slots.length; i++) {
        for (let r = 0; r < R; r++) {
          const to = out.index(i, r, q, 0);
          for (let h = 0; h < out.horizon; h++) {
            const step = Math.min(h, this.#horizon - 1);
            out.values[to + h] = this.#read(slots[i]! * R + r, low, share, tail, step);
          }
        }
      }
    }
  }

  /** value(low) + share x (value(low + 1) - value(low)), or beyond the ends by `tail` more of the last gap. */
  #read(row: number, low: number, share: number, tail: number, h: number): number {
    const at = (row * Q + low) * this.#horizon + h;
    const a = this.#values[at]!;
    const b = this.#values[at + this.#horizon]!;
    if (tail === 0) return a + share * (b - a);
    return tail > 0 ? b + tail * (b - a) : Math.max(0, a + tail * (b - a));
  }

  #make(): void {
    if (this.#made === this.#tick) return;
    const slots = this.#fleet.slots;
    for (let from = 0; from < slots.length; from += TOGETHER) {
      this.#makeChunk(slots.subarray(from, from + TOGETHER));
    }
    this.#made = this.#tick;
  }

  #makeChunk(slots: Int32Array): void {
    const size = Math.min(TOGETHER, Math.ceil(slots.length / 4) * 4);
    if (!this.#batch || this.#batch.size < size) this.#batch = new Batch(size, this.#network.shape);
    const batch = this.#batch;
    for (let b = 0; b < slots.length; b++) {
      const slot = slots[b]!;
      this.#features.fill(batch, b, slot, this.#tick, this.#statistics.rows, slot * R * STAT.width);
    }
    this.#network.forecast(batch, this.#models.weights);
    this.#addPersonal(batch, slots);
    for (let b = 0; b < slots.length; b++) {
      for (let r = 0; r < R; r++) this.#finish(batch, r * batch.size + b, slots[b]! * R + r);
    }
  }

  /** Runs the personal models of the slots whose pair has one: as many groups, of one window each. */
  #addPersonal(batch: Batch, slots: Int32Array): void {
    const windows: number[] = [];
    const weights: Weights[] = [];
    for (let b = 0; b < slots.length; b++) {
      const model = this.#models.personal(this.#models.rowOf(slots[b]!));
      if (!model) continue;
      windows.push(b);
      weights.push(model.weights);
    }
    const groups = windows.length;
    if (groups === 0) return;
    const x = new Float32Array(this.#steps * groups * INPUTS);
    for (let step = 0; step < this.#steps; step++) {
      for (const [g, b] of windows.entries()) {
        const from = (step * batch.size + b) * INPUTS;
        x.set(batch.x.subarray(from, from + INPUTS), (step * groups + g) * INPUTS);
      }
    }
    const outputs = this.#personalNetwork.forecast(groups, 1, x, this.#stack(weights));
    addPersonal(batch, this.#horizon, windows, outputs, batch.paths);
  }

  /** Models change once a day, and a fleet of one chunk asks for the same ones until then. */
  #stack(parts: readonly Weights[]): Weights {
    const before = this.#stacked;
    if (
      before &&
      before.parts.length === parts.length &&
      before.parts.every((part, g) => part === parts[g])
    ) {
      return before.all;
    }
    const all = stack(parts, personalShapes(parts.length, this.#personalNetwork.hidden));
    this.#stacked = { parts, all };
    return all;
  }

  /** Row k of the batch in the resource's unit, clipped at 0 and sorted (Chernozhukov et al. 2010). */
  #finish(batch: Batch, k: number, row: number): void {
    const horizon = this.#horizon;
    const values = this.#values;
    const scale = batch.scale[k]!;
    const last = batch.last[k]!;
    for (let h = 0; h < horizon; h++) {
      for (let q = 0; q < Q; q++) {
        let value = Number.NaN;
        if (scale > 0) {
          value = last + scale * batch.paths[(k * Q + q) * horizon + h]!;
          // Only an overflow gets here: 32-bit floats end at 3e38.
          value = Math.max(0, Number.isFinite(value) ? value : Math.min(last, Number.MAX_VALUE));
        }
        // Insertion sort: seven numbers that are nearly in order.
        let at = (row * Q + q) * horizon + h;
        for (let p = q; p > 0 && values[at - horizon]! > value; p--, at -= horizon) {
          values[at] = values[at - horizon]!;
        }
        values[at] = value;
      }
    }
  }
}

/**
 * Where a quantile lies among those trained: between `low` and the next, linearly; beyond the last as if the tail
 * were exponential, by the gap of the last two, and before the first by the mirror image of that.
 */
function locate(quantile: number): { low: number; share: number; tail: number } {
  const [first, second] = [QUANTILES[0]!, QUANTILES[1]!];
  const [last, before] = [QUANTILES[Q - 1]!, QUANTILES[Q - 2]!];
  if (quantile > last) {
    return { low: Q - 2, share: 0, tail: log((1 - last) / (1 - quantile)) / log((1 - before) / (1 - last)) };
  }
  if (quantile < first) return { low: 0, share: 0, tail: -log(first / quantile) / log(second / first) };
  let low = 0;
  while (low < Q - 2 && quantile >= QUANTILES[low + 1]!) low++;
  return { low, share: (quantile - QUANTILES[low]!) / (QUANTILES[low + 1]! - QUANTILES[low]!), tail: 0 };
}
