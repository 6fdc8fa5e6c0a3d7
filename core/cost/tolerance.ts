import { z } from 'zod';
import { DURATION } from '../duration.ts';

const duration = z.string().regex(DURATION, 'expected a duration such as 5m, 1h30m or 7d');

/** What the owner of an application says its work can bear. Advice that would need more is not given. */
export const toleranceSchema = z.strictObject({
  deferrable: z
    .strictObject({
      within: duration
        .optional()
        .describe('Work may be done so much later. Jobs of a generator bring their own deadlines.'),
    })
    .optional()
    .describe('Its work above the base load can wait.'),
  interruptible: z
    .strictObject({
      checkpoint: z
        .strictObject({
          every: duration.default('30m').describe('Time between checkpoints.'),
          takes: duration.default('20s').describe('Time one takes, in which no work is done.'),
        })
        .optional()
        .describe('Without it, a VM that is taken away has lost all work since it last started.'),
      restart: duration.default('2m').describe('Time until it works again once it has capacity.'),
      downtime: z.number().min(0).max(1).default(0.05).describe('Share of time it may be away.'),
    })
    .optional()
    .describe('Its VMs may be taken away at short notice.'),
});

export const tolerancesSchema = z.record(z.string(), toleranceSchema);

export type Tolerance = z.infer<typeof toleranceSchema>;
export type Tolerances = z.infer<typeof tolerancesSchema>;
