import { z } from 'zod';
import { RESOURCES } from '../model.ts';
import { SEVERITIES } from './events.ts';
import { anomalyParams } from './params.ts';

/** What an anomaly may show in: a resource, or the way they move together. */
const PARTS = [...RESOURCES, 'joint'] as const;

const severity = (preset: (typeof SEVERITIES)[number]) =>
  z.enum(SEVERITIES).default(preset).describe('Least severity that is answered.');
const on = (...preset: (typeof PARTS)[number][]) =>
  z.array(z.enum(PARTS)).min(1).default(preset).describe('What the anomaly must show in to be answered.');
const longest = (preset: number) =>
  z.int().min(1).max(8064).default(preset).describe('Ticks after which it ends, whatever the anomaly does.');
const hold = (preset: number) =>
  z.int().min(0).max(8064).default(preset).describe('Ticks it goes on after the anomaly is over.');

const alert = z.strictObject({
  kind: z.literal('alert').describe('Tells whoever listens: log, webhook, event stream. Changes nothing.'),
  severity: severity('low'),
});

const raise = z.strictObject({
  kind: z
    .literal('raise')
    .describe('Provides for more for a while. For quantile and threshold policies; others have no quantile.'),
  severity: severity('low'),
  on: on('cpu', 'memory'),
  quantile: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.99)
    .describe('Provide for at least this quantile of the forecast.'),
  factor: z.number().min(1).max(10).default(1).describe('And for this many times the need.'),
  longest: longest(144),
  hold: hold(12),
});

const isolate = z.strictObject({
  kind: z.literal('isolate').describe("Caps disk and network at the VM's normal level."),
  severity: severity('high'),
  on: on('network', 'diskIo'),
  headroom: z
    .number()
    .min(1)
    .max(10)
    .default(1.2)
    .describe('The cap, as a multiple of the highest normal level of the day.'),
  quarantine: z
    .boolean()
    .default(true)
    .describe('Also move the VM to a quarantine host, where there is one with room.'),
  longest: longest(72),
  hold: hold(6),
});

export const responseSchema = z.discriminatedUnion('kind', [alert, raise, isolate]);
export type Response = z.infer<typeof responseSchema>;
export type RaiseResponse = Extract<Response, { kind: 'raise' }>;
export type IsolateResponse = Extract<Response, { kind: 'isolate' }>;

const plan = z
  .array(responseSchema)
  .refine((all) => new Set(all.map(({ kind }) => kind)).size === all.length, {
    message: 'at most one response of each kind',
  });

/** The `anomalies:` section of the controller's configuration. Without it nobody looks for anomalies. */
export const anomaliesParams = z.strictObject({
  detector: anomalyParams.prefault({}).describe('The operating point of the detector.'),
  dedupe: z
    .int()
    .min(0)
    .max(2016)
    .default(12)
    .describe('Ticks of calm after which an alarm is closed: what comes before belongs to it.'),
  respond: plan.prefault([{ kind: 'alert' }]).describe('What is done about an anomaly.'),
  policies: z
    .record(z.string(), plan)
    .prefault({})
    .describe('The same for the VMs of a policy, by its name.'),
  applications: z
    .record(z.string(), plan)
    .prefault({})
    .describe('The same for the VMs of an application, by its id: goes before `policies`.'),
});

export type AnomaliesConfig = z.infer<typeof anomaliesParams>;
