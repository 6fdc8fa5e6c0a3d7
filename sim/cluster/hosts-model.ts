import { z } from 'zod';
import { powerTable } from './power-model.ts';

const positive = z.number().gt(0);
const ratio = z
  .number()
  .min(1, 'overcommit below 1 would leave part of the host unused; 1 is no overcommit')
  .default(1);

const group = z.strictObject({
  count: z.int().positive().max(100_000),
  cores: positive,
  memoryMiB: positive,
  diskBytesPerS: positive.optional().describe('Unlimited when left out.'),
  networkBytesPerS: positive.optional().describe('Unlimited when left out.'),
  overcommit: z
    .strictObject({ cpu: ratio, memory: ratio, diskIo: ratio, network: ratio })
    .prefault({})
    .describe('Allocations may add up to this many times the capacity.'),
  power: powerTable.default('hp-ml110-g5'),
  quarantine: z
    .boolean()
    .default(false)
    .describe('Keeps these hosts for VMs that are isolated for an anomaly; no other VM is placed there.'),
});

export const PLACEMENTS = ['first-fit', 'best-fit', 'power-aware', 'correlation-aware'] as const;

/** Hosts the VMs run on. Without them every VM has all it was allocated. */
export const hostsParams = z
  .strictObject({
    groups: z.array(group).min(1).describe('Kinds of hosts, numbered one group after another from 0.'),
    placement: z.enum(PLACEMENTS).default('best-fit').describe('Which host a VM goes to.'),
    whenFull: z
      .enum(['refuse', 'queue', 'migrate'])
      .default('refuse')
      .describe(
        'A resize its host cannot hold is refused, waits for room, or moves the VM to a host that can.',
      ),
    migration: z
      .strictObject({
        bytesPerS: positive.default(62.5e6).describe('Rate of the copy; half of 1 Gbit/s by default.'),
        slowdown: z.number().min(0).max(1).default(0.1).describe('Share of CPU lost while it is copied.'),
      })
      .prefault({}),
    failures: z
      .strictObject({
        mtbfHours: positive.optional().describe("Mean time between a host's failures; none when left out."),
        repairHours: positive.default(4),
      })
      .prefault({}),
    maintenance: z
      .array(z.strictObject({ host: z.int().min(0), fromHours: z.number().min(0), hours: positive }))
      .default([])
      .describe('Windows in which a host is emptied by live migration and takes no VMs.'),
  })
  .check((ctx) => {
    const { groups, maintenance } = ctx.value;
    if (groups.every(({ quarantine }) => quarantine)) {
      ctx.issues.push({
        code: 'custom',
        input: groups,
        path: ['groups'],
        message: 'every host is kept for quarantine, so that no VM finds a place',
      });
    }
    const count = groups.reduce((sum, { count }) => sum + count, 0);
    maintenance.forEach(({ host }, i) => {
      if (host < count) return;
      ctx.issues.push({
        code: 'custom',
        input: host,
        path: ['maintenance', i, 'host'],
        message: `there is no host ${host}: they are numbered 0 to ${count - 1}`,
      });
    });
  });

export type HostsParams = z.infer<typeof hostsParams>;
