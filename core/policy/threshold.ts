import { z } from 'zod';
import { type Frame, grown, MEMORY, R } from '../model.ts';
import type { Policy, PolicyContext } from './types.ts';

export const thresholdParams = z
  .strictObject({
    up: z.number().gt(0).default(1.2).describe('Scale up when the prediction exceeds up x allocation.'),
    down: z
      .number()
      .gt(0)
      .default(0.8)
      .describe('Scale down when the prediction is below down x allocation.'),
    quantile: z
      .number()
      .gt(0)
      .lt(1)
      .default(0.5)
      .describe('Which quantile of the forecast is the prediction.'),
    horizon: z
      .int()
      .min(1)
      .max(2016)
      .default(1)
      .describe('Ticks ahead; the prediction is the largest over them.'),
  })
  .refine((p) => p.down < p.up, {
    message: 'the thresholds cross: down must be below up',
    path: ['down'],
  });

export type ThresholdParams = z.infer<typeof thresholdParams>;

/**
 * The seed policy. Scale to the predicted need when it leaves [down, up] x allocation; else leave it. With the
 * default 0.8 and 1.2 a VM may run 20 % short for as long as the prediction stays inside the band; not so after an OOM
 * kill, which has proven the shortage.
 */
export function createThreshold(params: ThresholdParams, ctx: PolicyContext): Policy {
  const forecaster = ctx.forecaster;
  if (!forecaster) throw new RangeError('the threshold policy needs a forecaster');
  let need = new Float64Array(0);
  const { up, down, quantile, horizon } = params;
  return {
    name: 'threshold',
    grow(capacity) {
      need = grown(need, capacity * R);
    },
    admit() {},
    decide({ oomKills }: Frame, slots: Int32Array, desired: Float64Array) {
      /** Comparisons with NaN (nothing known yet) are false: the allocation stays. */
      const weigh = (i: number) => {
        const allocation = desired[i]!;
        const predicted = need[i]!;
        if (predicted > up * allocation || predicted < down * allocation) desired[i] = predicted;
      };
      forecaster.peak(slots, horizon, quantile, need);
      ctx.raise?.lift(forecaster, slots, horizon, need);
      for (let k = 0; k < slots.length; k++) {
        const slot = slots[k]!;
        const from = slot * R;
        weigh(from);
        weigh(from + 1);
        weigh(from + 2);
        weigh(from + 3);
        if (oomKills[slot]! > 0) {
          const memory = from + MEMORY;
          desired[memory] = Math.max(desired[memory]!, need[memory]! || 0);
        }
      }
    },
  };
}
