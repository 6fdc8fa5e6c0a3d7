import { z } from 'zod';
import { type ControllerConfig, controllerSchema, controllerShape } from '../core/config.ts';
import { DURATION, parseDuration } from '../core/duration.ts';
import { readYaml } from './read-yaml.ts';

const duration = (least: number, text: string) =>
  z
    .string()
    .regex(DURATION, 'expected a duration such as 10s, 5m or 14d')
    .refine((value) => parseDuration(value) >= least, `must be at least ${text}`);

/** What `foresize live` runs on: the host, the cadence, and the same policies a scenario has. */
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
    ...controllerShape,
    api: z.looseObject({}).optional().describe('Where the HTTP API listens.'),
  })
  .check((ctx) => {
    const { policies, policy, applications } = ctx.value;
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

/** The part the core is configured with. */
export function controllerOf(config: LiveConfig): ControllerConfig {
  const part = Object.fromEntries(
    Object.keys(controllerShape).map((key) => [key, config[key as keyof typeof controllerShape]]),
  );
  return controllerSchema.parse(part);
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
