import { ForesizeError, type Problem } from '../../errors.ts';
import { type Fleet, pairKey } from '../../fleet.ts';
import { R } from '../../model.ts';
import { CANDIDATES, contextWidth, INPUTS } from './batch.ts';
import { globalShapes, type NetworkShape, type Weights } from './network.ts';
import { personalShapes } from './personal.ts';
import { decodeModel, encodeModel, identityOf, type ModelHeader, refusal } from './snapshot.ts';
import { QUANTILES, STAT, type Statistics } from './statistics.ts';

/** A trained model that serves. */
export interface Model {
  readonly weights: Weights;
  /** Counts accepted trainings. */
  readonly version: number;
  /** Training window, ms since the Unix epoch. */
  readonly window: { readonly from: number; readonly to: number };
  /** Held-back pinball loss, and that of what it replaced; NaN where nothing was held back. */
  readonly loss: number;
  readonly lossBefore: number;
}

/** A file's text and its name, for errors. */
export interface ModelFile {
  readonly where: string;
  readonly text: string;
}

/** The global model and the personal part of each pair, and how they are written and read back. */
export class Models {
  global: Model | undefined;
  /** By the fleet's index of the pair; a pair without one forecasts by the global model alone. */
  readonly personal = new Map<number, Model>();
  readonly #untrained: Weights;
  readonly #shape: NetworkShape;
  readonly #personalHidden: number;
  readonly #backend: string;
  readonly #fleet: Fleet;
  readonly #statistics: Statistics;

  constructor(
    untrained: Weights,
    shape: NetworkShape,
    personalHidden: number,
    backend: string,
    fleet: Fleet,
    statistics: Statistics,
  ) {
    this.#untrained = untrained;
    this.#shape = shape;
    this.#personalHidden = personalHidden;
    this.#backend = backend;
    this.#fleet = fleet;
    this.#statistics = statistics;
  }

  get weights(): Weights {
    return this.global?.weights ?? this.#untrained;
  }

  saveGlobal(): string | undefined {
    if (!this.global) return undefined;
    return encodeModel({
      header: this.#header('global', this.global),
      weights: this.global.weights,
      vms: {},
    });
  }

  savePersonal(applicationId: string, userId: string): string | undefined {
    const pair = this.#fleet.pairs.find(pairKey(applicationId, userId));
    if (pair === undefined || !this.global) return undefined;
    const model = this.personal.get(pair);
    const header = {
      ...this.#header('personal', model ?? this.global),
      applicationId,
      userId,
      global: identityOf(this.global.weights),
    };
    const vms: Record<string, { refreshes: number; rows: Float32Array }> = {};
    const width = R * STAT.width;
    for (const slot of this.#fleet.slots) {
      if (this.#fleet.pair[slot] !== pair) continue;
      vms[this.#fleet.specs[slot]!.vmId] = {
        refreshes: this.#statistics.refreshes[slot]!,
        rows: this.#statistics.rows.slice(slot * width, (slot + 1) * width),
      };
    }
    return encodeModel({ header, weights: model?.weights ?? {}, vms });
  }

  /** Takes back what is whole and fits; returns what was refused. */
  restore(files: readonly ModelFile[]): Problem[] {
    const problems: Problem[] = [];
    for (const { where, text } of files) {
      try {
        this.#install(text, where);
      } catch (error) {
        if (!(error instanceof ForesizeError)) throw error;
        problems.push(...error.problems);
      }
    }
    return problems;
  }

  #install(text: string, where: string): void {
    const { header, weights, vms } = decodeModel(text, this.#sizes(), (h) => this.#shapes(h), where);
    const { version, window } = header;
    const model = {
      weights,
      version,
      window,
      loss: header.loss ?? Number.NaN,
      lossBefore: header.lossBefore ?? Number.NaN,
    };
    if (header.part === 'global') {
      this.global = model;
      this.personal.clear();
      return;
    }
    if (header.global !== (this.global && identityOf(this.global.weights))) {
      throw refusal('LSTM_MODEL_FOREIGN', 'the personal model belongs to another global model', where);
    }
    const pair = this.#fleet.pairs.index(pairKey(header.applicationId!, header.userId!));
    if (Object.keys(weights).length > 0) this.personal.set(pair, model);
    for (const [vmId, { refreshes, rows }] of Object.entries(vms)) {
      const slot = this.#fleet.slotOf(vmId);
      if (slot === undefined || rows.length !== R * STAT.width) continue;
      this.#statistics.rows.set(rows, slot * rows.length);
      this.#statistics.refreshes[slot] = refreshes;
    }
  }

  #shapes(header: ModelHeader): ReturnType<typeof globalShapes> {
    return header.part === 'global' ? globalShapes(this.#shape) : personalShapes(1, this.#personalHidden);
  }

  #header(part: 'global' | 'personal', model: Model): ModelHeader {
    return {
      format: 'foresize-lstm',
      formatVersion: 1,
      part,
      version: model.version,
      backend: this.#backend,
      window: model.window,
      loss: Number.isNaN(model.loss) ? null : model.loss,
      lossBefore: Number.isNaN(model.lossBefore) ? null : model.lossBefore,
      sizes: this.#sizes(),
    };
  }

  /** All that fixes what a weight means. */
  #sizes(): Record<string, number> {
    const { steps, hidden, horizon } = this.#shape;
    return {
      window: steps,
      hidden,
      horizon,
      personalHidden: this.#personalHidden,
      inputs: INPUTS,
      context: contextWidth(horizon),
      candidates: CANDIDATES,
      quantiles: QUANTILES.length,
    };
  }
}
