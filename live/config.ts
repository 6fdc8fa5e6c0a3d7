import { z } from 'zod';
import { type ControllerConfig, controllerSchema, controllerShape } from '../core/config.ts';
import { DURATION, formatDuration, parseDuration } from '../core/duration.ts';
import { EXIT, ForesizeError } from '../core/errors.ts';
import type { OpenBundle } from './promote/open-bundle.ts';
import { readYaml } from './read-yaml.ts';
import { apiParams } from './server/config.ts';

const duration = (least: number, text: string) =>
  z
    .string()
    .regex(DURATION, 'expected a duration such as 10s, 5m or 14d')
    .refine((value) => parseDuration(value) >= least, `must be at least ${text}`);

/** A part of the controller's configuration: not there until it is given, as a bundle brings all of it. */
const given = <T extends z.ZodType>(part: z.ZodPrefault<T>) =>
  part
    .unwrap()
    .optional()
    .describe(part.description ?? '');

const controllerParts = {
  policies: controllerShape.policies.optional(),
  policy: controllerShape.policy.optional(),
  applications: given(controllerShape.applications),
  guards: given(controllerShape.guards),
  anomalies: controllerShape.anomalies,
  profiler: given(controllerShape.profiler),
  prices: given(controllerShape.prices),
};
const PARTS = Object.keys(controllerParts) as (keyof typeof controllerParts)[];

/** What `foresize live` runs on: the host, the cadence, and the same policies a scenario has, or a bundle of them. */
export const liveSchema = z
  .strictObject({
    apiVersion: z.literal('foresize/v1'),
    uri: z.string().min(1).default('qemu:///system').describe('libvirt connection.'),
    mapping: z
      .string()
      .optional()
      .describe('File that says which domains work for whom; else their metadata alone does.'),
    tick: duration(1000, '1s').default('5m').describe('Length of a tick.'),
    sample: duration(200, '200ms')
      .optional()
      .describe('Time between two readings of a VM; half a tick, one minute at most, when left out.'),
    seed: z.int().min(0).max(0xffffffff).default(1).describe('Seed of every random stream.'),
    remember: duration(1000, '1s')
      .default('15d')
      .describe('How far back a restart goes for history and models.'),
    restoreOnStop: z
      .boolean()
      .default(true)
      .describe('Put limits back as they were when the daemon is stopped.'),
    watchdog: duration(1000, '1s')
      .default('2m')
      .describe('Limits are lifted when the daemon was gone, or could not act, for this long.'),
    bundle: z
      .string()
      .min(1)
      .optional()
      .describe('Folder that `foresize promote` wrote: policies and all else that decides come from there.'),
    ...controllerParts,
    anomalyWebhook: z
      .url({ protocol: /^https?$/ })
      .optional()
      .describe('Where each alarm about an anomaly is posted as JSON.'),
    api: apiParams.optional(),
  })
  .check((ctx) => {
    const { bundle, policies, policy, applications = {} } = ctx.value;
    const problem = (path: string, message: string) => {
      ctx.issues.push({ code: 'custom', input: ctx.value, path: [path], message });
    };
    if (bundle !== undefined) {
      for (const part of PARTS.filter((name) => ctx.value[name] !== undefined))
        problem(part, 'this comes from the bundle: leave out either');
      return;
    }
    if (policies === undefined) problem('policies', 'name policies, or a bundle');
    if (policy === undefined)
      problem('policy', 'name the policy of applications that name none, or a bundle');
    if (policies === undefined || policy === undefined) return;
    const check = (name: string, path: string[]) => {
      if (name in policies) return;
      const known = Object.keys(policies).join(', ');
      ctx.issues.push({
        code: 'custom',
        input: name,
        path,
        message: `no policy is named '${name}'; known: ${known}`,
      });
    };
    check(policy, ['policy']);
    for (const [app, name] of Object.entries(applications)) check(name, ['applications', app]);
    for (const [name, one] of Object.entries(policies)) {
      if (one.kind !== 'oracle' && !('forecast' in one && one.forecast.model === 'oracle')) continue;
      const message = 'the oracle knows true demand, which only a simulation has';
      ctx.issues.push({ code: 'custom', input: name, path: ['policies', name], message });
    }
  });

export type LiveConfig = z.infer<typeof liveSchema>;

/** @throws ForesizeError CONFIG_UNREADABLE, CONFIG_YAML, CONFIG_INVALID */
export function readLiveConfig(file: string): LiveConfig {
  return readYaml(liveSchema, file, 'CONFIG');
}

/** What decides: the configuration of the core, and the seed of forecasters that draw. */
export interface CoreConfig {
  readonly controller: ControllerConfig;
  readonly seed: number;
}

/**
 * The part the core is configured with: the bundle's, where there is one.
 * @throws ForesizeError BUNDLE_OTHER_TICK
 */
export function coreOf(config: LiveConfig, bundle?: OpenBundle): CoreConfig {
  if (!bundle) {
    const controller = controllerSchema.parse(Object.fromEntries(PARTS.map((key) => [key, config[key]])));
    return { controller, seed: config.seed };
  }
  const { controller, seed, stepMs } = bundle.config;
  if (stepMs === timesOf(config).stepMs) return { controller, seed };
  throw new ForesizeError(
    {
      code: 'BUNDLE_OTHER_TICK',
      what: `the bundle was proven with a tick of ${formatDuration(stepMs)}, and the configuration has ${config.tick}`,
      where: bundle.path,
      remedy: `set tick: ${formatDuration(stepMs)}, or promote a run with a tick of ${config.tick}`,
    },
    EXIT.refused,
  );
}

/** Times of the configuration in ms. */
export function timesOf(config: LiveConfig) {
  const stepMs = parseDuration(config.tick);
  return {
    stepMs,
    sampleMs: config.sample === undefined ? Math.min(60_000, stepMs / 2) : parseDuration(config.sample),
    rememberMs: parseDuration(config.remember),
    watchdogMs: parseDuration(config.watchdog),
  };
}

export function liveJsonSchema(): unknown {
  return z.toJSONSchema(liveSchema, { io: 'input', unrepresentable: 'any' });
}
