import { z } from 'zod';

/** How a guest behaves when it is short. */
export const vmModelParams = z
  .strictObject({
    memoryShort: z
      .enum(['oom', 'swap'])
      .default('oom')
      .describe('Memory demand above the allocation kills the guest, or makes it swap.'),
    graceS: z
      .number()
      .min(0)
      .default(5)
      .describe('A shortage of memory this short is met by dropping caches: nobody is killed, s.'),
    restartS: z.number().min(0).default(60).describe('Time a killed guest needs to come back, s.'),
    swapPenalty: z
      .number()
      .min(0)
      .default(4)
      .describe('CPU speed falls to 1 / (1 + this x share of memory swapped out).'),
    backlogS: z
      .number()
      .min(0)
      .default(600)
      .describe(
        'Waiting work is bounded at this many seconds of the allocation; what exceeds it is dropped.',
      ),
  })
  .prefault({});

export type VmModelParams = z.infer<typeof vmModelParams>;
