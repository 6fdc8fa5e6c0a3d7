import type { Fleet } from '../../fleet.ts';
import type { Frame } from '../../model.ts';
import { Rng } from '../../rng.ts';
import { type Backend, loadBackend } from '../backend.ts';
import { Documents } from '../documents.ts';
import { GLOBAL, Hierarchy } from '../hierarchy.ts';
import type { ModelDocument, SavedState } from '../model-document.ts';
import type { FailedFit, Training, TrainingHealth } from '../retrained.ts';
import type { Persistent, Stateful } from '../stateful.ts';
import type { ForecastBatch, ForecastContext, Forecaster } from '../types.ts';
import { Features } from './features.ts';
import { Models } from './models.ts';
import { initialWeights, Network } from './network.ts';
import { type LstmParams, lstmHistory, ticksOf, trainedHorizon } from './params.ts';
import { Paths } from './paths.ts';
import { PersonalNetwork } from './personal.ts';
import { Samples } from './samples.ts';
import { Statistics } from './statistics.ts';
import { type FitReport, type TrainingRoom, train } from './training.ts';

/** Failures that are remembered. */
const REMEMBERED = 100;

/**
 * Makes the `lstm` forecaster. Loads TensorFlow.js, which nothing else does.
 * @param onFit is told what became of every training
 * @throws ForesizeError `TENSOR_BACKEND_MISSING`
 */
export async function createLstm(
  params: LstmParams,
  context: ForecastContext,
  onFit: (report: FitReport) => void = () => {},
): Promise<LstmForecaster> {
  return new LstmForecaster(await loadBackend(), params, context, onFit);
}

/**
 * One global network for all VMs and a personal part per (application, user), retrained at intervals on the
 * fleet's own history; see docs/lstm.md. Before the first training it forecasts a fixed blend of plain forecasts. The
 * caller registers it with the fleet.
 */
export class LstmForecaster implements Forecaster, Persistent, Stateful {
  readonly name = 'lstm';
  /** Which tensor backend computes: figures of different ones are not compared. */
  readonly backend: Backend['name'];
  readonly #params: LstmParams;
  readonly #context: ForecastContext;
  readonly #fleet: Fleet;
  readonly #onFit: (report: FitReport) => void;
  readonly #rows: Hierarchy;
  readonly #documents: Documents;
  readonly #statistics: Statistics;
  readonly #samples: Samples;
  readonly #models: Models;
  readonly #paths: Paths;
  readonly #room: TrainingRoom;
  readonly #retrainEvery: number;
  readonly #failures: FailedFit[] = [];
  #fits = 0;
  #failed = 0;
  #training: Generator<number, void, void> | undefined;
  #nextTraining: number | undefined;
  #tick = -1;
  /** Training windows that this tick may still take. */
  #windows = 0;

  constructor(
    { tf, name }: Backend,
    params: LstmParams,
    context: ForecastContext,
    onFit: (report: FitReport) => void,
  ) {
    const { fleet, history, stepMs, epochMs, seed } = context;
    this.backend = name;
    this.#params = params;
    this.#context = context;
    this.#fleet = fleet;
    this.#onFit = onFit;
    this.#rows = new Hierarchy(fleet);
    const shape = { steps: params.window, hidden: params.hidden, horizon: trainedHorizon(params) };
    const statistics = new Statistics(fleet, history, stepMs, shape.horizon);
    const features = new Features(history, statistics, stepMs, epochMs, params.window);
    const network = new Network(tf, shape);
    const personalNetwork = new PersonalNetwork(tf, params.window, params.personal.hidden);
    const untrained = initialWeights(shape, new Rng(seed, 'lstm'));
    const models = new Models(untrained, shape, params.personal.hidden, name, this.#rows, statistics);
    this.#statistics = statistics;
    this.#samples = new Samples(fleet, statistics, seed);
    this.#models = models;
    this.#paths = new Paths(fleet, statistics, features, network, personalNetwork, models);
    this.#retrainEvery = ticksOf(params.retrainEvery, stepMs);
    const wanted = ticksOf(params.trainingWindow, stepMs);
    this.#room = {
      ...{ tf, params, features, network, personalNetwork, models, stepMs, epochMs, seed },
      rows: this.#rows,
      samples: this.#samples,
      window: Math.max(1, wanted + Math.min(0, history.depth - lstmHistory(params, stepMs))),
      report: (fit) => this.#take(fit),
    };
    const identity = { forecaster: this.name, parameters: models.parameters, stepMs, epochMs };
    this.#documents = new Documents(identity, fleet, this.#rows, this);
  }

  get parameters(): string {
    return this.#models.parameters;
  }

  grow(capacity: number): void {
    this.#rows.grow(capacity);
    this.#statistics.grow(capacity);
    this.#paths.grow(capacity);
  }

  admit(slot: number): void {
    this.#rows.admit(slot);
    this.#statistics.admit(slot);
    this.#paths.admit(slot);
    this.#documents.admitted(slot);
  }

  observe({ tick }: Frame): void {
    this.#tick = tick;
    const slots = this.#fleet.slots;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      if (!this.#statistics.due(slot, tick)) continue;
      this.#statistics.refresh(slot, tick);
      this.#samples.add(slot, tick, this.#room.window);
    }
    this.#nextTraining ??= tick + ticksOf(this.#params.firstTrainAfter, this.#context.stepMs);
    if (!this.#training && tick >= this.#nextTraining) {
      this.#nextTraining = tick + this.#retrainEvery;
      this.#training = train(this.#room, tick);
    }
    // What the last step of a tick took too much is paid back in the next.
    const allowance = this.#params.stepsPerTick * this.#params.batch;
    this.#windows = Math.min(allowance, this.#windows + allowance);
    while (this.#training && this.#windows > 0) {
      const step = this.#training.next();
      if (step.done) this.#training = undefined;
      else this.#windows -= step.value;
    }
    this.#paths.advance(tick);
  }

  peak(slots: Int32Array, horizon: number, quantile: number, out: Float64Array): void {
    this.#paths.peak(slots, horizon, quantile, out);
  }

  predict(slots: Int32Array, out: ForecastBatch): void {
    this.#paths.predict(slots, out);
  }

  /** The global model, and for each (application, user) its personal part and the slow statistics of its VMs. */
  models(): ModelDocument[] {
    return this.#documents.write(this.#tick);
  }

  /**
   * Takes a document back, in any order and before or after the VMs it knows are admitted. A personal part serves once
   * the global model it was trained on is there.
   * @throws ForesizeError MODEL_CORRUPT, MODEL_FOREIGN; what is refused is trained again at the next tick that can
   */
  load(document: unknown): void {
    try {
      this.#documents.read(document);
    } catch (error) {
      this.#nextTraining = this.#tick + 1;
      throw error;
    } finally {
      this.#paths.advance(this.#tick);
    }
  }

  health(): TrainingHealth {
    return {
      fits: this.#fits,
      failures: this.#failed,
      waiting: this.#training ? 1 : 0,
      recent: [...this.#failures],
      refused: this.#documents.refused,
    };
  }

  trainingOf(row: number): Training | undefined {
    return this.#models.trainingOf(row);
  }

  saveRow(row: number): SavedState {
    return this.#models.saveRow(row);
  }

  loadRow(row: number, saved: SavedState, tick: number): void {
    this.#models.loadRow(row, saved);
    if (row === GLOBAL && this.#models.global) {
      this.#nextTraining = Math.max(this.#tick, tick) + this.#retrainEvery;
    }
  }

  saveSlot(slot: number): SavedState {
    return this.#models.saveSlot(slot);
  }

  loadSlot(slot: number, saved: SavedState): void {
    this.#models.loadSlot(slot, saved);
  }

  #take(fit: FitReport): void {
    const { outcome, tick, reason, applicationId, userId } = fit;
    if (outcome === 'accepted') this.#fits++;
    // Too little history: an hour later there is more.
    if (outcome === 'waiting') this.#nextTraining = tick + this.#statistics.every;
    // A personal part that is not worth it is no failure, a global model that went astray is.
    if (outcome === 'failed' || (outcome === 'kept' && applicationId === undefined)) {
      this.#failed++;
      if (this.#failures.length === REMEMBERED) this.#failures.shift();
      const key = applicationId === undefined || userId === undefined ? {} : { applicationId, userId };
      this.#failures.push({ ...key, tick, reason });
    }
    this.#onFit(fit);
  }
}
