import { z } from 'zod';
import { R } from '../../model.ts';
import { hashString } from '../../rng.ts';
import { decodeFloats, encodeFloats } from '../float-codec.ts';
import { GLOBAL, type Hierarchy } from '../hierarchy.ts';
import type { SavedState } from '../model-document.ts';
import type { Training } from '../retrained.ts';
import { globalShapes, type Shapes, type Weights } from './network.ts';
import { personalShapes } from './personal.ts';
import {
  CANDIDATES,
  contextWidth,
  count,
  INPUTS,
  type NetworkShape,
  outputWidth,
  QUANTILES,
} from './sizes.ts';
import { STAT, type Statistics } from './statistics.ts';

/** A trained model: the global one, or a pair's personal part. */
export interface Model {
  readonly weights: Weights;
  /** Identity of the global weights: a personal part serves only on top of those it was trained on. */
  readonly base: string;
  /** Counts accepted trainings. */
  readonly version: number;
  /** Tick of the training, the ends of its window in ms since the Unix epoch, and moments it drew from. */
  readonly tick: number;
  readonly from: number;
  readonly to: number;
  readonly samples: number;
  /** Held-back pinball loss, and that of what it replaced; NaN where nothing was held back. */
  readonly loss: number;
  readonly lossBefore: number;
}

const savedModel = z.strictObject({
  version: z.int().min(1),
  backend: z.string(),
  base: z.string(),
  tick: z.int(),
  from: z.number(),
  to: z.number(),
  samples: z.int(),
  loss: z.number().nullable(),
  lossBefore: z.number().nullable(),
  weights: z.record(z.string(), z.string()),
});
const savedSlot = z.strictObject({ refreshes: z.int(), statistics: z.string() });

/** The models that serve, and their state as it is written down and put back. */
export class Models {
  /** By row of the hierarchy; `GLOBAL` is the global one. */
  readonly #models = new Map<number, Model>();
  readonly #untrained: Weights;
  readonly #shape: NetworkShape;
  readonly #personalHidden: number;
  readonly #backend: string;
  readonly #rows: Hierarchy;
  readonly #statistics: Statistics;

  constructor(
    untrained: Weights,
    shape: NetworkShape,
    personalHidden: number,
    backend: string,
    rows: Hierarchy,
    statistics: Statistics,
  ) {
    this.#untrained = untrained;
    this.#shape = shape;
    this.#personalHidden = personalHidden;
    this.#backend = backend;
    this.#rows = rows;
    this.#statistics = statistics;
  }

  /** All that fixes what a weight means: a text that differs when two models cannot share weights. */
  get parameters(): string {
    const { steps, hidden, horizon } = this.#shape;
    const sizes = [INPUTS, contextWidth(horizon), outputWidth(horizon), CANDIDATES, STAT.width, ...QUANTILES];
    return JSON.stringify({ window: steps, hidden, horizon, personal: this.#personalHidden, sizes });
  }

  get global(): Model | undefined {
    return this.#models.get(GLOBAL);
  }

  get weights(): Weights {
    return this.global?.weights ?? this.#untrained;
  }

  /** The pair's personal part, if it has one that fits today's global model. */
  personal(row: number): Model | undefined {
    const model = this.#models.get(row);
    return model && model.base === this.global?.base ? model : undefined;
  }

  /** The pair's newest personal part, even of a former global model: where training starts from. */
  latest(row: number): Model | undefined {
    return this.#models.get(row);
  }

  accept(row: number, model: Omit<Model, 'version' | 'base'>): Model {
    const version = (this.#models.get(row)?.version ?? 0) + 1;
    const base = row === GLOBAL ? identityOf(model.weights) : (this.global?.base ?? '');
    const accepted = { ...model, version, base };
    this.#models.set(row, accepted);
    return accepted;
  }

  drop(row: number): void {
    this.#models.delete(row);
  }

  trainingOf(row: number): Training | undefined {
    const model = this.#models.get(row);
    return model && { tick: model.tick, from: model.from, to: model.to, samples: model.samples, loss: {} };
  }

  saveRow(row: number): SavedState {
    const model = this.#models.get(row);
    if (!model) return {};
    return {
      ...model,
      backend: this.#backend,
      loss: Number.isNaN(model.loss) ? null : model.loss,
      lossBefore: Number.isNaN(model.lossBefore) ? null : model.lossBefore,
      weights: Object.fromEntries(Object.entries(model.weights).map(([k, v]) => [k, encodeFloats(v)])),
    };
  }

  loadRow(row: number, saved: SavedState): void {
    if (Object.keys(saved).length === 0) return;
    const { backend: _, weights: texts, loss, lossBefore, ...rest } = savedModel.parse(saved);
    const shapes: Shapes =
      row === GLOBAL ? globalShapes(this.#shape) : personalShapes(1, this.#personalHidden);
    const weights: Record<string, Float32Array> = {};
    for (const [name, shape] of Object.entries(shapes)) {
      const values = Float32Array.from(decodeFloats(texts[name], count(shape)));
      if (!values.every(Number.isFinite)) throw new RangeError(`the weights ${name} are not all numbers`);
      weights[name] = values;
    }
    const losses = { loss: loss ?? Number.NaN, lossBefore: lossBefore ?? Number.NaN };
    this.#models.set(row, { ...rest, ...losses, weights });
  }

  /** The slow statistics of a VM: without them a restart would forecast differently for days. */
  saveSlot(slot: number): SavedState {
    const width = R * STAT.width;
    return {
      refreshes: this.#statistics.refreshes[slot]!,
      statistics: encodeFloats(this.#statistics.rows.subarray(slot * width, (slot + 1) * width)),
    };
  }

  loadSlot(slot: number, saved: SavedState): void {
    const { refreshes, statistics } = savedSlot.parse(saved);
    const width = R * STAT.width;
    this.#statistics.rows.set(decodeFloats(statistics, width), slot * width);
    this.#statistics.refreshes[slot] = refreshes;
  }

  /** Row of the pair of the VM in `slot`. */
  rowOf(slot: number): number {
    return this.#rows.row[slot]!;
  }

  /** The pair's name, for its random stream. */
  nameOf(row: number): string {
    const { applicationId, userId } = this.#rows.keys[row]!;
    return JSON.stringify([applicationId, userId]);
  }
}

function identityOf(weights: Weights): string {
  const text = JSON.stringify(Object.entries(weights).map(([name, values]) => [name, encodeFloats(values)]));
  return (['a', 'b'] as const).map((salt) => hashString(salt + text).toString(16)).join('-');
}
