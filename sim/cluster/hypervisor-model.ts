import { z } from 'zod';

const RATE =
  'Units a second by which it shrinks; adds change / rate to the latency. Growth needs no such time.';

const action = (latencyMs: number, ratePerS?: number) => {
  const rate = z.number().gt(0).optional().describe(RATE);
  return z
    .strictObject({
      latencyMs: z.number().min(0).default(latencyMs).describe('Time until a resize takes effect.'),
      ratePerS: ratePerS === undefined ? rate : rate.default(ratePerS),
      failure: z.number().min(0).max(1).default(0).describe('Share of resizes that fail.'),
    })
    .prefault({});
};

/**
 * How long resizes take and how often they fail, by resource. The defaults were measured on libvirt 9 with QEMU 7.2:
 * CPU quota and I/O limits 50 ms, a balloon that takes 47 MiB/s from the guest.
 */
export const hypervisorParams = z
  .strictObject({
    cpu: action(50),
    memory: action(100, 47),
    diskIo: action(50),
    network: action(50),
  })
  .prefault({});

export type HypervisorParams = z.infer<typeof hypervisorParams>;
