import { z } from 'zod';

const DAY_HOURS = 24;
const WEEK_HOURS = 168;

/** A price by hour: 24 hours of the day or 168 of the week from Monday 0:00 UTC, as multiples of the list price. */
const byHour = z
  .array(z.number().min(0).nullable())
  .check(({ value, issues }) => {
    const missing = value.indexOf(null);
    const length = value.length <= DAY_HOURS ? DAY_HOURS : WEEK_HOURS;
    const hour = missing >= 0 ? missing : value.length === length ? -1 : Math.min(value.length, length);
    if (hour < 0) return;
    issues.push({
      code: 'custom',
      input: value,
      path: [hour],
      message: `the price of hour ${hour} is missing: a day has ${DAY_HOURS} hours, a week ${WEEK_HOURS}, and ${value.length} are given`,
    });
  })
  .transform((list) => list as number[]);

const spotPrices = z.strictObject({
  price: z
    .number()
    .gt(0)
    .max(1)
    .default(0.21)
    .describe("Mean spot price as a share of the list price; OpenCost's default."),
  history: z
    .array(z.number().min(0))
    .min(1)
    .optional()
    .describe('Recorded shares of the list price, an hour each, from the first hour of the run; then again.'),
  volatility: z
    .number()
    .min(0)
    .max(2)
    .default(0.25)
    .describe('Without a history: standard deviation of the logarithm of the price.'),
  reversionHours: z
    .number()
    .gt(0)
    .default(12)
    .describe('Without a history: time in which a departure from the mean falls to 1/e.'),
  noticeS: z
    .union([z.literal(30), z.literal(120)])
    .default(120)
    .describe('Warning before a VM is taken away, s.'),
  interruptionsPerDay: z
    .number()
    .min(0)
    .default(0.1)
    .describe('Mean interruptions of a VM a day at the mean price; they come in proportion to the price.'),
  outageMinutes: z.number().gt(0).default(20).describe('Mean time until capacity is back, exponential.'),
});

const reservedOffer = z.strictObject({
  termMonths: z.number().gt(0).describe('What is bought is paid for this long, used or not.'),
  discount: z.number().gt(0).lt(1).describe('Share taken off the list price.'),
});

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
  .safeExtend({
    byHour: byHour
      .optional()
      .describe('List price by hour of day (24) or week (168, from Monday), UTC, as a multiple of it.'),
    spot: spotPrices.optional().describe('Capacity that may be taken away.'),
    reserved: z.array(reservedOffer).min(1).optional().describe('Offers of capacity for a fixed term.'),
    hostHour: z
      .number()
      .min(0)
      .optional()
      .describe('Cost of a host of the scenario for an hour, used or not.'),
    kwh: z.number().min(0).optional().describe('Cost of a kWh of the hosts.'),
  })
  .prefault({});

export type SpotPrices = z.infer<typeof spotPrices>;
export type ReservedOffer = z.infer<typeof reservedOffer>;
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
