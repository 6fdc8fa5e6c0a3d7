import { z } from 'zod';
import { API_VERSION } from '../scenario.ts';
import { loadSpec, type Spec } from '../sweep/spec.ts';
import { GATED } from './measures.ts';

const tolerance = z.strictObject({
  relative: z.number().min(0).default(0).describe("Share of the baseline's value."),
  absolute: z.number().min(0).default(0).describe("In the measure's unit."),
});

/** What the gate runs. */
export const benchSchema = z.strictObject({
  apiVersion: z.literal(API_VERSION),
  name: z.string().min(1),
  cases: z
    .record(
      z.string().regex(/^[\w.-]+$/, 'letters, digits, dot, dash and underscore'),
      z.strictObject({
        scenario: z.string().min(1).describe('Scenario file, relative to this file.'),
        set: z.record(z.string(), z.json()).default({}).describe('Fields that differ from the file.'),
        policies: z.array(z.string()).min(1).optional().describe('All of the scenario when left out.'),
      }),
    )
    .refine((cases) => Object.keys(cases).length > 0, 'a gate needs a case'),
  tolerances: z
    .partialRecord(z.enum(Object.keys(GATED) as [string, ...string[]]), tolerance)
    .default({})
    .describe("How much worse a measure may be; the measure's own when left out."),
  timing: z
    .union([
      z.literal(false),
      z.strictObject({
        tolerance: z.number().gt(0).default(0.35).describe('Share by which the ratio may grow.'),
        repeats: z.int().min(1).max(100).default(5).describe('Runs of which the fastest counts.'),
      }),
    ])
    .prefault({})
    .describe('Time of each run as a ratio to a reference loop; false to leave it out.'),
});
export type BenchSpec = z.infer<typeof benchSchema>;

export function loadBench(file: string): Spec<BenchSpec> {
  return loadSpec(file, benchSchema, 'BENCH');
}
