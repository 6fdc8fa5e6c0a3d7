import { expect, test } from 'vitest';
import { Rng } from '../../../core/rng.ts';
import { nonInferiority } from '../../../sim/compare/non-inferiority.ts';
import { compareRuns } from '../../../sim/compare/paired.ts';
import type { PairedDifference } from '../../../sim/result.ts';
import { runOf } from './support.ts';

const DAY = 86_400;

const baseline = runOf('static', [
  ['a', 0, DAY, 10, 0],
  ['a', 1, DAY, 12, 864],
  ['b', 0, DAY, 20, 0],
  ['b', 1, DAY / 2, 8, 0],
]);
const policy = runOf('quantile', [
  ['b', 0, DAY, 15, 1728], // another order of VMs and days
  ['b', 1, DAY / 2, 7, 0],
  ['a', 1, DAY, 11, 864],
  ['a', 0, DAY, 7, 1296],
]);

test('means, differences and relative differences are ratios of sums', () => {
  const [cost, cpu] = compareRuns([baseline, policy], 'static') as [PairedDifference, PairedDifference];
  // 3.5 VM-days. Cost 50 -> 40: 14.2857 and 11.4286 a VM-day.
  expect(cost).toMatchObject({ policy: 'quantile', baseline: 'static', measure: 'costPerVmDay', vms: 2 });
  expect(cost.unit).toBe('USD/VM-day');
  expect(cost.baselineMean).toBeCloseTo(50 / 3.5, 12);
  expect(cost.policyMean).toBeCloseTo(40 / 3.5, 12);
  expect(cost.difference).toBeCloseTo(-10 / 3.5, 12);
  expect(cost.relative!.value).toBeCloseTo(-0.2, 12);
  // Starved 864 -> 3888 s of 302,400.
  expect(cpu.measure).toBe('violationRate.cpu');
  expect(cpu.baselineMean).toBeCloseTo(864 / 302_400, 15);
  expect(cpu.difference).toBeCloseTo(3024 / 302_400, 15);
  expect(cpu.relative!.value).toBeCloseTo(3.5, 12);
});

test('effect size: mean over standard deviation of the VMs own differences', () => {
  // a: -4 in 2 days = -2 a day; b: -6 in 1.5 days = -4. Mean -3, sd sqrt(2).
  const [cost] = compareRuns([baseline, policy], 'static');
  expect(cost!.effectSize).toBeCloseTo(-3 / Math.SQRT2, 10);
});

test('a run against itself: no difference, no doubt', () => {
  const rows = compareRuns([baseline, { ...baseline, policy: 'copy' }], 'static');
  for (const row of rows) {
    expect(row).toMatchObject({ difference: 0, low: 0, high: 0, pHolm: 1, effectSize: null });
  }
});

test('the interval holds the difference; same seed, same figures', () => {
  const first = compareRuns([baseline, policy], 'static', { seed: 7 });
  expect(compareRuns([baseline, policy], 'static', { seed: 7 })).toEqual(first);
  for (const row of first) {
    expect(row.low).toBeLessThanOrEqual(row.difference);
    expect(row.high).toBeGreaterThanOrEqual(row.difference);
  }
});

test('relative is null where the baseline never starved; the interval null for one VM and one day', () => {
  const a = runOf('a', [['x', 0, DAY, 1, 0]]);
  const b = runOf('b', [['x', 0, DAY, 2, 60]]);
  const [cost, cpu] = compareRuns([a, b], 'a');
  expect(cost).toMatchObject({ difference: 1, low: null, high: null, pHolm: 1 });
  expect(cost!.relative).toEqual({ value: 1, low: null, high: null });
  expect(cpu!.relative).toBeNull();
});

test('a measure is compared where both runs kept it', () => {
  const any = (run: typeof baseline, starvedAny: number[]) => ({ ...run, days: { ...run.days, starvedAny } });
  const rows = compareRuns([any(baseline, [0, 864, 0, 0]), any(policy, [1728, 0, 864, 1296])], 'static');
  expect(rows.map((row) => row.measure)).toEqual(['costPerVmDay', 'violationRate.any', 'violationRate.cpu']);
  expect(compareRuns([baseline, any(policy, [0, 0, 0, 0])], 'static')).toHaveLength(2);
});

test.each([
  ['COMPARE_NO_BASELINE', () => compareRuns([policy], 'static')],
  ['COMPARE_LEVEL', () => compareRuns([baseline, policy], 'static', { level: 95 })],
  ['COMPARE_VMS_DIFFER', () => compareRuns([baseline, runOf('p', [['a', 0, DAY, 1, 0]])], 'static')],
  [
    'COMPARE_DAYS_DIFFER',
    () => {
      const days = { ...policy.days, seconds: [DAY, DAY, DAY, DAY] };
      return compareRuns([baseline, { ...policy, days }], 'static');
    },
  ],
  ['COMPARE_SEEDS_DIFFER', () => compareRuns([baseline, { ...policy, seed: 2 }], 'static')],
  ['COMPARE_CURRENCIES_DIFFER', () => compareRuns([baseline, { ...policy, currency: 'EUR' }], 'static')],
  [
    'COMPARE_BACKENDS_DIFFER',
    () =>
      compareRuns(
        [
          { ...baseline, backend: 'wasm' },
          { ...policy, backend: 'node' },
        ],
        'static',
      ),
  ],
])('%s', (code, compare) => {
  expect(compare).toThrow(expect.objectContaining({ code }));
});

test('non-inferiority: the upper bound against the stated margin', () => {
  const paired = {
    high: 0.004,
    level: 0.95,
    measure: 'violationRate.cpu',
    baseline: 'static',
  } as PairedDifference;
  expect(nonInferiority(paired, 0.005)).toEqual({ margin: 0.005, bound: 0.004, level: 0.975, holds: true });
  expect(nonInferiority(paired, 0.004).holds).toBe(false);
  expect(nonInferiority({ ...paired, high: null }, 1).holds).toBe(false);
  expect(() => nonInferiority(paired, 0)).toThrow(expect.objectContaining({ code: 'COMPARE_MARGIN' }));
});

/** Two policies whose VMs and days differ by chance alone: random effect a VM, first-order autocorrelation a day. */
function sameByChance(trial: number, vms: number, days: number, betweenVms: number) {
  const rng = new Rng(trial, 'calibration', vms, days);
  const rows = { a: [], b: [] } as Record<'a' | 'b', [string, number, number, number, number][]>;
  for (let v = 0; v < vms; v++) {
    const level = 5 + rng.exponential(5);
    const offset = betweenVms * rng.normal();
    let state = rng.normal();
    for (let d = 0; d < days; d++) {
      state = 0.6 * state + 0.8 * rng.normal();
      rows.a.push([`vm${v}`, d, DAY, level, 0]);
      rows.b.push([`vm${v}`, d, DAY, level + offset + state, 0]);
    }
  }
  return [runOf('a', rows.a), runOf('b', rows.b)];
}

// 400 trials at 5 % miss 20 on average, sd 4.4; the band is 3.3 sd wide to both sides.
test.each([
  { name: 'VMs differ', vms: 20, days: 7, betweenVms: 1 },
  { name: 'VMs alike, only days differ', vms: 20, days: 7, betweenVms: 0 },
  { name: 'few VMs', vms: 6, days: 14, betweenVms: 0.5 },
])('intervals at 0.95 miss about one time in twenty: $name', ({ vms, days, betweenVms }) => {
  let missed = 0;
  for (let trial = 0; trial < 400; trial++) {
    const [cost] = compareRuns(sameByChance(trial, vms, days, betweenVms), 'a', {
      seed: trial,
      resamples: 500,
    });
    if (cost!.low! > 0 || cost!.high! < 0) missed++;
  }
  expect(missed).toBeGreaterThanOrEqual(6);
  expect(missed).toBeLessThanOrEqual(34);
});
