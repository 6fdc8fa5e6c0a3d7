import { z } from 'zod';
import { delay, shift, span } from '../ingredients.ts';
import { ANOMALY_KINDS } from './kinds.ts';

const anomaly = z.strictObject({
  kind: z.enum(ANOMALY_KINDS).describe('what goes wrong'),
  share: z
    .number()
    .gt(0, 'a share of 0 VMs meets no anomaly; leave the entry out')
    .max(1)
    .describe(
      'share of the VMs in question it happens to, once each; of those there at the start, at least one',
    ),
  applications: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('ids of the applications whose VMs it may happen to; all when left out'),
  from: delay('0s').describe('earliest onset, from the start of the simulated time'),
  within: span('1d').describe('onsets are spread evenly over this much time after `from`'),
  lasts: shift
    .regex(/^[^-]*[1-9]/, 'expected a duration above 0')
    .optional()
    .describe("how long it lasts; the kind's own length when left out"),
  size: z
    .number()
    .positive()
    .optional()
    .describe("how large it is, in the kind's own terms: docs/anomalies.md"),
});

/** The `anomalies` key of a workload: what goes wrong, when, and with how many of its VMs. */
export const injectedAnomalies = z
  .array(anomaly)
  .default([])
  .describe(
    'anomalies that demand is made to show, on whatever workload this is; known to the measures only',
  );

export type AnomalyConfig = z.output<typeof anomaly>;
