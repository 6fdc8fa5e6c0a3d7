import { z } from 'zod';
import { controllerSchema } from './config.ts';
import { DURATION, parseDuration } from './duration.ts';

/**
 * A bundle: a configuration that may run live, with the proof that let it through. A folder of files; `bundle.json`
 * names each with its SHA-256, and its own id is the SHA-256 of all that. Hashing is the callers' part.
 */
export const BUNDLE_FILE = 'bundle.json';
export const CONFIG_FILE = 'config.json';
export const EVIDENCE_FILE = 'evidence.json';
export const GATES_FILE = 'gates.json';
export const STAGES_FILE = 'stages.json';
export const SCENARIO_FILE = 'scenario.yaml';
export const MODELS_FOLDER = 'models';

/** Path within a bundle of its model document number `index`. */
export function modelFile(index: number): string {
  return `${MODELS_FOLDER}/${String(index).padStart(5, '0')}.json`;
}

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 in hexadecimal');
const figure = z.number().nullable();
const share = z.number().min(0).max(1);

const bundleFile = z.strictObject({
  path: z.string().regex(/^(?:[a-z]+\/)?[a-z0-9-]+\.(?:json|yaml)$/, 'not a path within a bundle'),
  bytes: z.int().min(0),
  sha256: hash,
});

export const bundleSchema = z.strictObject({
  schema: z.literal('foresize/bundle/v1'),
  id: hash,
  codeVersion: z.string().min(1),
  /** When its run was made. A bundle has no clock of its own: the same run gives the same bytes. */
  createdAt: z.iso.datetime(),
  /** `kept`: forecast models as they were at the end of the run are here. `trained-live`: the daemon begins without. */
  models: z.enum(['kept', 'trained-live']),
  files: z.array(bundleFile),
});
export type BundleManifest = Readonly<z.infer<typeof bundleSchema>>;

/** The text whose SHA-256 is the bundle's id. Files in order of path. */
export function identityText({ schema, codeVersion, createdAt, models, files }: Omit<BundleManifest, 'id'>) {
  const sorted = files
    .map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return JSON.stringify({ schema, codeVersion, createdAt, models, files: sorted });
}

/** The bytes of `bundle.json`: there is one way to write it, so that any change shows. */
export function bundleText(manifest: BundleManifest): string {
  const rest = JSON.parse(identityText(manifest)) as object;
  return `${JSON.stringify({ id: manifest.id, ...rest }, null, 2)}\n`;
}

/** What the daemon runs: the controller's part of the scenario, its tick and the seed of forecasters that draw. */
export const bundleConfigSchema = z.strictObject({
  controller: controllerSchema,
  stepMs: z.int().positive(),
  seed: z.int().min(0).max(0xffffffff),
});
export type BundleConfig = z.infer<typeof bundleConfigSchema>;

/** How a bundle goes live. */
export const stagePlanSchema = z.strictObject({
  canaryShare: share
    .gt(0)
    .default(0.1)
    .describe('Share of the VMs that the canary stage acts on; at least one.'),
  minVmDays: z
    .number()
    .gt(0)
    .default(10)
    .describe('VM-days of a stage before it is judged, and before the next may begin.'),
  automatic: z
    .boolean()
    .default(false)
    .describe('Go on by itself when every measure holds; by hand otherwise.'),
  window: z
    .string()
    .regex(DURATION, 'expected a duration such as 7d')
    .refine((text) => !DURATION.test(text) || parseDuration(text) > 0, 'must be longer than nothing')
    .default('7d')
    .describe('How far back the figures of a stage reach: this long to twice as long.'),
  tolerance: z
    .strictObject({
      pressureRate: z.number().min(0).default(0.01).describe('Share of VM-time, absolute.'),
      costRatio: z.number().min(0).default(0.05).describe('Share of the cost of the request, absolute.'),
      resizesPerVmDay: z.number().min(0).default(24).describe('Resizes per VM-day, absolute.'),
      coverage: z.number().min(0).max(1).default(0.05).describe('Share of forecasts, absolute.'),
    })
    .prefault({})
    .describe("How far beyond the simulator's interval a live figure may lie: the simulator is a model."),
});
export type StagePlan = z.infer<typeof stagePlanSchema>;

const workload = z.strictObject({
  source: z.enum(['trace', 'generated']),
  sha256: hash,
  fromMs: z.number(),
  toMs: z.number().nullable(),
});

/** A measure with its interval; null where there is nothing to say. */
const estimate = z.strictObject({
  measure: z.string(),
  unit: z.string(),
  estimate: figure,
  low: figure,
  high: figure,
  /** Of a coverage: the quantile that was asked for, mean over the forecasts. */
  nominal: z.number().optional(),
});
export type Estimate = Readonly<z.infer<typeof estimate>>;

const paired = z.strictObject({
  measure: z.string(),
  unit: z.string(),
  policyMean: z.number(),
  incumbentMean: z.number(),
  difference: z.number(),
  low: figure,
  high: figure,
  relative: z.strictObject({ value: z.number(), low: figure, high: figure }).nullable(),
});
export type PairedEstimate = Readonly<z.infer<typeof paired>>;

const runEvidence = z.strictObject({
  id: z.string(),
  policy: z.string(),
  resultSha256: hash,
  decisionsSha256: hash,
});

export const evidenceSchema = z.strictObject({
  schema: z.literal('foresize/evidence/v1'),
  scenario: z.string(),
  run: runEvidence,
  incumbent: runEvidence,
  /** Tensor backend that made the forecasts, or 'none'. */
  backend: z.string(),
  from: z.string(),
  to: z.string(),
  vms: z.int(),
  vmDays: z.number(),
  currency: z.string(),
  level: z.number(),
  resamples: z.int(),
  /** What the run has seen, and what the configuration was tuned on as far as was stated. */
  workload,
  tunedOn: z.array(workload),
  /** Of demand, which only the simulator knows. */
  measures: z.array(estimate),
  /** Of what is seen in both worlds: live figures are held against these. */
  observed: z.array(estimate),
  /** The run against the incumbent on the same inputs. */
  against: z.array(paired),
});
export type Evidence = z.infer<typeof evidenceSchema>;

const gateResult = z.strictObject({
  gate: z.string(),
  /** What was held against the limit, in words. */
  what: z.string(),
  unit: z.string(),
  value: figure,
  limit: figure,
  bound: z.enum(['at most', 'at least', 'stated']),
  /** How far inside the limit; negative: by how much it was missed. null where there is no value. */
  margin: figure,
  pass: z.boolean(),
  note: z.string(),
});
export type GateResult = Readonly<z.infer<typeof gateResult>>;

export const gateResultsSchema = z.array(gateResult);
