import { z } from 'zod';

export const ADVICE_KINDS = ['retire', 'right-size', 'shift', 'spot', 'consolidate', 'reserve'] as const;

export const advisorParams = z
  .strictObject({
    kinds: z
      .array(z.enum(ADVICE_KINDS))
      .min(1)
      .default([...ADVICE_KINDS])
      .describe('Advice to look for.'),
    quantile: z
      .number()
      .gt(0)
      .max(1)
      .default(0.999)
      .describe('Right-size: quantile of what a VM was seen to want that its allocation must hold.'),
    margin: z.number().min(0).default(0.15).describe('Right-size: and so much more.'),
    minShrink: z
      .number()
      .min(0)
      .max(1)
      .default(0.1)
      .describe('Right-size: a smaller change of the list price is not worth a note.'),
    idleDays: z.number().gt(0).default(5).describe('Retire: days at the end of the history without use.'),
    idleShare: z
      .number()
      .min(0)
      .max(1)
      .default(0.02)
      .describe('Retire: cpu, disk and network in use at most, as a share of the allocation.'),
    idleCores: z.number().min(0).default(0.1).describe('Retire: and at most so many cores.'),
    idleBytesPerS: z
      .number()
      .min(0)
      .default(500_000)
      .describe('Retire: and at most so much disk and network.'),
    idleMemory: z
      .number()
      .min(0)
      .max(1)
      .default(0.2)
      .describe('Retire: memory in use may vary by so much of the allocation.'),
    spareHosts: z
      .int()
      .min(0)
      .default(1)
      .describe('Consolidate: hosts to keep beyond those that are needed.'),
    nonInferiority: z
      .number()
      .gt(0)
      .max(1)
      .default(0.001)
      .describe('How much more of the VM-time concerned may be short, as a share: the margin of the test.'),
    level: z.number().gt(0.5).lt(1).default(0.95).describe('Level of the intervals.'),
    resamples: z.int().min(100).max(100_000).default(2000).describe('Bootstrap resamples.'),
  })
  .prefault({});

export type AdvisorParams = z.infer<typeof advisorParams>;
