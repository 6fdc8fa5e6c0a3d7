import { z } from 'zod';

/** OpenCost's defaults as of 2026-11; on demand. */
export const priceParams = z
  .strictObject({
    currency: z.string().default('USD'),
    asOf: z.string().default('2026-11-24').describe('Date of the list, for the reader of a report.'),
    cpuHour: z.number().min(0).default(0.031611).describe('Price of a vCPU for an hour.'),
    memoryGibHour: z.number().min(0).default(0.004237).describe('Price of a GiB of memory for an hour.'),
    diskMbsHour: z
      .number()
      .min(0)
      .default(0)
      .describe('Price of 1e6 bytes/s of provisioned disk rate for an hour.'),
    networkMbsHour: z
      .number()
      .min(0)
      .default(0)
      .describe('Price of 1e6 bytes/s of provisioned network rate for an hour.'),
    resize: z.number().min(0).default(0).describe('Cost of one resize that was carried out.'),
    violationHour: z
      .number()
      .min(0)
      .default(0)
      .describe('SLO penalty for an hour in which a resource of a VM is short.'),
  })
  .prefault({});

export type Prices = z.infer<typeof priceParams>;

/** Price of one unit (core, MiB, byte/s, byte/s) for one second, in the order of RESOURCES. */
export function unitPricesPerSecond(prices: Prices): readonly [number, number, number, number] {
  return [
    prices.cpuHour / 3600,
    prices.memoryGibHour / 1024 / 3600,
    prices.diskMbsHour / 1e6 / 3600,
    prices.networkMbsHour / 1e6 / 3600,
  ];
}
