import { z } from 'zod';
import { delay, span } from '../ingredients.ts';
import { ANOMALY_KINDS } from './kinds.ts';

const anomaly = z.strictObject({
  kind: z.enum(ANOMALY_KINDS).describe('what goes wrong'),
  share: z
    .number()
    .gt(0, 'a share of 0 VMs meets no anomaly; leave the entry out')
    .max(1)
    .describe('share of the VMs it happens to, once each; of those there at the start, at least one'),
  from: delay('0s').describe('earliest onset, from the start of the simulated time'),
  within: span('1d').describe('onsets are spread evenly over this much time after `from`'),
  lasts: span('1h').optional().describe("how long it lasts; the kind's own length when left out"),
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
