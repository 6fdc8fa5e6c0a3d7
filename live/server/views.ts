import { z } from 'zod';
import { RESOURCES } from '../../core/model.ts';

/**
 * What the API answers with. The dashboard takes its types from here too. Times are ms since the Unix epoch, null
 * stands where nothing is known.
 */

const time = z.number().describe('ms since the Unix epoch');
const figure = z.number().nullable();
const count = z.int().min(0);
const money = z.strictObject({ perHour: z.number(), currency: z.string() });
export const resource = z.enum(RESOURCES);
const stageName = z.enum(['shadow', 'canary', 'all']);

export const statusView = z.strictObject({
  mode: z.enum(['dry-run', 'apply']),
  startedAt: time,
  uri: z.string().describe('Connection URI of the hypervisor.'),
  connected: z.boolean(),
  tick: z.int(),
  tickAt: time,
  stepMs: z.number(),
  decideMs: z.number().describe('Time the core took to decide in the last tick, ms.'),
  tickMs: z.number().describe('Time the whole last tick took, ms.'),
  sampleMs: z.number().describe('Time it took to read all VMs once, ms: the longest since the tick before.'),
  overruns: count,
  vms: count,
  frozen: count.describe('VMs left alone because their telemetry is stale.'),
  killSwitch: z.strictObject({ engaged: z.boolean(), reason: z.string(), at: time }),
  stage: z.strictObject({ name: stageName, since: time, bundle: z.string().nullable() }),
  resizes: z.strictObject({ applied: count, failed: count, refused: count }),
  writable: z.boolean().describe('Whether a token is configured, so that anything can be changed.'),
  readsOpen: z.boolean().describe('Whether reading needs no token here.'),
});
export type StatusView = z.infer<typeof statusView>;

const total = z.strictObject({
  resource,
  unit: z.string(),
  usage: z.number(),
  allocation: z.number(),
  requested: z.number().describe('What the owners asked for.'),
  starved: count.describe('VMs short of this resource now.'),
});

export const fleetView = z.strictObject({
  at: time,
  vms: count,
  starved: count.describe('VMs short of any resource now.'),
  starvedAbove: z.number().describe('Share of work held back above which a VM counts as short.'),
  cost: money.describe('Price of all that is allocated now.'),
  requestedCost: money.describe('Price of what the owners asked for.'),
  resources: z.array(total).describe('Managed resources only.'),
});
export type FleetView = z.infer<typeof fleetView>;

export const fleetTrackView = z.strictObject({
  resource,
  unit: z.string(),
  at: z.array(time),
  usage: z.array(figure),
  allocation: z.array(figure),
});
export type FleetTrackView = z.infer<typeof fleetTrackView>;

const vmResource = z.strictObject({
  resource,
  unit: z.string(),
  usage: figure,
  allocation: figure,
  pressure: figure.describe('Share of wanted work that was held back, 0..1.'),
  requested: z.number(),
  min: z.number(),
  max: z.number(),
  median: figure.describe('What had been forecast for the last tick.'),
  upper: figure,
  upperQuantile: z.number(),
});

export const vmView = z.strictObject({
  vmId: z.string(),
  applicationId: z.string(),
  userId: z.string(),
  policy: z.string(),
  cost: money,
  starved: z.array(resource).describe('What it is short of now.'),
  resources: z.array(vmResource).describe('Managed resources only.'),
});
export type VmView = z.infer<typeof vmView>;
export const vmListView = z.strictObject({ at: time, vms: z.array(vmView) });
export type VmListView = z.infer<typeof vmListView>;

export const vmTrackView = z.strictObject({
  vmId: z.string(),
  resource,
  unit: z.string(),
  at: z.array(time),
  usage: z.array(figure),
  pressure: z.array(figure),
  allocation: z.array(figure),
  median: z.array(figure).describe('Forecast one tick before.'),
  upper: z.array(figure),
  upperQuantile: z.number(),
});
export type VmTrackView = z.infer<typeof vmTrackView>;

const paths = z.array(z.array(figure)).describe('By quantile, then by tick.');
export const predictionView = z.strictObject({
  applicationId: z.string(),
  resource,
  unit: z.string(),
  quantiles: z.array(z.number()),
  at: z.array(time).describe('End of each forecast interval.'),
  total: paths,
  vms: z.array(z.strictObject({ vmId: z.string(), userId: z.string(), values: paths })),
});
export type PredictionView = z.infer<typeof predictionView>;

export const policiesView = z.strictObject({
  policies: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.string(),
      forecast: z.string().nullable().describe('Model of its forecast, null where it makes none.'),
      isDefault: z.boolean(),
      applications: count,
      parameters: z.record(z.string(), z.unknown()),
    }),
  ),
});
export type PoliciesView = z.infer<typeof policiesView>;

export const applicationsView = z.strictObject({
  applications: z.array(
    z.strictObject({
      applicationId: z.string(),
      policy: z.string(),
      vms: count,
      users: count,
      cost: money,
    }),
  ),
});
export type ApplicationsView = z.infer<typeof applicationsView>;
export const policyChoice = z.strictObject({ applicationId: z.string(), policy: z.string() });

export const anomalyView = z.strictObject({
  id: z.string(),
  vmId: z.string(),
  applicationId: z.string(),
  userId: z.string(),
  severity: z.string(),
  explanation: z.string(),
  beganAt: time,
  endedAt: time.nullable().describe('null while it lasts.'),
});
export const anomaliesView = z.strictObject({ anomalies: z.array(anomalyView) });
export type AnomaliesView = z.infer<typeof anomaliesView>;

export const recommendationView = z.strictObject({
  id: z.string(),
  kind: z.string(),
  subject: z.string(),
  reason: z.string(),
  saving: z.strictObject({
    perMonth: z.number(),
    low: z.number(),
    high: z.number(),
    currency: z.string(),
  }),
  risk: z.string(),
  evidence: z.string(),
  state: z.enum(['open', 'accepted', 'dismissed']),
});
export const recommendationsView = z.strictObject({ recommendations: z.array(recommendationView) });
export type RecommendationsView = z.infer<typeof recommendationsView>;

export const bundleView = z.strictObject({ id: z.string(), codeVersion: z.string(), createdAt: z.string() });
export const stageView = z.strictObject({
  name: stageName,
  since: time,
  checks: z.array(
    z.strictObject({
      measure: z.string(),
      unit: z.string(),
      live: figure,
      low: z.number(),
      high: z.number(),
      holds: z.boolean().nullable(),
    }),
  ),
  bundle: bundleView.nullable(),
  inScope: count.describe('VMs the daemon may act on in this stage.'),
});
export type StageView = z.infer<typeof stageView>;

export const killSwitchView = statusView.shape.killSwitch;

export const eventView = z.strictObject({
  seq: z.int(),
  at: time,
  kind: z.enum([
    'tick',
    'resize',
    'anomaly',
    'policy',
    'stage',
    'alarm',
    'kill-switch',
    'recommendation',
    'fleet',
    'problem',
  ]),
  text: z.string(),
  vmId: z.string().optional(),
});
export type EventView = z.infer<typeof eventView>;
export const eventsView = z.strictObject({ events: z.array(eventView) });
export type EventsView = z.infer<typeof eventsView>;

export const problemView = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('Stable, for programs.'),
  where: z.string().optional(),
  remedy: z.string().optional(),
  problems: z.array(
    z.object({
      code: z.string(),
      what: z.string(),
      where: z.string().optional(),
      remedy: z.string().optional(),
    }),
  ),
});
export type ProblemView = z.infer<typeof problemView>;
