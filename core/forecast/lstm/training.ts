import { Rng } from '../../rng.ts';
import { GLOBAL, type Hierarchy, type RowKey } from '../hierarchy.ts';
import { type FitResult, fitGlobal, type Workshop } from './fit.ts';
import type { Models } from './models.ts';
import type { Weights } from './network.ts';
import { fitPersonal, type Pair, PERSONAL_LEAST, type PersonalNetwork } from './personal.ts';

/** Fewest moments to train on: less says too little of anything. */
const LEAST_MOMENTS = 64;

/** What became of a training: of the global model without ids, of a personal part with the pair's. */
export interface FitReport extends RowKey {
  /** Tick at which it began. */
  readonly tick: number;
  /**
   * `kept`: no better on held-back history, so what was good before goes on serving; `failed`: likewise, after an error
   * or a divergence; `waiting`: there is too little history yet.
   */
  readonly outcome: 'accepted' | 'kept' | 'failed' | 'waiting';
  /** Version of the model that serves now; 0 while there is none. */
  readonly version: number;
  readonly steps: number;
  /** Held-back pinball loss, quantiles summed, of the new and of what it is to replace; NaN where there is none. */
  readonly loss: number;
  readonly lossBefore: number;
  readonly reason: string;
}

/** What training works on, beside the models. */
export interface TrainingRoom extends Workshop {
  readonly personalNetwork: PersonalNetwork;
  readonly models: Models;
  readonly rows: Hierarchy;
  readonly stepMs: number;
  readonly epochMs: number;
  /** Ticks that training looks back. */
  readonly window: number;
  readonly seed: number;
  report(fit: FitReport): void;
}

/** A training's window and the moments in it. */
interface Material {
  readonly tick: number;
  readonly from: number;
  readonly to: number;
  readonly training: Int32Array;
  readonly heldBack: Int32Array;
}

/**
 * One training, a gradient step a `next()`, which says how many windows it took: the global network from the last good weights, then the personal parts
 * on top of the outcome. The models that serve change only when a part has proved no worse on held-back history.
 */
export function* train(room: TrainingRoom, tick: number): Generator<number, void, void> {
  const { params, samples, models, network } = room;
  const oldest = tick - room.window;
  const newest = tick - network.shape.horizon - samples.every + 1;
  const material: Material = {
    tick,
    from: room.epochMs + Math.max(0, oldest) * room.stepMs,
    to: room.epochMs + tick * room.stepMs,
    training: samples.select(oldest, newest, false),
    heldBack: samples.select(oldest, newest, true),
  };
  const found = material.training.length;
  if (found < LEAST_MOMENTS) {
    room.report({
      tick,
      outcome: 'waiting',
      version: models.global?.version ?? 0,
      ...NOTHING,
      reason: `only ${found} moments to learn from, ${LEAST_MOMENTS} are needed`,
    });
    return;
  }
  yield* trainGlobal(room, material);
  if (params.personal.steps === 0) return;
  const pairs = pairsOf(room, material);
  for (let from = 0; from < pairs.length; from += params.personal.groups) {
    yield* trainPersonal(room, material, pairs.slice(from, from + params.personal.groups));
  }
}

const NOTHING = { steps: 0, loss: Number.NaN, lossBefore: Number.NaN } as const;

function* trainGlobal(room: TrainingRoom, material: Material): Generator<number, void, void> {
  const { params, models } = room;
  const { tick, training, heldBack } = material;
  const before = models.weights;
  const version = () => models.global?.version ?? 0;
  let fit: FitResult;
  try {
    const steps = models.global ? params.steps : params.firstSteps;
    fit = yield* fitGlobal(room, training, heldBack, before, steps, new Rng(room.seed, 'fit', tick));
  } catch (error) {
    room.report({ tick, outcome: 'failed', version: version(), ...NOTHING, reason: String(error) });
    return;
  }
  const verdict = judge(fit, before);
  const { weights, steps, loss, lossBefore } = fit;
  if (verdict.outcome === 'accepted') {
    const { from, to } = material;
    models.accept(GLOBAL, { weights, tick, from, to, samples: training.length, loss, lossBefore });
  }
  room.report({ tick, ...verdict, version: version(), steps, loss, lossBefore });
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

type RowPair = Pair & { readonly row: number };

/** The pairs with enough moments, each with its own. */
function pairsOf({ models, samples }: TrainingRoom, { training, heldBack }: Material): RowPair[] {
  const split = (moments: Int32Array) => {
    const byRow = new Map<number, number[]>();
    for (const i of moments) {
      const row = models.rowOf(samples.slot(i));
      const list = byRow.get(row);
      if (list) list.push(i);
      else byRow.set(row, [i]);
    }
    return byRow;
  };
  const judged = split(heldBack);
  const enough = ([row, list]: [number, number[]]) =>
    list.length >= PERSONAL_LEAST.training && (judged.get(row)?.length ?? 0) >= PERSONAL_LEAST.heldBack;
  return [...split(training)]
    .filter(enough)
    .sort(([a], [b]) => a - b)
    .map(([row, list]) => ({
      row,
      name: models.nameOf(row),
      training: Int32Array.from(list),
      heldBack: Int32Array.from(judged.get(row)!),
      start: models.latest(row)?.weights,
    }));
}

function* trainPersonal(
  room: TrainingRoom,
  material: Material,
  pairs: readonly RowPair[],
): Generator<number, void, void> {
  const { models, rows, personalNetwork, params } = room;
  const { tick, from, to } = material;
  const { steps } = params.personal;
  try {
    const results = yield* fitPersonal(room, personalNetwork, pairs, models.weights, room.seed + tick);
    for (const [g, { weights, loss, globalLoss: lossBefore }] of results.entries()) {
      const { row, training } = pairs[g]!;
      const about = { ...rows.keys[row], tick, steps, loss, lossBefore };
      if (weights) {
        const samples = training.length;
        const { version } = models.accept(row, { weights, tick, from, to, samples, loss, lossBefore });
        room.report({ ...about, outcome: 'accepted', version, reason: 'better than the global model alone' });
      } else {
        models.drop(row);
        const reason = 'the global model alone does as well on held-back history';
        room.report({ ...about, outcome: 'kept', version: 0, reason });
      }
    }
  } catch (error) {
    for (const { row } of pairs) {
      const version = models.personal(row)?.version ?? 0;
      room.report({
        ...rows.keys[row],
        tick,
        outcome: 'failed',
        version,
        ...NOTHING,
        reason: String(error),
      });
    }
  }
}
