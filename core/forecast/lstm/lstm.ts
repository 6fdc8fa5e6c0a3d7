import type { Problem } from '../../errors.ts';
import type { Fleet } from '../../fleet.ts';
import type { Frame } from '../../model.ts';
import { Rng } from '../../rng.ts';
import { type Backend, loadBackend } from '../backend.ts';
import type { ForecastBatch, ForecastContext, Forecaster } from '../types.ts';
import { Features } from './features.ts';
import type { Workshop } from './fit.ts';
import { type ModelFile, Models } from './models.ts';
import { initialWeights, Network } from './network.ts';
import { type LstmParams, lstmHistory, ticksOf } from './params.ts';
import { Paths } from './paths.ts';
import { PersonalNetwork } from './personal.ts';
import { Samples } from './samples.ts';
import { Statistics } from './statistics.ts';
import { type FitReport, train } from './training.ts';

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
 * fleet's own history; see docs/lstm.md. Before the first training it forecasts the last value with the residual
 * quantiles of the last day. The caller registers it with the fleet.
 */
export class LstmForecaster implements Forecaster {
  readonly name = 'lstm';
  /** Which tensor backend computes: figures of different ones are not compared. */
  readonly backend: Backend['name'];
  readonly #params: LstmParams;
  readonly #context: ForecastContext;
  readonly #fleet: Fleet;
  readonly #onFit: (report: FitReport) => void;
  readonly #statistics: Statistics;
  readonly #samples: Samples;
  readonly #shop: Workshop;
  readonly #personalNetwork: PersonalNetwork;
  readonly #models: Models;
  readonly #paths: Paths;
  readonly #retrainEvery: number;
  readonly #trainingWindow: number;
  #training: Generator<void, void, void> | undefined;
  #nextTraining: number | undefined;

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
    const shape = { steps: params.window, hidden: params.hidden, horizon: params.horizon };
    const statistics = new Statistics(fleet, history, stepMs, params.horizon);
    const features = new Features(history, statistics, stepMs, epochMs, params.window);
    const network = new Network(tf, shape);
    const untrained = initialWeights(shape, new Rng(seed, 'lstm'));
    this.#statistics = statistics;
    this.#samples = new Samples(fleet, statistics, seed);
    this.#shop = { tf, params, features, samples: this.#samples, network };
    this.#personalNetwork = new PersonalNetwork(tf, params.window, params.personal.hidden);
    this.#models = new Models(untrained, shape, params.personal.hidden, name, fleet, statistics);
    this.#paths = new Paths(fleet, statistics, features, network, this.#personalNetwork, this.#models);
    this.#retrainEvery = ticksOf(params.retrainEvery, stepMs);
    const wanted = ticksOf(params.trainingWindow, stepMs);
    this.#trainingWindow = Math.max(1, wanted + Math.min(0, history.depth - lstmHistory(params, stepMs)));
  }

  grow(capacity: number): void {
    this.#statistics.grow(capacity);
    this.#paths.grow(capacity);
  }

  admit(slot: number): void {
    this.#statistics.admit(slot);
    this.#paths.admit(slot);
  }

  observe({ tick }: Frame): void {
    const slots = this.#fleet.slots;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      if (!this.#statistics.due(slot, tick)) continue;
      this.#statistics.refresh(slot, tick);
      this.#samples.add(slot, tick, this.#trainingWindow);
    }
    this.#nextTraining ??= tick + ticksOf(this.#params.firstTrainAfter, this.#context.stepMs);
    if (!this.#training && tick >= this.#nextTraining) {
      this.#nextTraining = tick + this.#retrainEvery;
      this.#training = this.#train(tick);
    }
    for (let step = 0; this.#training && step < this.#params.stepsPerTick; step++) {
      if (this.#training.next().done) this.#training = undefined;
    }
    this.#paths.advance(tick);
  }

  peak(slots: Int32Array, horizon: number, quantile: number, out: Float64Array): void {
    this.#paths.peak(slots, horizon, quantile, out);
  }

  predict(slots: Int32Array, out: ForecastBatch): void {
    this.#paths.predict(slots, out);
  }

  /** The global model as text for `restore`, or undefined while there is none. */
  saveGlobal(): string | undefined {
    return this.#models.saveGlobal();
  }

  /**
   * What the pair has of its own, as text for `restore`: its personal part, if it has one, and the slow statistics
   * of its VMs. Undefined while the pair is unknown or there is no global model.
   */
  savePersonal(applicationId: string, userId: string): string | undefined {
    return this.#models.savePersonal(applicationId, userId);
  }

  /**
   * Takes models back, the global one first, then those of pairs whose VMs have been admitted. What is corrupt,
   * foreign or made for another global model is refused and returned as problems (`LSTM_MODEL_CORRUPT`,
   * `LSTM_MODEL_FOREIGN`); the forecaster goes on with what it has and trains at the next tick.
   */
  restore(files: readonly ModelFile[]): Problem[] {
    const problems = this.#models.restore(files);
    const { head } = this.#context.history;
    if (problems.length > 0) this.#nextTraining = head + 1;
    else if (files.length > 0) this.#nextTraining = head + 1 + this.#retrainEvery;
    this.#paths.advance(head);
    return problems;
  }

  #train(tick: number): Generator<void, void, void> {
    const { stepMs, epochMs, seed } = this.#context;
    const times = { stepMs, epochMs, window: this.#trainingWindow };
    return train(
      this.#shop,
      this.#personalNetwork,
      this.#models,
      this.#fleet,
      times,
      tick,
      seed,
      this.#onFit,
    );
  }
}
