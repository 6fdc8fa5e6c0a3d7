import type { Scalar, Tensor3D } from '@tensorflow/tfjs-core';
import { Rng } from '../../rng.ts';
import type { Tf } from '../backend.ts';
import { Adam } from './adam.ts';
import { Batch } from './batch.ts';
import { AVERAGING, draw, isWorse, meanOf, type Workshop } from './fit.ts';
import { initialLstm, type Shapes, type Variables, type Weights } from './network.ts';
import { addPersonal, PERSONAL_OUTPUTS, personalLoss } from './personal-head.ts';
import { pinballByWindow } from './pinball.ts';
import { Product } from './product.ts';
import { Sequence, type SequenceShape, weightShape } from './sequence.ts';
import { count, INPUTS } from './sizes.ts';

/** Held-back windows of each pair on which its personal part is judged. */
const JUDGED = 48;
const CHECK_EVERY = 10;
/** Batches drawn of each pair, which training then goes through again: drawing costs more than a step. */
const ROUNDS = 8;
/** Fewest moments of a pair to train on, and to judge by. */
export const PERSONAL_LEAST = { training: 48, heldBack: 6 } as const;

/** Weights of `groups` personal models: a small LSTM each, and a head with a row for its bias. */
export function personalShapes(groups: number, hidden: number): Shapes {
  return {
    lstm: weightShape({ groups, inputs: INPUTS, hidden }),
    head: [groups, hidden + 1, PERSONAL_OUTPUTS],
  };
}

/** One pair's moments and the personal part it has. */
export interface Pair {
  readonly name: string;
  readonly training: Int32Array;
  readonly heldBack: Int32Array;
  readonly start: Weights | undefined;
}

export interface PersonalResult {
  /** Undefined where it did not do clearly better on held-back history than the global model alone. */
  readonly weights: Weights | undefined;
  readonly loss: number;
  /** Held-back loss of the global model alone. */
  readonly globalLoss: number;
}

/** Runs the personal models: as many side by side as are asked for, each on its own windows. */
export class PersonalNetwork {
  readonly #tf: Tf;
  readonly #steps: number;
  readonly hidden: number;
  readonly #training = new Sequence();
  readonly #inference = new Sequence();
  readonly #product = new Product();

  constructor(tf: Tf, steps: number, hidden: number) {
    this.#tf = tf;
    this.#steps = steps;
    this.hidden = hidden;
  }

  /** Outputs, group x window x PERSONAL_OUTPUTS, for `x` (step x group x window x INPUTS). */
  forecast(groups: number, batch: number, x: Float32Array, weights: Weights): Float32Array {
    const { hidden } = this;
    const states = this.#inference.infer(this.#shape(groups, batch), x, weights['lstm']!);
    const head = weights['head']!;
    const out = new Float32Array(groups * batch * PERSONAL_OUTPUTS);
    for (let w = 0; w < groups * batch; w++) {
      const own = Math.floor(w / batch) * (hidden + 1) * PERSONAL_OUTPUTS;
      const bias = own + hidden * PERSONAL_OUTPUTS;
      for (let o = 0; o < PERSONAL_OUTPUTS; o++) {
        let sum = head[bias + o]!;
        for (let i = 0; i < hidden; i++)
          sum += states[w * hidden + i]! * head[own + i * PERSONAL_OUTPUTS + o]!;
        out[w * PERSONAL_OUTPUTS + o] = sum;
      }
    }
    return out;
  }

  /** Outputs on the tape, to be differentiated in `variables`. */
  outputs(groups: number, batch: number, x: Float32Array, variables: Variables): Tensor3D {
    const lstm = variables['lstm'] as unknown as Tensor3D;
    const h = this.#training.apply(this.#tf, this.#shape(groups, batch), x, lstm);
    return this.#head(h, variables['head'] as unknown as Tensor3D);
  }

  #head(h: Tensor3D, head: Tensor3D): Tensor3D {
    const tf = this.#tf;
    const ones = tf.ones([h.shape[0], h.shape[1], 1]) as Tensor3D;
    return this.#product.apply(tf, tf.concat([h, ones], 2), head);
  }

  #shape(groups: number, batch: number): SequenceShape {
    return { groups, batch, steps: this.#steps, inputs: INPUTS, hidden: this.hidden };
  }
}

/**
 * Trains the personal models of many pairs together: one graph with a group of weights each, so the cost of a call
 * is shared by all. They learn what the frozen global model leaves; a new one adds nothing, its head is 0, and the
 * ridge draws it there. Steps like `fitGlobal`; returns a result a pair.
 */
export function* fitPersonal(
  shop: Workshop,
  network: PersonalNetwork,
  pairs: readonly Pair[],
  global: Weights,
  seed: number,
): Generator<number, PersonalResult[], void> {
  const { tf, params } = shop;
  const { hidden, batch: size, steps, learningRate, ridge } = params.personal;
  const { horizon } = shop.network.shape;
  const groups = pairs.length;
  const shapes = personalShapes(groups, hidden);
  const rngs = pairs.map((pair) => new Rng(seed, 'personal', pair.name));
  const start = stack(
    pairs.map((pair, g) => pair.start ?? initialPersonal(rngs[g]!, hidden)),
    shapes,
  );
  const judged = drawAll(
    shop,
    new Batch(groups * JUDGED, shop.network.shape),
    pairs.map((pair) => pair.heldBack),
    rngs,
    global,
  );
  const judge = (weights: Weights | undefined): Float64Array[] => {
    const paths = judged.paths.slice();
    if (weights) {
      const outputs = network.forecast(groups, JUDGED, judged.x, weights);
      addPersonal(judged, horizon, undefined, outputs, paths);
    }
    const losses = pinballByWindow(judged, horizon, paths);
    return pairs.map((_, g) => losses.subarray(g * JUDGED, (g + 1) * JUDGED));
  };

  let taken = judged.size;
  const globalLosses = judge(undefined);
  const best = judge(start).map((losses, g) => ({ losses, weights: part(start, g, groups) }));
  const adam = new Adam(tf, start, shapes);
  const batch = new Batch(groups * size, shop.network.shape);
  const predicted = new Float32Array(batch.paths.length);
  const rounds: Drawn[] = [];
  const loss = (windows: Drawn): Scalar => {
    const outputs = network.outputs(groups, size, windows.x, adam.variables);
    const pinballLoss = personalLoss(tf, windows, horizon, windows.paths, outputs, predicted);
    const head = adam.variables['head'] as unknown as Tensor3D;
    const penalty = tf.mul(ridge, tf.sum(tf.mul(head, head)));
    return tf.add(tf.mul(groups, pinballLoss), penalty) as Scalar;
  };
  try {
    for (let step = 1; step <= steps; step++) {
      if (step <= ROUNDS) {
        const moments = pairs.map((pair) => pair.training);
        rounds.push(copyOf(drawAll(shop, batch, moments, rngs, global)));
      }
      const windows = rounds[(step - 1) % ROUNDS]!;
      const rate = learningRate * (1 - (0.9 * (step - 1)) / steps);
      adam.step(() => loss(windows), rate, Math.max(1 / step, AVERAGING));
      if (step % CHECK_EVERY === 0 || step === steps) {
        const mean = adam.mean();
        taken += judged.size;
        for (const [g, losses] of judge(mean).entries()) {
          if (meanOf(losses) < meanOf(best[g]!.losses)) best[g] = { losses, weights: part(mean, g, groups) };
        }
      }
      yield taken + windows.size;
      taken = 0;
    }
  } finally {
    adam.dispose();
  }
  return best.map(({ losses, weights }, g) => {
    const loss = meanOf(losses);
    const worth = Number.isFinite(loss) && isWorse(globalLosses[g]!, losses);
    return { weights: worth ? weights : undefined, loss, globalLoss: meanOf(globalLosses[g]!) };
  });
}

/** What training needs of a batch when other windows are drawn into it. */
type Drawn = Pick<Batch, 'size' | 'x' | 'paths' | 'target' | 'unit' | 'live'>;

function copyOf({ size, x, paths, target, unit, live }: Batch): Drawn {
  const copies = { x: x.slice(), paths: paths.slice(), target: target.slice() };
  return { size, ...copies, unit: unit.slice(), live: live.slice() };
}

/** Draws as many windows of each pair, pair by pair, and the global model's paths for them. */
function drawAll(
  shop: Workshop,
  batch: Batch,
  moments: readonly Int32Array[],
  rngs: readonly Rng[],
  global: Weights,
): Batch {
  const each = batch.size / moments.length;
  for (const [g, choice] of moments.entries()) {
    const rng = rngs[g]!;
    for (let b = 0; b < each; b++) {
      draw(shop, batch, g * each + b, choice[rng.int(choice.length)]!, rng);
    }
  }
  shop.network.forecast(batch, global);
  return batch;
}

function initialPersonal(rng: Rng, hidden: number): Weights {
  return {
    lstm: initialLstm(rng, 1, hidden),
    head: new Float32Array(count(personalShapes(1, hidden)['head']!)),
  };
}

/** Weights of single models as one stack of groups. */
export function stack(parts: readonly Weights[], shapes: Shapes): Weights {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      const all = new Float32Array(count(shape));
      const each = all.length / parts.length;
      for (const [g, weights] of parts.entries()) all.set(weights[name]!, g * each);
      return [name, all];
    }),
  );
}

function part(weights: Weights, group: number, groups: number): Weights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, values]) => {
      const each = values.length / groups;
      return [name, values.slice(group * each, (group + 1) * each)];
    }),
  );
}
