import { z } from 'zod';
import { TRACE_FORMATS } from '../trace/types.ts';
import { injectedAnomalies } from './anomalies/schema.ts';
import { ARCHETYPE_NAMES } from './archetypes.ts';
import { delay, ingredients, shift, span } from './ingredients.ts';

/** The `workload:` section of a scenario. */

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'expected letters, digits, and . _ - after the first');

/** Each element's `key` must be its own. */
function distinct(key: string) {
  return ({ value, issues }: z.core.ParsePayload<readonly object[]>): void => {
    const seen = new Set<unknown>();
    value.forEach((element, i) => {
      const name = (element as Record<string, unknown>)[key];
      if (seen.has(name)) {
        issues.push({ code: 'custom', input: name, path: [i, key], message: `'${name}' is there twice` });
      }
      seen.add(name);
    });
  };
}

const user = z.strictObject({
  id: name.describe('the user; the same id in two applications is the same user'),
  phase: shift.optional().describe('how much later than others this user works; may be negative'),
  amplitude: z.number().min(0).max(5).optional().describe('swing of the cycle relative to others'),
  level: z.number().min(0).max(20).optional().describe('load relative to others'),
  burstiness: z.number().min(0).max(5).optional().describe('noise and bursts relative to others'),
});

/** An application takes its archetype's ingredients; one that is named here replaces the archetype's wholly. */
const application = z.strictObject({
  id: name.describe('name of the application'),
  archetype: z.enum(ARCHETYPE_NAMES).default('web').describe('kind of application'),
  users: z
    .union([z.int().min(1).max(100_000), z.array(user).min(1).check(distinct('id'))])
    .default(1)
    .describe('number of users, named u1, u2, ..., or the users themselves'),
  vmsPerUser: z.int().min(0).max(10_000).default(1).describe('VMs of each user, there from start to end'),
  ...ingredients.partial().shape,
});

const personality = z
  .strictObject({
    phase: shift.default('1h30m').describe("standard deviation of the shift of a user's cycle"),
    amplitude: z.number().min(0).max(2).default(0.2).describe('of the logarithm of the swing'),
    level: z.number().min(0).max(2).default(0.3).describe('of the logarithm of the load'),
    burstiness: z.number().min(0).max(2).default(0.3).describe('of the logarithm of noise and bursts'),
  })
  .prefault({})
  .describe('how much users differ: standard deviations of what each user does not state');

const correlation = z
  .strictObject({
    application: z.number().min(0).max(1).default(0.2).describe('of the noise of VMs of one application'),
    user: z.number().min(0).max(1).default(0.2).describe('of the noise of VMs of one user'),
  })
  .refine((c) => c.application + c.user <= 1, 'application and user together must not exceed 1')
  .prefault({})
  .describe('correlation of noise between VMs; VMs that share both have the sum');

const perDay = z.number().positive().default(200).describe('mean number of VMs that arrive a day');

const arrivals = z
  .discriminatedUnion('pattern', [
    z.strictObject({ pattern: z.literal('none') }),
    z.strictObject({
      pattern: z.literal('poisson'),
      perDay,
      lifetime: span('12h').describe('mean lifetime, exponentially distributed'),
    }),
    z.strictObject({ pattern: z.literal('azure'), perDay }),
  ])
  .prefault({ pattern: 'none' })
  .describe('VMs that come and go, besides those of vmsPerUser');

const limits = {
  cpu: z.number().min(0).default(0.1).describe('cores'),
  memory: z.number().min(0).default(256).describe('MiB'),
  diskIo: z.number().min(0).default(100_000).describe('bytes/s'),
  network: z.number().min(0).default(100_000).describe('bytes/s'),
};

const bounds = z
  .strictObject({
    floor: z.strictObject(limits).prefault({}).describe('no allocation below this'),
    ceiling: z.number().min(1).default(2).describe('no allocation above this many times the request'),
  })
  .prefault({})
  .describe('how far from its request a VM may be resized');

const someOfEach = z.strictObject({
  cpu: z.number().positive().optional().describe('cores'),
  memory: z.number().positive().optional().describe('MiB'),
  diskIo: z.number().positive().optional().describe('bytes/s'),
  network: z.number().positive().optional().describe('bytes/s'),
});

const population = {
  applications: z.array(application).min(1).check(distinct('id')).describe('applications and their users'),
  personality,
  correlation,
  bounds,
};

const generated = z.strictObject({
  source: z.literal('generated'),
  ...population,
  arrivals,
  anomalies: injectedAnomalies,
});

const azureArrivals = z.strictObject({
  source: z.literal('azure-arrivals'),
  path: z
    .string()
    .min(1)
    .describe('folder with v1.dev.txt.gz and its companions; relative to the scenario, or traces:NAME'),
  share: z.number().gt(0).max(1).default(0.01).describe('share of the batches to replay'),
  ...population,
  anomalies: injectedAnomalies,
});

const trace = z.strictObject({
  source: z.literal('trace'),
  path: z
    .string()
    .min(1)
    .describe('file or folder, relative to the scenario; traces:NAME is NAME in $FORESIZE_TRACES'),
  format: z.enum(TRACE_FORMATS).optional().describe('format of the trace; found out when left out'),
  limit: z.int().positive().optional().describe('read at most this many VMs'),
  from: delay('0s').describe('begin this far into the trace'),
  assume: someOfEach
    .prefault({})
    .describe('what 100 % stands for in a trace of shares that does not state the size; else a small VM'),
  scale: z.number().positive().default(1).describe('demand is this many times the recorded usage'),
  requested: someOfEach.prefault({}).describe("the owner's request, where the trace does not state the size"),
  peakFactor: z
    .number()
    .positive()
    .default(1.25)
    .describe("the owner's request where neither states it: times the VM's highest demand in the trace"),
  bounds,
  anomalies: injectedAnomalies,
});

export const workloadSchema = z
  .discriminatedUnion('source', [generated, trace, azureArrivals])
  .describe('where demand comes from');

export type WorkloadConfig = z.output<typeof workloadSchema>;
export type GeneratedConfig = z.output<typeof generated>;
export type TraceConfig = z.output<typeof trace>;
export type AzureArrivalsConfig = z.output<typeof azureArrivals>;
export type ApplicationConfig = z.output<typeof application>;
export type PopulationConfig = Pick<GeneratedConfig, keyof typeof population>;
export type BoundsConfig = z.output<typeof bounds>;
