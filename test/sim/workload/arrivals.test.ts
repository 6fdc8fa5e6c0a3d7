import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DAY, HOUR, MINUTE } from '../../../core/duration.ts';
import { CPU } from '../../../core/model.ts';
import { type ArrivalProcess, type Batch, poissonArrivals } from '../../../sim/workload/arrivals.ts';
import {
  AZURE_SURVIVAL,
  azureArrivals,
  batchSize,
  lifetimeAt,
  meanBatch,
} from '../../../sim/workload/azure.ts';
import { generated, mean, record } from './streams.ts';

function until(process: ArrivalProcess, ms: number): Batch[] {
  const batches: Batch[] = [];
  for (let next = process.next(); !next.done && next.value.atMs < ms; next = process.next()) {
    batches.push(next.value);
  }
  return batches;
}

const median = (x: readonly number[]) => [...x].sort((a, b) => a - b)[Math.floor(x.length / 2)]!;

describe('Poisson arrivals', () => {
  it('come at their rate, live as long as they should, and are in a steady state from the start', () => {
    const batches = until(poissonArrivals({ perDay: 300, lifetime: '6h' }, 5), 30 * DAY);
    const here = batches.filter(({ atMs }) => atMs >= 0);
    // 9,000 with an s.d. of 95
    expect(Math.abs(here.length - 9000)).toBeLessThan(380);
    expect(mean(here.map((b) => b.lifetimesMs[0]!)) / HOUR).toBeCloseTo(6, 0);
    expect(median(here.map((b) => b.lifetimesMs[0]!)) / HOUR).toBeCloseTo(6 * Math.LN2, 0);
    const stock = (ms: number) =>
      batches.filter(({ atMs, lifetimesMs }) => atMs <= ms && atMs + lifetimesMs[0]! > ms).length;
    // Little: 300 a day x 1/4 day = 75, Poisson, so with an s.d. of 8.7
    expect(Math.abs(stock(0) - 75)).toBeLessThan(35);
    expect(Math.abs(mean(Array.from({ length: 60 }, (_, i) => stock((i * DAY) / 2))) - 75)).toBeLessThan(8);
  });
});

describe('the Azure pattern', () => {
  it('has the fitted batch sizes, however many VMs a day', () => {
    const n = 200_000;
    const sizes = Array.from({ length: n }, (_, i) => batchSize((i + 0.5) / n, 600));
    const above = (s: number) => sizes.filter((x) => x > s).length / n;
    // Data: .421 .236 .113 .064 .028 .0143 .0079
    for (const [s, share] of [
      [1, 0.421],
      [2, 0.236],
      [5, 0.113],
      [10, 0.064],
      [25, 0.028],
      [50, 0.0143],
      [100, 0.0079],
    ] as const)
      expect(above(s) / share).toBeCloseTo(1, 0);
    expect(mean(sizes)).toBeCloseTo(meanBatch(600), 1);
    expect(mean(sizes)).toBeGreaterThan(4.6); // data: 4.88
    expect(mean(sizes)).toBeLessThan(5.1);
    const small = Array.from({ length: n }, (_, i) => batchSize((i + 0.5) / n, 20));
    expect(Math.max(...small.slice(0, 1000))).toBe(20);
    expect(mean(small)).toBeCloseTo(meanBatch(20), 1);
  });

  it('reads survival tables both ways', () => {
    const table = AZURE_SURVIVAL.small;
    for (const [ms, share] of table.slice(0, -1)) expect(lifetimeAt(share, table)).toBeCloseTo(ms, 3);
    // Half way between 5 and 10 minutes in logarithms: the geometric mean, sqrt(50) = 7.07 min.
    expect(lifetimeAt((0.909 + 0.84) / 2, table) / MINUTE).toBeCloseTo(7.07, 2);
    expect(lifetimeAt(0, table)).toBeCloseTo(30 * DAY, 0);
  });

  it('comes by day more than by night, in batches that live alike, for minutes to weeks', () => {
    const batches = until(azureArrivals({ perDay: 4000 }, 3), 20 * DAY).filter((b) => b.atMs >= 0);
    const vms = batches.reduce((n, b) => n + b.lifetimesMs.length, 0);
    expect(vms / 20 / 4000).toBeCloseTo(1, 1);

    const around = (hour: number) =>
      batches.filter((b) => Math.abs(((b.atMs / HOUR) % 24) - hour) < 1.5).length;
    // 1 + 0.4 against 1 - 0.4, less 2 % over three hours
    expect(around(14.4) / around(2.4)).toBeGreaterThan(2);
    expect(around(14.4) / around(2.4)).toBeLessThan(2.6);

    const small = batches.filter((b) => b.lifetimesMs.length <= 5).flatMap((b) => b.lifetimesMs);
    const large = batches.filter((b) => b.lifetimesMs.length > 5);
    // Data: 1 h 48 min and 19 min; few large batches, which live alike, make the second the rougher one.
    expect(median(small) / HOUR).toBeGreaterThan(1.55);
    expect(median(small) / HOUR).toBeLessThan(2.1);
    expect(median(large.flatMap((b) => b.lifetimesMs)) / MINUTE).toBeGreaterThan(14);
    expect(median(large.flatMap((b) => b.lifetimesMs)) / MINUTE).toBeLessThan(26);
    expect(small.filter((ms) => ms > 7 * DAY).length / small.length).toBeGreaterThan(0.01);

    const alike = large.flatMap((b) => b.lifetimesMs.slice(1).map((ms, i) => ms === b.lifetimesMs[i]));
    expect(mean(alike.map(Number))).toBeCloseTo(0.81, 1);
    expect(large.every((b) => new Set(b.sizes).size === 1)).toBe(true);
    const cores = batches.map((b) => b.sizes[0]!.cpu);
    expect(cores.filter((c) => c === 1).length / cores.length).toBeCloseTo(0.634, 1); // .581 + .053
  });

  it('is in a steady state from the start', async () => {
    const arrivals = { pattern: 'azure', perDay: 600 };
    const stream = (await generated([{ vmsPerUser: 0 }], 6 * 288, { arrivals }, 11)).open();
    const vms: { at: number; until: number }[] = [];
    for (let at = 0; at < 6 * 288; at++) {
      for (const { until } of stream.arrivals(at)) vms.push({ at, until });
    }
    const stock = (t: number) => vms.filter((vm) => vm.at <= t && vm.until > t).length;
    const byDay = [0, 1, 2, 3, 4, 5].map((day) => stock(day * 288 + 144));
    expect(stock(0)).toBeGreaterThan(80);
    expect(Math.max(...byDay) / Math.min(...byDay)).toBeLessThan(2.2);
  });
});

describe('VMs that come and go', () => {
  it('are there from arrival to departure, with the application and user they say', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1000),
        fc.constantFrom('poisson', 'azure'),
        fc.integer({ min: 1, max: 200 }),
        async (seed, pattern, perDay) => {
          const apps = [
            { users: 2, vmsPerUser: 1 },
            { users: 3, vmsPerUser: 0 },
          ];
          const arrivals = { pattern, perDay };
          const workload = await generated(apps, 200, { arrivals }, seed);
          const vms = record(workload);
          expect(new Set(vms.map((vm) => vm.arrival.spec.vmId)).size).toBe(vms.length);
          vms.forEach(({ arrival, at, demand }, n) => {
            expect(arrival.vm).toBe(n); // dense from 0
            expect(arrival.until).toBeGreaterThan(at);
            const end = Math.min(arrival.until, 200);
            expect(demand.length / 4).toBe(end - at);
            expect(
              arrival.spec.vmId.startsWith(`${arrival.spec.applicationId}-${arrival.spec.userId}-`),
            ).toBe(true);
            expect(demand.every((x) => Number.isFinite(x) && x >= 0)).toBe(true);
            expect(demand[CPU]).toBeGreaterThan(0);
          });
          expect(
            vms.filter((vm) => vm.at === 0 && vm.arrival.until === Number.POSITIVE_INFINITY).length,
          ).toBeGreaterThanOrEqual(2);
        },
      ),
      { numRuns: 15 },
    );
  });
});
