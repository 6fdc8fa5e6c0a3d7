import { z } from 'zod';
import type { ResourceVector } from '../model.ts';

const amount = z.number().min(0);

/** An allocation in the units of `UNITS`. */
const allocation = z.strictObject({ cpu: amount, memory: amount, diskIo: amount, network: amount });

export type Allocation = z.infer<typeof allocation>;

const hour = z.int().min(0).max(23);

/**
 * What an operator changes about a fleet. A recommendation proposes one; a scenario lists those that are in force, and
 * the simulator carries them out on the same inputs.
 */
export const changeSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('retire'), vms: z.array(z.string()).min(1) })
    .describe('The VMs are gone.'),
  z
    .strictObject({ kind: z.literal('right-size'), vms: z.record(z.string(), allocation) })
    .describe('Standing allocations by VM, in place of what the owners requested.'),
  z
    .strictObject({
      kind: z.literal('shift'),
      application: z.string(),
      hours: z.array(hour).min(1).max(24).describe('Hours of the day (UTC) in which deferrable work runs.'),
      vms: z.record(
        z.string(),
        z.strictObject({
          base: allocation.describe('Usage without deferrable work: what lies above it can wait.'),
          most: allocation.describe('Work that waited takes at most so much above the base.'),
          inside: allocation.optional().describe('Standing allocation in these hours.'),
          outside: allocation.optional().describe('Standing allocation in the others.'),
        }),
      ),
    })
    .describe('Work that can wait runs in these hours, or just in time for its deadline.'),
  z
    .strictObject({ kind: z.literal('spot'), applications: z.array(z.string()).min(1) })
    .describe('All VMs of the applications run on spot capacity.'),
  z
    .strictObject({
      kind: z.literal('reserve'),
      cores: amount,
      memoryGib: amount,
      termMonths: z.number().gt(0),
      discount: z.number().gt(0).lt(1),
    })
    .describe('Capacity bought for a term: paid whether used or not, at a discount from the list price.'),
  z
    .strictObject({
      kind: z.literal('consolidate'),
      hosts: z
        .array(z.int().min(0))
        .min(1)
        .describe('Hosts kept of each group, in the order of hosts.groups.'),
      cpuOvercommit: z.number().min(1).optional().describe('Cores promised per core, of every group.'),
    })
    .describe('Hosts beyond these are switched off and given back.'),
]);

export type Change = z.infer<typeof changeSchema>;
export type ChangeKind = Change['kind'];
export type ChangeOf<K extends ChangeKind> = Extract<Change, { kind: K }>;

export function toVector({ cpu, memory, diskIo, network }: Allocation): ResourceVector {
  return [cpu, memory, diskIo, network];
}

export function toAllocation(row: ArrayLike<number>): Allocation {
  return { cpu: row[0]!, memory: row[1]!, diskIo: row[2]!, network: row[3]! };
}
