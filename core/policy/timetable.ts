import { z } from 'zod';
import { HOUR } from '../duration.ts';
import { type Frame, grown, type PerSlot, R } from '../model.ts';
import type { Policy, PolicyContext } from './types.ts';

const row = z.tuple([z.number(), z.number(), z.number(), z.number()]);

export const timetableParams = z.strictObject({
  hours: z.array(z.int().min(0).max(23)).min(1).describe('Hours of the day, UTC.'),
  vms: z
    .record(z.string(), z.strictObject({ inside: row, outside: row }))
    .describe('Allocation of a VM in these hours and in the others; VMs that are not named keep theirs.'),
});

export type TimetableParams = z.infer<typeof timetableParams>;

/**
 * Standing allocations that change with the hour of the day. A VM grows a tick before its hours begin, so that
 * it has grown when they do.
 */
export function createTimetable(params: TimetableParams, { fleet, stepMs }: PolicyContext): Policy & PerSlot {
  const inside = Array.from({ length: 24 }, (_, hour) => params.hours.includes(hour));
  let target = new Float64Array(0);
  const at = (ms: number) => inside[Math.floor(ms / HOUR) % 24]!;
  return {
    name: 'timetable',
    grow(capacity) {
      target = grown(target, capacity * R * 2);
    },
    admit(slot) {
      const vm = params.vms[fleet.specs[slot]!.vmId];
      for (let r = 0; r < R; r++) {
        target[(slot * R + r) * 2] = vm ? vm.outside[r]! : Number.NaN;
        target[(slot * R + r) * 2 + 1] = vm ? vm.inside[r]! : Number.NaN;
      }
    },
    decide(frame: Frame, slots: Int32Array, desired: Float64Array) {
      const column = at(frame.at) || at(frame.at + stepMs) ? 1 : 0;
      for (let k = 0; k < slots.length; k++) {
        const from = slots[k]! * R;
        for (let i = from; i < from + R; i++) {
          const to = target[i * 2 + column]!;
          if (to > 0) desired[i] = to;
        }
      }
    },
  };
}
