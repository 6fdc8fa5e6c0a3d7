import { z } from 'zod';
import { DURATION, parseDuration } from '../../core/duration.ts';

/** The ingredients a VM's demand is made of, as a scenario may state them. How each works: docs/workloads.md. */

/** A duration, which may be negative. */
export const shift = z.string().regex(DURATION, 'expected a duration such as 5m, 1h30m or -3h');
/** A duration of 0 or more. */
export const delay = (preset: string) =>
  shift.regex(/^[^-]/, 'expected a duration that is not negative').default(preset);
/** A duration of more than 0. */
export const span = (preset: string) =>
  shift.regex(/^[^-]*[1-9]/, 'expected a duration above 0').default(preset);
const ratio = (preset: number, most = 1) => z.number().min(0).max(most).default(preset);
const positive = (preset: number) => z.number().positive().default(preset);
const bytes = (preset: number) => z.number().min(0).default(preset);

const size = z.strictObject({
  cpu: positive(2).describe('cores'),
  memory: positive(8192).describe('MiB'),
});

const cycle = z.strictObject({
  amplitude: ratio(0.6, 5).describe('height of the daily peak above the daily mean, as a share of the mean'),
  peak: delay('14h').describe('time of day of the peak, UTC'),
  focus: ratio(0, 20).describe('how narrow the peak is: 0 a sine, 2 office hours, 8 an hour or two'),
  weekend: ratio(0.7, 5).describe('load of Saturday and Sunday relative to a weekday'),
});

const noise = z.strictObject({
  deviation: ratio(0.2, 2).describe('standard deviation of the logarithm of the load'),
  persistence: span('40m').describe('time in which the autocorrelation of the noise falls to 1/e'),
});

const bursts = z.strictObject({
  every: span('6h').describe('mean quiet time between bursts'),
  lasts: span('20m').describe('mean length of a burst'),
  height: z.number().min(1).default(2).describe('mean load in a burst relative to the load without it'),
});

const flashCrowds = z.strictObject({
  every: span('5d').describe("mean time between crowds; one crowd hits all of the application's VMs"),
  peak: z.number().min(1).default(3).describe('mean load at the peak relative to the load without it'),
  rise: span('20m').describe('time from first visitors to the peak'),
  hold: delay('40m').describe('time at the peak'),
  decay: span('1h').describe('time in which the crowd falls to 1/e'),
});

const trend = z.strictObject({
  perWeek: z.number().min(-1).max(5).default(0.1).describe('growth a week as a share of the initial load'),
});

const regimes = z.strictObject({
  every: span('4d').describe("mean time between changes of level; all of a user's VMs change together"),
  deviation: ratio(0.4, 2).describe('standard deviation of the logarithm of the level'),
});

const jobs = z
  .strictObject({
    every: span('1d').describe('period of the schedule'),
    at: delay('1h').describe('time of the first release in a period, UTC'),
    jitter: delay('30m').describe('release is late by up to this much; at most the period'),
    lasts: span('45m').describe('mean time a job takes unhindered'),
    deviation: ratio(0.4, 2).describe('standard deviation of the logarithm of the time a job takes'),
    cores: ratio(0.9, 4).describe('cores a running job keeps busy, as a share of the VM size'),
    deadline: span('6h').describe('time from release to deadline'),
  })
  .refine((j) => parseDuration(j.jitter) <= parseDuration(j.every), {
    path: ['jitter'],
    message: 'must not exceed every, so that jobs are released in order',
  });

const memory = z.strictObject({
  base: ratio(0.45, 2).describe('memory in use at idle, as a share of the VM size'),
  load: ratio(0.35, 2).describe('more memory with all cores busy, as a share of the VM size'),
  lag: delay('2h').describe('time constant with which memory follows the load'),
  creep: ratio(0.1, 2).describe('growth by leak or garbage until it is freed, as a share of memory in use'),
  period: span('1d').describe('time from one release of garbage (or restart) to the next'),
});

const io = (perCore: number, lag: string) =>
  z.strictObject({
    idle: bytes(20_000).describe('bytes/s at no load'),
    perCore: bytes(perCore).describe('bytes/s for each busy core'),
    lag: delay(lag).describe('time constant with which it follows CPU'),
    deviation: ratio(0.25, 2).describe('standard deviation of the logarithm of its own noise'),
  });

/** An ingredient that can be left out. */
const optional = <T extends z.ZodType>(schema: T) => z.union([z.literal('none'), schema]);

export const ingredients = z.strictObject({
  sizes: z.array(size).min(1).describe('VM sizes, each as likely as the others'),
  level: z
    .number()
    .min(0)
    .max(4)
    .describe('mean busy cores as a share of the VM size, before bursts, crowds and jobs'),
  cycle: optional(cycle).describe('daily and weekly cycle'),
  noise: optional(noise).describe('correlated random variation'),
  bursts: optional(bursts).describe('Markov-modulated bursts, each VM its own'),
  flashCrowds: optional(flashCrowds).describe('rare crowds that hit a whole application'),
  trend: optional(trend).describe('steady growth or decline'),
  regimes: optional(regimes).describe('sudden lasting changes of level'),
  jobs: optional(jobs).describe('scheduled batch jobs with deadlines'),
  memory: memory.describe('memory'),
  diskIo: io(3_000_000, '8m').describe('disk'),
  network: io(6_000_000, '1m').describe('network'),
});

/** All that makes up the demand of an application's VMs. */
export type Ingredients = z.output<typeof ingredients>;
export type Size = z.output<typeof size>;
export type CycleConfig = z.output<typeof cycle>;
export type JobsConfig = z.output<typeof jobs>;
