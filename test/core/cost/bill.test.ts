import { describe, expect, it } from 'vitest';
import { Bill, type BillSetup } from '../../../core/cost/bill.ts';
import { SpotPrice } from '../../../core/cost/tariff.ts';
import { Fleet } from '../../../core/fleet.ts';
import type { ResourceVector } from '../../../core/model.ts';
import { type Prices, priceParams } from '../../../core/prices.ts';

const HOUR = 3_600_000;
/** 2 a core-hour, 1 a GiB-hour. */
const LIST = { cpuHour: 2, memoryGibHour: 1 };

function billOf(prices: object, more: Partial<BillSetup> = {}, apps: readonly string[] = ['a']) {
  const fleet = new Fleet();
  const parsed: Prices = priceParams.parse({ ...LIST, ...prices });
  const bill = fleet.register(
    new Bill(fleet, { prices: parsed, stepMs: HOUR, reservations: [], hosts: 0, ...more }),
  );
  const none: ResourceVector = [0, 0, 0, 0];
  apps.forEach((applicationId, i) => {
    fleet.admit({ vmId: `v${i}`, applicationId, userId: 'u', requested: none, min: none, max: none }, 0);
  });
  return bill;
}

/** Rows of cores and GiB as a column. */
const column = (...vms: readonly (readonly [number, number])[]) =>
  Float64Array.from(vms.flatMap(([cores, gib]) => [cores, gib * 1024, 0, 0]));

describe('a bill', () => {
  it('charges the list price where nothing else is stated', () => {
    const bill = billOf({});
    bill.observe(0, column([3, 4]), 0);
    expect(bill.take(0)).toBeCloseTo(3 * 2 + 4 * 1, 12); // 10
    expect(bill.take(0)).toBe(0);
  });

  it('charges by the hour of the day', () => {
    const byHour = Array.from({ length: 24 }, (_, h) => (h < 6 ? 0.5 : 1));
    const bill = billOf({ byHour });
    for (let h = 0; h < 24; h++) bill.observe(h * HOUR, column([1, 0]), 0);
    // 6 hours at half of 2, 18 at 2.
    expect(bill.take(0)).toBeCloseTo(6 * 1 + 18 * 2, 9); // 42
  });

  it('charges by the hour of the week, which begins on Monday', () => {
    const byHour = Array.from({ length: 168 }, (_, h) => (h === 0 ? 10 : 1));
    const bill = billOf({ byHour });
    const monday = Date.UTC(2024, 0, 1);
    bill.observe(monday, column([1, 0]), 0);
    bill.observe(monday + HOUR, column([1, 0]), 0);
    bill.observe(monday + 7 * 24 * HOUR, column([1, 0]), 0);
    expect(bill.take(0)).toBeCloseTo(20 + 2 + 20, 9);
  });

  it('charges reserved capacity whether used or not, and what exceeds it at the list price', () => {
    const bill = billOf({}, { reservations: [{ cores: 4, memoryGib: 0, discount: 0.25 }] });
    // Reserved: 4 cores x 2 x 0.75 = 6 an hour.
    bill.observe(0, column([6, 0]), 0); // + 2 cores above it at 2: 4
    expect(bill.take(0)).toBeCloseTo(10, 12);
    bill.observe(HOUR, column([1, 0]), 0); // 3 of the 4 are not used
    expect(bill.take(0)).toBeCloseTo(6, 12);
    expect(bill.parts).toMatchObject({ onDemand: 4, reserved: 12 });
  });

  it('shares what is reserved by what VMs have, and charges it even while there is none', () => {
    const bill = billOf({}, { reservations: [{ cores: 4, memoryGib: 0, discount: 0.5 }] }, ['a', 'a']);
    bill.observe(0, column([0, 0], [0, 0]), 0); // 4 x 2 x 0.5 = 4, nobody to charge
    bill.observe(HOUR, column([1, 0], [3, 0]), 0); // 8 due: a quarter and three
    expect([bill.take(0), bill.take(1)]).toEqual([2, 6]);
  });

  it('charges spot capacity at its price, outside of what is reserved', () => {
    const price = new SpotPrice({ ...SPOT, history: [0.2, 0.4] }, 1, 0);
    const bill = billOf(
      {},
      {
        spot: { applications: new Set(['b']), price },
        reservations: [{ cores: 2, memoryGib: 0, discount: 0.5 }],
      },
      ['a', 'b'],
    );
    bill.observe(0, column([2, 0], [5, 0]), 0);
    bill.observe(HOUR, column([2, 0], [5, 0]), 0);
    // b: 5 x 2 x (0.2 + 0.4) = 6; a: covered; reserved 2 x 2 x 0.5 = 2 an hour, shared 4 to 10 by list price.
    expect(bill.parts.spot).toBeCloseTo(6, 12);
    expect(bill.parts.onDemand).toBeCloseTo(0, 12);
    expect(bill.take(0)).toBeCloseTo((4 * 4) / 14, 12);
    expect(bill.take(1)).toBeCloseTo(6 + (4 * 10) / 14, 12);
  });

  it('adds hosts and energy', () => {
    const bill = billOf({ hostHour: 3, kwh: 0.5 }, { hosts: 2 });
    bill.observe(0, column([1, 0]), 4);
    expect(bill.take(0)).toBeCloseTo(2 + 2 * 3 + 4 * 0.5, 12); // 10
    expect(bill.parts).toMatchObject({ hosts: 6, energy: 2 });
  });
});

const SPOT = {
  price: 0.21,
  volatility: 0.25,
  reversionHours: 12,
  noticeS: 120 as const,
  interruptionsPerDay: 0.1,
  outageMinutes: 20,
};

describe('a spot price', () => {
  it('is what the history says, over and over', () => {
    const price = new SpotPrice({ ...SPOT, history: [0.1, 0.3] }, 1, 0);
    expect([0, 1, 2, 3].map((h) => price.at(h * HOUR))).toEqual([0.1, 0.3, 0.1, 0.3]);
  });

  it('reverts to its mean, and is the same for the same seed in any order', () => {
    const a = new SpotPrice(SPOT, 7, 0);
    const b = new SpotPrice(SPOT, 7, 0);
    expect(b.at(5000 * HOUR)).toBe(a.at(5000 * HOUR));
    expect(b.at(10 * HOUR)).toBe(a.at(10 * HOUR));
    let sum = 0;
    for (let h = 0; h < 20_000; h++) {
      sum += a.at(h * HOUR);
      expect(a.at(h * HOUR)).toBeLessThanOrEqual(1);
    }
    expect(sum / 20_000).toBeCloseTo(0.21, 2);
  });
});

describe('prices by hour', () => {
  const problems = (byHour: readonly (number | null)[]) => priceParams.safeParse({ byHour }).error?.issues;
  it('miss no hour', () => {
    expect(problems(new Array(24).fill(1))).toBeUndefined();
    expect(problems(new Array(168).fill(1))).toBeUndefined();
    expect(problems(new Array(23).fill(1))?.[0]).toMatchObject({
      path: ['byHour', 23],
      message: expect.stringContaining('hour 23 is missing'),
    });
    expect(problems(new Array(100).fill(1))?.[0]?.path).toEqual(['byHour', 100]);
    expect(problems([1, null, ...new Array(22).fill(1)])?.[0]?.path).toEqual(['byHour', 1]);
  });
});
