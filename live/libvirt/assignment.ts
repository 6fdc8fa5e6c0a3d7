import { z } from 'zod';
import { RESOURCES, type ResourceVector, type VmSpec } from '../../core/model.ts';
import type { DomainLimits } from './session-types.ts';

const id = z
  .string()
  .min(1)
  .refine((text) => !/\p{Cc}/u.test(text), 'must hold no control characters');

const bounds = z
  .strictObject({
    min: z.number().nonnegative().optional().describe('never less than this'),
    max: z.number().nonnegative().optional().describe('never more than this; 0: the resource is left alone'),
  })
  .refine(({ min, max }) => min === undefined || max === undefined || max === 0 || min <= max, {
    error: 'min is larger than max',
    path: ['min'],
  });

/** Who a domain works for, and the bounds of its resources: from its metadata, or from the mapping file. */
export const assignmentSchema = z.strictObject({
  application: id.describe('application the VM belongs to'),
  user: id.describe('user the VM works for'),
  cpu: bounds.optional().describe('cores; 0.1 to the most vCPUs if not given'),
  memory: bounds.optional().describe('MiB; a quarter to all of the maximum memory if not given'),
  diskIo: bounds.optional().describe('bytes/s over all disks; left alone without max'),
  network: bounds.optional().describe('bytes/s a direction over all interfaces; left alone without max'),
});
export type Assignment = z.infer<typeof assignmentSchema>;

/** Smallest CPU grant if none is given, cores: a guest with less does not even keep its clock. */
const MIN_CORES = 0.1;

/** The VM as the core knows it. Bounds are cut to what the domain can be given. */
export function vmSpec(vmId: string, assignment: Assignment, limits: DomainLimits): VmSpec {
  const memory = limits.maxMemoryKib / 1024;
  const defaults = {
    cpu: { requested: limits.vcpus, min: MIN_CORES, max: limits.maxVcpus, ceiling: limits.maxVcpus },
    memory: { requested: memory, min: memory / 4, max: memory, ceiling: memory },
    diskIo: { requested: undefined, min: 1, max: 0, ceiling: Number.POSITIVE_INFINITY },
    network: { requested: undefined, min: 1, max: 0, ceiling: Number.POSITIVE_INFINITY },
  };
  const rows = RESOURCES.map((name) => {
    const given = assignment[name];
    const { requested, min, max, ceiling } = defaults[name];
    const top = Math.min(given?.max ?? max, ceiling);
    if (top === 0) return { requested: 0, min: 0, max: 0 };
    const bottom = Math.min(given?.min ?? min, top);
    return { requested: Math.max(bottom, Math.min(requested ?? top, top)), min: bottom, max: top };
  });
  const vector = (of: (row: (typeof rows)[number]) => number) => rows.map(of) as unknown as ResourceVector;
  return {
    vmId,
    applicationId: assignment.application,
    userId: assignment.user,
    requested: vector((row) => row.requested),
    min: vector((row) => row.min),
    max: vector((row) => row.max),
  };
}
