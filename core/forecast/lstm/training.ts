import type { Fleet } from '../../fleet.ts';
import { Rng } from '../../rng.ts';
import { type FitResult, fitGlobal, type Workshop } from './fit.ts';
import type { Model, Models } from './models.ts';
import type { Weights } from './network.ts';
import { fitPersonal, type Pair, PERSONAL_LEAST, type PersonalNetwork } from './personal.ts';

/** Fewest moments to train on: less says too little of anything. */
const LEAST_MOMENTS = 64;

/** What became of a training. */
export interface FitReport {
  readonly part: 'global' | 'personal';
  /** The pair's key, for a personal part. */
  readonly pair?: string;
  /** Tick at which it began. */
  readonly tick: number;
  /** `kept`: no better on held-back history, so the last good model stays; `failed`: likewise, after an error. */
  readonly outcome: 'accepted' | 'kept' | 'failed';
  /** Version of the model that serves now; 0 while there is none. */
  readonly version: number;
  readonly steps: number;
  /** Held-back pinball loss, quantiles summed, of the new and of what it is to replace; NaN where there is none. */
  readonly loss: number;
  readonly lossBefore: number;
  readonly reason: string;
}

export interface TrainingTimes {
  readonly stepMs: number;
  readonly epochMs: number;
  /** Ticks that training looks back. */
  readonly window: number;
}

/**
 * One training, a gradient step a `next()`: the global network from the last good weights, then the personal parts
 * on top of the outcome. The models that serve change only when a part has proved no worse on held-back history.
 */
export function* train(
  shop: Workshop,
  personalNetwork: PersonalNetwork,
  models: Models,
  fleet: Fleet,
  times: TrainingTimes,
  tick: number,
  seed: number,
  report: (fit: FitReport) => void,
): Generator<void, void, void> {
  const { params, samples } = shop;
  const oldest = tick - times.window;
  const newest = tick - params.horizon - samples.every + 1;
  const training = samples.select(oldest, newest, false);
  const heldBack = samples.select(oldest, newest, true);
  const window = {
    from: times.epochMs + Math.max(0, oldest) * times.stepMs,
    to: times.epochMs + tick * times.stepMs,
  };
  const first = !models.global;
  const tell = (fit: Omit<FitReport, 'tick' | 'version'>, version: number) =>
    report({ ...fit, tick, version });
  const none = { steps: 0, loss: Number.NaN, lossBefore: Number.NaN };
  if (training.length < LEAST_MOMENTS) {
    const reason = `only ${training.length} moments to learn from, ${LEAST_MOMENTS} are needed`;
    tell({ part: 'global', outcome: 'kept', ...none, reason }, models.global?.version ?? 0);
    return;
  }

  let fit: FitResult;
  try {
    const steps = first ? params.firstSteps : params.steps;
    fit = yield* fitGlobal(shop, training, heldBack, models.weights, steps, new Rng(seed, 'fit', tick));
  } catch (error) {
    const outcome = 'failed';
    tell({ part: 'global', outcome, ...none, reason: String(error) }, models.global?.version ?? 0);
    return;
  }
  const verdict = judge(fit, models.weights);
  if (verdict.outcome === 'accepted') {
    const version = (models.global?.version ?? 0) + 1;
    models.global = { weights: fit.weights, version, window, loss: fit.loss, lossBefore: fit.lossBefore };
  }
  const { steps, loss, lossBefore } = fit;
  tell({ part: 'global', ...verdict, steps, loss, lossBefore }, models.global?.version ?? 0);

  if (params.personal.steps === 0) return;
  const pairs = pairsOf(fleet, samples, training, heldBack, models);
  for (let from = 0; from < pairs.length; from += params.personal.groups) {
    const together = pairs.slice(from, from + params.personal.groups);
    const outcomes = yield* trainPersonal(shop, personalNetwork, together, models, window, seed, tick);
    for (const outcome of outcomes) report(outcome);
  }
}

/** Whether a fit may serve: its weights are numbers and it did no worse on what it had not seen. */
function judge(fit: FitResult, before: Weights): { outcome: 'accepted' | 'kept' | 'failed'; reason: string } {
  const finite = Object.values(fit.weights).every((values) => values.every(Number.isFinite));
  if (!finite || !Number.isFinite(fit.trainingLoss)) {
    return { outcome: 'failed', reason: 'the fit diverged: its loss or weights are no numbers' };
  }
  if (fit.weights === before) {
    return { outcome: 'kept', reason: 'no gain on held-back history; the last good model stays' };
  }
  return { outcome: 'accepted', reason: `trained in ${fit.steps} steps` };
}

type NumberedPair = Pair & { readonly index: number };

/** The pairs with enough moments, each with its own. */
function pairsOf(
  fleet: Fleet,
  samples: Workshop['samples'],
  training: Int32Array,
  heldBack: Int32Array,
  models: Models,
): NumberedPair[] {
  const split = (moments: Int32Array) => {
    const byPair = new Map<number, number[]>();
    for (const i of moments) {
      const pair = fleet.pair[samples.slot(i)]!;
      const list = byPair.get(pair);
      if (list) list.push(i);
      else byPair.set(pair, [i]);
    }
    return byPair;
  };
  const judged = split(heldBack);
  return [...split(training)]
    .filter(
      ([pair, list]) =>
        list.length >= PERSONAL_LEAST.training && (judged.get(pair)?.length ?? 0) >= PERSONAL_LEAST.heldBack,
    )
    .sort(([a], [b]) => a - b)
    .map(([pair, list]) => ({
      index: pair,
      name: fleet.pairs.list[pair]!,
      training: Int32Array.from(list),
      heldBack: Int32Array.from(judged.get(pair)!),
      start: models.personal.get(pair)?.weights,
    }));
}

function* trainPersonal(
  shop: Workshop,
  network: PersonalNetwork,
  pairs: readonly NumberedPair[],
  models: Models,
  window: Model['window'],
  seed: number,
  tick: number,
): Generator<void, FitReport[], void> {
  const { steps } = shop.params.personal;
  const results = yield* fitPersonal(shop, network, pairs, models.weights, seed + tick);
  return results.map(({ weights, loss, globalLoss }, g): FitReport => {
    const { index, name: pair } = pairs[g]!;
    const version = (models.personal.get(index)?.version ?? 0) + 1;
    const common = { part: 'personal', pair, tick, steps, loss, lossBefore: globalLoss } as const;
    if (!weights) {
      models.personal.delete(index);
      const reason = 'the global model alone does as well on held-back history';
      return { ...common, outcome: 'kept', version: 0, reason };
    }
    models.personal.set(index, { weights, version, window, loss, lossBefore: globalLoss });
    return { ...common, outcome: 'accepted', version, reason: 'better than the global model alone' };
  });
}
