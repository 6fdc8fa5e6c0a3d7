import { z } from 'zod';
import type { RetrainOptions } from './retrained.ts';

const DAY_MS = 86_400_000;

/** Parameters shared by the models that are fitted to a window of history at intervals. */
export const retrainParams = {
  windowDays: z.number().min(1).max(90).default(14).describe('History a model is trained on, days.'),
  minDays: z
    .number()
    .min(0.1)
    .max(90)
    .default(2)
    .describe('History a pair needs for a model of its own; until then its application speaks for it.'),
  retrainHours: z.number().min(0.5).max(744).default(24).describe('Time between trainings of a pair, hours.'),
} as const;

/** Calendar time as ticks. */
export function retrainOptions(
  params: {
    windowDays: number;
    minDays: number;
    retrainHours: number;
    sampleMinutes: number;
    fitsPerTick: number;
  },
  stepMs: number,
): RetrainOptions {
  return {
    sampleTicks: Math.max(1, Math.round((params.sampleMinutes * 60_000) / stepMs)),
    windowDays: params.windowDays,
    minDays: Math.min(params.minDays, params.windowDays),
    retrainTicks: Math.max(1, Math.round((params.retrainHours * DAY_MS) / 24 / stepMs)),
    fitsPerTick: params.fitsPerTick,
  };
}

/** How long a sample of the training series is, and how many pairs may be trained a tick. */
export function samplingParams(sampleMinutes: number, fitsPerTick: number) {
  return {
    sampleMinutes: z
      .number()
      .min(1)
      .max(1440)
      .default(sampleMinutes)
      .describe('Training samples are means over this time, minutes.'),
    fitsPerTick: z
      .int()
      .min(1)
      .default(fitsPerTick)
      .describe('Budget: pairs trained in one tick at most; the rest wait for the next.'),
  };
}
