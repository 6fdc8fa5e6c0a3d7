import { z } from 'zod';

const duration = z
  .string()
  .regex(/^[1-9]\d*(m|h|d)$/, 'must be a whole number of minutes, hours or days, as 30m, 1h or 7d');

/** Parameters of the `lstm` forecaster. The defaults are the one setting that docs/lstm.md reports on. */
export const lstmParams = z.strictObject({
  horizon: z
    .int()
    .min(1)
    .max(288)
    .default(12)
    .describe(
      'Steps ahead the model is trained for, up to a multiple of 4; beyond them the last step is repeated.',
    ),
  window: z.int().min(4).max(288).default(24).describe('Ticks of the past that the LSTM reads.'),
  hidden: z
    .int()
    .min(8)
    .max(128)
    .multipleOf(8)
    .default(32)
    .describe('Units of the global LSTM; a multiple of 8.'),
  firstTrainAfter: duration.default('1d').describe('History before the first training.'),
  retrainEvery: duration.default('1d').describe('Time between retrainings, which start from the last model.'),
  trainingWindow: duration
    .default('7d')
    .describe('How far back training looks; less where the history is shorter.'),
  firstSteps: z
    .int()
    .min(0)
    .max(100_000)
    .default(600)
    .describe('Gradient steps of the first training, at most.'),
  steps: z.int().min(0).max(100_000).default(150).describe('Gradient steps of a retraining, at most.'),
  stepsPerTick: z
    .int()
    .min(1)
    .max(100_000)
    .default(25)
    .describe(
      'Training budget of a tick: windows of so many gradient steps of the global model. A training spreads over as many ticks as it needs; personal parts and checks count by their windows.',
    ),
  batch: z.int().min(1).max(4096).default(64).describe('Windows a gradient step.'),
  learningRate: z
    .number()
    .positive()
    .max(10)
    .default(0.0006)
    .describe('Of Adam; falls to a tenth within a training.'),
  patience: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe('Training ends early after so many checks on held-back history without a gain.'),
  personal: z
    .strictObject({
      hidden: z
        .int()
        .min(8)
        .max(64)
        .multipleOf(8)
        .default(8)
        .describe('Units of the LSTM of each (application, user); a multiple of 8.'),
      batch: z.int().min(1).max(256).default(8).describe('Windows of each pair a gradient step.'),
      steps: z
        .int()
        .min(0)
        .max(100_000)
        .default(40)
        .describe('Gradient steps a training; 0 for no personal part.'),
      learningRate: z.number().positive().max(10).default(0.003).describe('Of Adam, for the personal parts.'),
      groups: z.int().min(1).max(1024).default(32).describe('Pairs trained side by side in one graph.'),
      ridge: z.number().min(0).max(1).default(0.001).describe('Pull of the personal part towards none.'),
    })
    .prefault({})
    .describe('What each (application, user) learns on top of the global model.'),
});

export type LstmParams = z.output<typeof lstmParams>;

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Ticks in a duration such as `1d`, at least 1. */
export function ticksOf(text: string, stepMs: number): number {
  const unit = text.at(-1) as keyof typeof UNIT_MS;
  return Math.max(1, Math.round((Number(text.slice(0, -1)) * UNIT_MS[unit]) / stepMs));
}

/** Steps ahead, rounded up: the kernels take four at a time. */
export function trainedHorizon({ horizon }: LstmParams): number {
  return Math.ceil(horizon / 4) * 4;
}

/** Ticks of history that the model makes full use of: less is taken, at the cost of training data. */
export function lstmHistory(params: LstmParams, stepMs: number): number {
  const day = ticksOf('1d', stepMs);
  return ticksOf(params.trainingWindow, stepMs) + 3 * day + params.window + 2 * trainedHorizon(params);
}
