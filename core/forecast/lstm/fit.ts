import type { Rng } from '../../rng.ts';
import type { Tf } from '../backend.ts';
import { Adam } from './adam.ts';
import { Batch } from './batch.ts';
import type { Features } from './features.ts';
import { globalShapes, type Network, type Weights } from './network.ts';
import type { LstmParams } from './params.ts';
import { pinballByWindow } from './pinball.ts';
import type { Samples } from './samples.ts';

/** Windows on which a model is judged, and the fewest that make a judgement. */
const JUDGED = 256;
const JUDGED_LEAST = 24;
/** Gradient steps between two looks at held-back history. */
const CHECK_EVERY = 20;
/** Newest step's weight in the running mean of the weights (Polyak & Juditsky 1992), once warm. */
export const AVERAGING = 1 / 50;

export interface FitResult {
  readonly weights: Weights;
  /** Gradient steps taken. */
  readonly steps: number;
  /** Mean pinball loss, quantiles summed, in training and on held-back history; NaN where there was none. */
  readonly trainingLoss: number;
  readonly loss: number;
  /** Held-back loss of the weights that the fit started from. */
  readonly lossBefore: number;
}

/** What a fit works with. */
export interface Workshop {
  readonly tf: Tf;
  readonly params: LstmParams;
  readonly features: Features;
  readonly samples: Samples;
  readonly network: Network;
}

/**
 * Trains the global network from `start`, one gradient step at a time: `next()` takes a step and says how
 * many windows it took; the last one returns the result. Adam on random windows; the mean of the weights over the last steps is what is judged and
 * kept, since pinball loss leaves the weights themselves restless. Ends early when held-back history no longer
 * gains. Does not check whether the result is any good: the caller does.
 */
export function* fitGlobal(
  shop: Workshop,
  training: Int32Array,
  heldBack: Int32Array,
  start: Weights,
  steps: number,
  rng: Rng,
): Generator<number, FitResult, void> {
  const { tf, params, network } = shop;
  const batch = new Batch(params.batch, network.shape);
  const judged = drawJudged(shop, heldBack, rng);
  const judge = (weights: Weights): Float64Array => {
    if (!judged) return new Float64Array(0);
    network.forecast(judged, weights);
    return pinballByWindow(judged, network.shape.horizon, judged.paths);
  };

  const before = judge(start);
  let best = { weights: start, losses: before, steps: 0 };
  const adam = new Adam(tf, start, globalShapes(network.shape));
  let trainingLoss = Number.NaN;
  let unimproved = 0;
  let windows = judged?.size ?? 0;
  let step = 0;
  try {
    while (step < steps && unimproved < params.patience) {
      for (let b = 0; b < batch.size; b++) draw(shop, batch, b, training[rng.int(training.length)]!, rng);
      const rate = params.learningRate * (1 - (0.9 * step) / steps);
      step++;
      const share = Math.max(1 / step, AVERAGING);
      const loss = adam.step(() => network.loss(batch, adam.variables), rate, share);
      trainingLoss = step === 1 ? loss : trainingLoss + share * (loss - trainingLoss);
      if (step % CHECK_EVERY === 0 || step === steps) {
        const weights = adam.mean();
        const losses = judge(weights);
        windows += judged?.size ?? 0;
        if (!isWorse(losses, best.losses)) best = { weights, losses, steps: step };
        unimproved = best.steps === step ? 0 : unimproved + 1;
      }
      yield windows + batch.size;
      windows = 0;
    }
  } finally {
    adam.dispose();
  }
  const loss = meanOf(best.losses);
  return { weights: best.weights, steps: step, trainingLoss, loss, lossBefore: meanOf(before) };
}

/**
 * Whether the losses `a` are worse than `b` on the same windows by more than the standard error of their difference:
 * rare bursts make held-back loss so noisy that the lesser mean alone would stop training at random.
 */
export function isWorse(a: Float64Array, b: Float64Array): boolean {
  let n = 0;
  let mean = 0;
  let squares = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! - b[i]!;
    const delta = difference - mean;
    mean += delta / ++n;
    squares += delta * (difference - mean);
  }
  return !(n === 0 || mean <= Math.sqrt(squares / Math.max(1, n - 1) / n));
}

export function meanOf(values: Float64Array): number {
  return values.length > 0 ? values.reduce((sum, value) => sum + value, 0) / values.length : Number.NaN;
}

/** Fills window `b` with moment `i`, at a random tick of its hour. */
export function draw(shop: Workshop, batch: Batch, b: number, i: number, rng: Rng): void {
  const { samples, features } = shop;
  const origin = samples.origin(i, rng);
  features.fill(batch, b, samples.slot(i), origin, samples.rows, samples.rowsAt(i));
  features.fillTarget(batch, b, samples.slot(i), origin);
}

function drawJudged(shop: Workshop, heldBack: Int32Array, rng: Rng): Batch | undefined {
  if (heldBack.length < JUDGED_LEAST) return undefined;
  const size = Math.min(JUDGED, heldBack.length);
  const batch = new Batch(size, shop.network.shape);
  const order = heldBack.slice();
  for (let b = 0; b < size; b++) {
    const other = b + rng.int(order.length - b);
    [order[b], order[other]] = [order[other]!, order[b]!];
    draw(shop, batch, b, order[b]!, rng);
  }
  return batch;
}
