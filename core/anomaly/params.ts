import { z } from 'zod';

/** Settings of the anomaly detector. One setting serves every series; the defaults are for ticks of 5 minutes. */
export const anomalyParams = z.strictObject({
  alarm: z
    .number()
    .positive()
    .default(20)
    .describe('Evidence at which an event begins, once the VM has long been watched; about powers of ten'),
  learn: z
    .int()
    .min(0)
    .default(4032)
    .describe(
      'Ticks of history at which the evidence asked for is still twice `alarm`; more before, by the square',
    ),
  quiet: z.int().min(1).default(3).describe('Ticks back inside the band after which an event ends'),
  accept: z.int().min(1).default(288).describe('Ticks after which a lasting change is the new normal'),
  hold: z.int().min(0).default(100).describe('Ticks in which only what is more surprising counts as news'),
  floor: z
    .number()
    .min(0)
    .max(1)
    .default(0.005)
    .describe('Share of the allocation below which changes are immaterial'),
});

export type AnomalyParams = z.infer<typeof anomalyParams>;
