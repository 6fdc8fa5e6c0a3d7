import { expect, test } from 'vitest';
import { pageSeries } from '../../../sim/report/series.ts';
import { fixtureComparison } from './fixture.ts';

const comparison = fixtureComparison({ days: 2 });

test('what is held is told by its changes, and nothing is lost', () => {
  const series = pageSeries(comparison);
  const recorded = comparison.runs[0]!.recorded[0]!;
  const cpu = series.vms[0]!.resources.cpu!;
  expect(cpu.every).toBe(1);
  expect(cpu.from + cpu.t[5]! * 1000).toBe(recorded.at[5]);
  expect(cpu.policies['static']!.allocation).toEqual({
    i: [0],
    v: [Number(recorded.resources.cpu!.allocation[0]!.toPrecision(4))],
  });
  expect(cpu.policies['static']!.median).toBeNull();
  expect(cpu.policies['quantile']!.upper).toHaveLength(recorded.at.length);
});

test('long records are thinned to fit, and the peaks stay', () => {
  const ticks = 20_000;
  const at = Array.from({ length: ticks }, (_, i) => i * 300_000);
  const demand = at.map((_, i) => (i === 12_345 ? 99 : 1 + ((i * 7919) % 1000) / 1000));
  const line = { demand, usage: demand, allocation: demand, median: demand, upper: demand };
  const recorded = ['a', 'b'].map((vmId) => ({
    vmId,
    applicationId: 'x',
    userId: 'y',
    at,
    resources: { cpu: line, memory: line, network: line },
    quantile: 0.95,
  }));
  const runs = comparison.runs.map((run) => ({ ...run, recorded }));
  const { vms } = pageSeries({ ...comparison, runs });
  expect(JSON.stringify(vms).length).toBeLessThan(1_800_001);
  const cpu = vms[0]!.resources.cpu!;
  expect(cpu.every).toBeGreaterThan(1);
  expect(Math.max(...cpu.demand)).toBe(99);
});

test('churn is resizes a VM-day, starvation a share of VMs', () => {
  const { fleet } = pageSeries(comparison);
  const run = comparison.runs.find((r) => r.policy === 'quantile')!;
  const mean = fleet.resizes['quantile']!.reduce((sum, x) => sum + x, 0) / fleet.coarse.length;
  const measured = Object.values(run.fleet.resources).reduce((sum, r) => sum + r.resizesPerVmDay, 0);
  expect(mean / measured).toBeCloseTo(1, 1);
  for (const x of fleet.starved['static']!) expect(x).toBe(0);
});
