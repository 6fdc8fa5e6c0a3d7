import { z } from 'zod';
import { wantedMemory } from '../demand-estimate.ts';
import { type Frame, grown, MEMORY, R } from '../model.ts';
import { RecentHigh } from './recent-high.ts';
import type { Policy, PolicyContext } from './types.ts';

const quantile = z.number().gt(0).lt(1);
const horizon = z.int().min(1).max(2016);
const margin = z.number().min(0).max(5);

export const quantileParams = z.strictObject({
  quantile: quantile.default(0.95).describe('Quantile of the forecast to provide for.'),
  horizon: horizon
    .default(1)
    .describe('Ticks ahead; the need is the largest over them. 1 where a resize takes less than a tick.'),
  margin: margin.default(0).describe('Head-room on top, as a share of the need.'),
  memory: z
    .strictObject({
      quantile: quantile.default(0.99),
      horizon: horizon.default(12),
      margin: margin.default(0.05),
      holdHours: z
        .int()
        .min(0)
        .max(168)
        .default(24)
        .describe('Never below the highest usage of so many hours: what comes once a day comes again.'),
    })
    .prefault({})
    .describe('The same for memory, whose shortage kills where others wait.'),
  upBand: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Leave it while the target is at most this share above.'),
  downBand: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .describe('Leave it while the target is at most this share below: fewer resizes for a little more cost.'),
});

export type QuantileParams = z.infer<typeof quantileParams>;

/**
 * Provides for a quantile of the forecast: the chance of a shortage is chosen, not the distance from the
 * allocation. The two bands keep it from moving for every small change.
 */
export function createQuantile(params: QuantileParams, ctx: PolicyContext): Policy {
  const forecaster = ctx.forecaster;
  if (!forecaster) throw new RangeError('the quantile policy needs a forecaster');
  const { memory } = params;
  const { raise } = ctx;
  let need = new Float64Array(0);
  let memoryNeed = new Float64Array(0);
  const held = memory.holdHours > 0 ? new RecentHigh(memory.holdHours, ctx.stepMs) : undefined;
  const same = memory.quantile === params.quantile && memory.horizon === params.horizon;
  const factor = 1 + params.margin;
  const memoryFactor = 1 + memory.margin;
  const above = 1 + params.upBand;
  const below = 1 - params.downBand;
  return {
    name: 'quantile',
    grow(capacity) {
      need = grown(need, capacity * R);
      memoryNeed = same ? need : grown(memoryNeed, capacity * R);
      held?.grow(capacity);
    },
    admit(slot) {
      held?.admit(slot);
    },
    decide(frame: Frame, slots: Int32Array, desired: Float64Array) {
      forecaster.peak(slots, params.horizon, params.quantile, need);
      raise?.lift(forecaster, slots, params.horizon, need);
      if (!same) {
        forecaster.peak(slots, memory.horizon, memory.quantile, memoryNeed, MEMORY);
        raise?.lift(forecaster, slots, memory.horizon, memoryNeed);
      }
      held?.begin(frame.tick);
      for (let k = 0; k < slots.length; k++) {
        const slot = slots[k]!;
        const from = slot * R;
        const high = held ? held.add(slot, wantedMemory(frame, slot)) : 0;
        for (let i = from; i < from + R; i++) {
          const allocation = desired[i]!;
          const target =
            i - from === MEMORY ? Math.max(memoryNeed[i]!, high) * memoryFactor : need[i]! * factor;
          if (target > above * allocation || target < below * allocation) desired[i] = target;
        }
      }
    },
  };
}
