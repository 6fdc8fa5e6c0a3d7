import { z } from 'zod';
import { API_VERSION } from '../scenario.ts';
import { axisSchema, loadSpec, type Spec } from '../sweep/spec.ts';

const instance = z
  .record(z.string(), z.json())
  .describe('Fields of the scenario that make this workload: a trace, a window of it, a seed.');

/** Less is better in all of them. */
export const OBJECTIVES = [
  'cost_per_vm_day',
  'violation_rate',
  'cpu_violation_rate',
  'memory_violation_rate',
  'disk_io_violation_rate',
  'network_violation_rate',
  'cpu_slack',
  'memory_slack',
  'oom_kills_per_vm_day',
] as const;
export type Objective = (typeof OBJECTIVES)[number];
const objective = z.enum(OBJECTIVES);

export const tuneSchema = z
  .strictObject({
    apiVersion: z.literal(API_VERSION),
    name: z.string().min(1),
    description: z.string().default(''),
    scenario: z.string().min(1).describe('Scenario file, relative to this file.'),
    set: z
      .record(z.string(), z.json())
      .default({})
      .describe('Fields of the scenario that differ from its file.'),
    train: z.array(instance).min(1).describe('Workloads the search sees.'),
    holdout: z.array(instance).min(1).describe('Workloads kept back for one evaluation at the end.'),
    policies: z
      .record(
        z.string(),
        z.strictObject({
          axes: z
            .record(z.string().min(1), axisSchema)
            .describe('Parameters to search, by their path below the policy.'),
          constraints: z.array(z.string().min(1)).default([]).describe('Conditions on the parameters.'),
        }),
      )
      .refine((policies) => Object.keys(policies).length > 0, 'name a policy to tune'),
    references: z
      .array(z.string())
      .default([])
      .describe('Policies to evaluate as they are, beside the tuned.'),
    baseline: z
      .string()
      .optional()
      .describe('Policy the tuned are compared with on the workloads kept back.'),
    objectives: z.array(objective).min(1).default(['cost_per_vm_day', 'violation_rate']),
    choose: z
      .strictObject({
        minimise: objective.default('cost_per_vm_day'),
        subjectTo: z.partialRecord(objective, z.number().min(0)).default({}).describe('Upper limits.'),
      })
      .prefault({})
      .describe('Which of the candidates that remain is the answer.'),
    search: z
      .strictObject({
        candidates: z
          .int()
          .min(1)
          .max(100_000)
          .default(27)
          .describe('Candidates a policy, its defaults among them.'),
        eta: z.int().min(2).max(16).default(3).describe('One in so many goes on to the next rung.'),
        design: z.enum(['sobol', 'random']).default('sobol'),
        seed: z.int().min(0).max(0xffffffff).default(1),
      })
      .prefault({}),
  })
  .check((ctx) => {
    const { policies, references, baseline } = ctx.value;
    if (baseline !== undefined && !(baseline in policies) && !references.includes(baseline)) {
      ctx.issues.push({
        code: 'custom',
        input: baseline,
        path: ['baseline'],
        message: `'${baseline}' is neither tuned nor a reference`,
      });
    }
  });
export type TuneSpec = z.infer<typeof tuneSchema>;

export function loadTune(file: string): Spec<TuneSpec> {
  return loadSpec(file, tuneSchema, 'TUNE');
}
