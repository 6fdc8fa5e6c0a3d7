import { z } from 'zod';
import { stagePlanSchema } from '../../core/bundle.ts';
import { API_VERSION } from '../scenario.ts';
import { loadSpec } from '../sweep/spec.ts';

const rate = z.number().min(0).max(1);

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 as `sha256sum` prints it');

/** What a run must show before its configuration may go live. */
export const gatesSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION).default(API_VERSION),
  level: z.number().gt(0.5).lt(1).default(0.95).describe('Level of the two-sided intervals.'),
  resamples: z.int().min(100).max(100_000).default(2000).describe('Bootstrap resamples.'),
  violationRate: z
    .strictObject({
      any: rate.default(0.05),
      cpu: rate.optional(),
      memory: rate.optional(),
      diskIo: rate.optional(),
      network: rate.optional(),
    })
    .prefault({})
    .describe('Share of VM-time with demand above the allocation: limits of its upper confidence bound.'),
  cost: z
    .number()
    .gt(-1)
    .default(0)
    .describe('Upper confidence bound of the relative difference to the incumbent: 0 is no dearer.'),
  vmDays: z.number().gt(0).default(100).describe('VM-days the run must have scored.'),
  coverage: z
    .strictObject({
      below: rate.default(0.05).describe('How far the share of samples under the forecast quantile may lie'),
      above: rate.default(0.1).describe('below and above the quantile itself, with its whole interval.'),
    })
    .prefault({})
    .describe('How honest the forecast quantile that the policy provides for must be.'),
  churn: z
    .number()
    .gt(0)
    .default(576)
    .describe('Resizes per VM-day, upper confidence bound; 576 are two in each tick of five minutes.'),
  tuning: z
    .strictObject({
      records: z
        .array(z.string().min(1))
        .default([])
        .describe('Folders of `foresize tune` and `foresize sweep` the configuration came from.'),
      tunedOn: z.array(sha256).default([]).describe('Traces it was tuned on elsewhere, by hash.'),
      untuned: z.boolean().default(false).describe('States that no parameter was chosen by looking at data.'),
    })
    .prefault({})
    .describe('Where the configuration comes from: a run over data it was tuned on proves nothing.'),
  stages: stagePlanSchema.prefault({}).describe('How the bundle goes live.'),
});
export type GatesSpec = z.infer<typeof gatesSchema>;

export interface LoadedGates {
  readonly gates: GatesSpec;
  /** Folder that relative paths in the file start from. */
  readonly baseDir: string;
  readonly file: string;
}

/** The gates in a file; the defaults without one. @throws ForesizeError GATES_* */
export function loadGates(file?: string): LoadedGates {
  if (file === undefined) return { gates: gatesSchema.parse({}), baseDir: '.', file: '--gates' };
  const { value, baseDir } = loadSpec(file, gatesSchema, 'GATES', 'docs/promotion.md');
  return { gates: value, baseDir, file };
}

/** The JSON Schema of gates files, from the same source that validates. */
export function gatesJsonSchema(): unknown {
  return z.toJSONSchema(gatesSchema, { io: 'input', unrepresentable: 'any' });
}
