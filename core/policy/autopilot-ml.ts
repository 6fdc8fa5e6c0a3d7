import { z } from 'zod';
import type { Fleet } from '../fleet.ts';
import { isSample } from '../forecast/point-model.ts';
import { exp2 } from '../math.ts';
import { type Frame, grown, R } from '../model.ts';
import { usageGrids } from './grids.ts';
import type { Policy, PolicyContext } from './types.ts';

export const autopilotMlParams = z
  .strictObject({
    halfLivesHours: z
      .array(z.number().positive())
      .min(1)
      .default([6, 24, 96])
      .describe('Decay rates d_m of the models, as half-lives.'),
    margins: z
      .array(z.number().int().nonnegative())
      .min(1)
      .default([0, 2, 4])
      .describe(
        'Safety margins M_m of the models, in buckets; there is a model for each half-life and margin.',
      ),
    overrun: z.number().nonnegative().default(20).describe('Cost w_o of a sample above the limit.'),
    underrun: z.number().nonnegative().default(1).describe('Cost w_u of a sample below the limit.'),
    limitChange: z.number().nonnegative().default(0.2).describe('Cost w_dL of a changed limit.'),
    modelChange: z.number().nonnegative().default(0.2).describe('Cost w_dm of a changed model.'),
    costHalfLifeHours: z
      .number()
      .positive()
      .default(24)
      .describe('Decay d of the costs of models, as a half-life.'),
    bucketRatio: z
      .number()
      .min(1.01)
      .max(2)
      .default(1.05)
      .describe('Width of a bucket relative to the one before; limits are ends of buckets.'),
  })
  .describe(
    'The machine learning recommender of Google Autopilot. Its constants are not published; these are untuned.',
  );

export type AutopilotMlParams = z.infer<typeof autopilotMlParams>;

/** The machine learning recommender of Rzadca et al., Autopilot (EuroSys 2020), Eq. 4-9. */
export function createAutopilotMl(params: AutopilotMlParams, ctx: PolicyContext): Policy {
  return new AutopilotMl(params, ctx);
}

const HOUR = 3_600_000;
/** Weights are scaled down when they have grown by 2^40. */
const MAX_EXPONENT = 40;
/** No bucket, no model yet. */
const NONE = 0xffff;

/**
 * An ensemble of models that each choose the limit which would have cost least, the cheapest of which is followed; it acts
 * once a VM was seen for an hour. o(L) and u(L) of a model are sums over one decayed histogram, kept for each half-life. A
 * tick costs half-lives x buckets in use, each resource; memory is 4 bytes a bucket, resource and half-life: 9 kB a VM.
 */
class AutopilotMl implements Policy {
  readonly name = 'autopilot-ml';
  readonly #params: AutopilotMlParams;
  readonly #fleet: Fleet;
  readonly #grids: ReturnType<typeof usageGrids>;
  readonly #buckets: number;
  readonly #decays: number;
  readonly #models: number;
  readonly #hour: number;
  /** Weight of the newest sample in a decay's sums, and in the costs of models. */
  readonly #rates: readonly number[];
  readonly #costRate: number;
  /** By decay: half-life, ms; time at which a weight is not scaled; by how much weights have grown since. */
  readonly #halfLives: readonly number[];
  readonly #reference: Float64Array;
  readonly #growth: Float64Array;

  /** Slot x R x decay x bucket: decayed share of samples in it. */
  #weights = new Float32Array(0);
  /** Slot x R x decay: their sum, and the model's last limit before its margin, as a bucket. */
  #total = new Float64Array(0);
  #base = new Uint16Array(0);
  /** Slot x R x model: its last limit, as a bucket, and its cost. */
  #limits = new Uint16Array(0);
  #costs = new Float64Array(0);
  /** Slot x R: the model followed, its limit, first and last bucket in use, and samples, at most an hour's. */
  #model = new Uint16Array(0);
  #limit = new Uint16Array(0);
  #low = new Uint16Array(0);
  #high = new Uint16Array(0);
  #seen = new Uint16Array(0);

  constructor(params: AutopilotMlParams, ctx: PolicyContext) {
    this.#params = params;
    this.#fleet = ctx.fleet;
    this.#grids = usageGrids(params.bucketRatio);
    this.#buckets = this.#grids[0]!.count;
    this.#decays = params.halfLivesHours.length;
    this.#models = this.#decays * params.margins.length;
    this.#hour = Math.max(1, Math.ceil(HOUR / ctx.stepMs));
    this.#halfLives = params.halfLivesHours.map((hours) => hours * HOUR);
    this.#rates = this.#halfLives.map((halfLife) => 1 - exp2(-ctx.stepMs / halfLife));
    this.#costRate = 1 - exp2(-ctx.stepMs / (params.costHalfLifeHours * HOUR));
    this.#reference = new Float64Array(this.#decays).fill(Number.NaN);
    this.#growth = new Float64Array(this.#decays);
  }

  grow(capacity: number): void {
    const columns = capacity * R;
    this.#weights = grown(this.#weights, columns * this.#decays * this.#buckets);
    this.#total = grown(this.#total, columns * this.#decays);
    this.#base = grown(this.#base, columns * this.#decays);
    this.#limits = grown(this.#limits, columns * this.#models);
    this.#costs = grown(this.#costs, columns * this.#models);
    this.#model = grown(this.#model, columns);
    this.#limit = grown(this.#limit, columns);
    this.#low = grown(this.#low, columns);
    this.#high = grown(this.#high, columns);
    this.#seen = grown(this.#seen, columns);
  }

  admit(slot: number): void {
    const from = slot * R;
    const to = from + R;
    this.#weights.fill(0, from * this.#decays * this.#buckets, to * this.#decays * this.#buckets);
    this.#total.fill(0, from * this.#decays, to * this.#decays);
    this.#base.fill(NONE, from * this.#decays, to * this.#decays);
    this.#limits.fill(NONE, from * this.#models, to * this.#models);
    this.#costs.fill(0, from * this.#models, to * this.#models);
    this.#model.fill(NONE, from, to);
    this.#limit.fill(NONE, from, to);
    this.#low.fill(this.#buckets - 1, from, to);
    this.#high.fill(0, from, to);
    this.#seen.fill(0, from, to);
  }

  decide(frame: Frame, slots: Int32Array, desired: Float64Array): void {
    for (let d = 0; d < this.#decays; d++) this.#advance(d, frame.at);
    const max = this.#fleet.max;
    for (let k = 0; k < slots.length; k++) {
      for (let r = 0; r < R; r++) {
        const i = slots[k]! * R + r;
        const u = frame.usage[i]!;
        if (!isSample(u) || max[i] === 0) continue;
        const grid = this.#grids[r]!;
        const bucket = grid.find(u);
        if (bucket < this.#low[i]!) this.#low[i] = bucket;
        if (bucket > this.#high[i]!) this.#high[i] = bucket;
        this.#runModels(i, bucket);
        this.#choose(i);
        if (this.#seen[i]! < this.#hour) this.#seen[i]!++;
        if (this.#seen[i] === this.#hour) desired[i] = grid.ends[this.#limit[i]!]!;
      }
    }
  }

  /** Eq. 4-8: each model's limit from its decayed samples, and what its limits have cost. */
  #runModels(i: number, bucket: number): void {
    const { margins, overrun, underrun, limitChange } = this.#params;
    for (let d = 0; d < this.#decays; d++) {
      const column = i * this.#decays + d;
      const weight = this.#rates[d]! * this.#growth[d]!;
      this.#weights[column * this.#buckets + bucket]! += weight;
      this.#total[column]! += weight;
      const base = this.#cheapest(i, d);
      this.#base[column] = base;
      for (let k = 0; k < margins.length; k++) {
        const model = i * this.#models + d * margins.length + k;
        const limit = Math.min(this.#buckets - 1, base + margins[k]!);
        const old = this.#limits[model]!;
        this.#limits[model] = limit;
        if (old === NONE) continue;
        // The sample is held against the limit that was there when it came.
        let cost = bucket > old ? overrun : bucket < old ? underrun : 0;
        if (limit !== old) cost += limitChange;
        this.#costs[model]! += this.#costRate * (cost - this.#costs[model]!);
      }
    }
  }

  /** The bucket whose end, as the limit, has the least w_o o + w_u u + w_dL 1[changed]; the lowest of equals. */
  #cheapest(i: number, d: number): number {
    const { overrun, underrun, limitChange } = this.#params;
    const column = i * this.#decays + d;
    const weights = this.#weights;
    const from = column * this.#buckets;
    const low = this.#low[i]!;
    const previous = this.#base[column]!;
    const total = this.#total[column]!;
    // Sums are not scaled down by growth, so the cost of a change is scaled up.
    const change = limitChange * this.#growth[d]!;
    let above = 0;
    let best = low;
    let least = Number.POSITIVE_INFINITY;
    // From the top down, overruns alone soon cost more than the best limit so far: the rest need not be looked at.
    for (let bucket = this.#high[i]!; bucket >= low && overrun * above <= least; bucket--) {
      const here = weights[from + bucket]!;
      const cost = overrun * above + underrun * (total - above - here) + (bucket === previous ? 0 : change);
      if (cost <= least) {
        least = cost;
        best = bucket;
      }
      above += here;
    }
    return best;
  }

  /** Eq. 9: the cheapest model, a change of model or of limit counted in. */
  #choose(i: number): void {
    const { limitChange, modelChange } = this.#params;
    const current = this.#model[i]!;
    const limit = this.#limit[i]!;
    const from = i * this.#models;
    let best = 0;
    let least = Number.POSITIVE_INFINITY;
    for (let m = 0; m < this.#models; m++) {
      let cost = this.#costs[from + m]!;
      if (m !== current) cost += modelChange;
      if (this.#limits[from + m] !== limit) cost += limitChange;
      if (cost < least) {
        least = cost;
        best = m;
      }
    }
    this.#model[i] = best;
    this.#limit[i] = this.#limits[from + best]!;
  }

  /** Moves the reference of a decay when weights would grow too large; sets how much they have grown. */
  #advance(d: number, at: number): void {
    const halfLife = this.#halfLives[d]!;
    const old = this.#reference[d]!;
    if (!(at - old <= MAX_EXPONENT * halfLife)) {
      this.#reference[d] = at;
      const factor = exp2((old - at) / halfLife);
      for (let i = 0; !Number.isNaN(old) && i < this.#fleet.rows * R; i++) {
        const column = i * this.#decays + d;
        this.#total[column]! *= factor;
        for (let b = column * this.#buckets; b < (column + 1) * this.#buckets; b++)
          this.#weights[b]! *= factor;
      }
    }
    this.#growth[d] = exp2((at - this.#reference[d]!) / halfLife);
  }
}
