import type { RunResult, VmDays } from '../../../sim/result.ts';

/** A run of which only what a comparison reads is filled in: rows of [VM, day, seconds, cost, starved cpu s]. */
export function runOf(
  policy: string,
  rows: readonly (readonly [vm: string, day: number, seconds: number, cost: number, starved: number])[],
  more: Partial<RunResult> = {},
): RunResult {
  const vmIds = [...new Set(rows.map(([vm]) => vm))];
  const days: VmDays = {
    vmIds,
    vm: rows.map(([vm]) => vmIds.indexOf(vm)),
    day: rows.map(([, day]) => day),
    seconds: rows.map(([, , seconds]) => seconds),
    cost: rows.map(([, , , cost]) => cost),
    starved: { cpu: rows.map(([, , , , starved]) => starved) },
  };
  const measures = {
    vms: vmIds.length,
    vmDays: rows.length,
    resources: {},
    oomKills: 0,
    oomKillsPerVmDay: 0,
    slowdown: { p99: 1, worst: 1 },
    cost: { allocation: 0, resize: 0, penalty: 0, total: 0 },
  };
  return {
    schema: 'foresize/result/v1',
    id: policy,
    scenario: 'test',
    policy,
    seed: 1,
    version: '0.0.0',
    backend: 'none',
    currency: 'USD',
    span: {
      from: '2026-01-05T00:00:00Z',
      to: '2026-01-12T00:00:00Z',
      ticks: 2016,
      warmupTicks: 0,
      tickMs: 300_000,
    },
    fleet: measures,
    fairness: 1,
    applications: {},
    users: {},
    vms: {},
    days,
    decisions: { sha256: '', intents: 0, failed: 0, refused: 0 },
    vmTicks: 0,
    timeline: { at: [], resources: {}, resizes: [], starvedVms: [], vms: [] },
    recorded: [],
    ...more,
  };
}
