import { RESOURCES, type Resource } from '../core/model.ts';
import type { Measures, RunResult } from './result.ts';

/** Measures as one flat row, for tables, gates and trackers; null where a resource is not managed. */
export type FlatMeasures = Readonly<Record<string, number | null>>;

const PREFIX: Readonly<Record<Resource, string>> = {
  cpu: 'cpu',
  memory: 'memory',
  diskIo: 'disk_io',
  network: 'network',
};

/** Columns of `flatMeasures`, in order. */
export const MEASURE_COLUMNS: readonly string[] = [
  'vms',
  'vm_days',
  'cost_per_vm_day',
  'cost_total',
  'cost_allocation',
  'cost_resize',
  'cost_penalty',
  'oom_kills',
  'oom_kills_per_vm_day',
  'slowdown_p99',
  'slowdown_worst',
  ...RESOURCES.flatMap((r) =>
    [
      'violation_rate',
      'unmet',
      'dropped',
      'slack',
      'footprint',
      'usage',
      'resizes_per_vm_day',
      'failed_resizes',
      'recovery_mean_s',
      'recovery_worst_s',
      'recovery_episodes',
    ].map((name) => `${PREFIX[r]}_${name}`),
  ),
];

/** Columns that only a whole run has, in order. */
export const RUN_COLUMNS: readonly string[] = [
  'violation_rate',
  'fairness',
  'intents',
  'failed_intents',
  'refused_intents',
  'vm_ticks',
  'anomaly_recall',
  'anomaly_precision',
  'anomaly_delay_median_ticks',
  'false_alarms_per_vm_day',
];

/** Measures of any set of VMs: a fleet, an application, a user. */
export function flatMeasures(m: Measures): FlatMeasures {
  const row: Record<string, number | null> = {
    vms: m.vms,
    vm_days: m.vmDays,
    cost_per_vm_day: finite(m.cost.total / m.vmDays),
    cost_total: m.cost.total,
    cost_allocation: m.cost.allocation,
    cost_resize: m.cost.resize,
    cost_penalty: m.cost.penalty,
    oom_kills: m.oomKills,
    oom_kills_per_vm_day: finite(m.oomKillsPerVmDay),
    slowdown_p99: finite(m.slowdown.p99),
    slowdown_worst: finite(m.slowdown.worst),
  };
  for (const resource of RESOURCES) {
    const of = m.resources[resource];
    const name = PREFIX[resource];
    row[`${name}_violation_rate`] = of?.violationRate ?? null;
    row[`${name}_unmet`] = of?.unmet ?? null;
    row[`${name}_dropped`] = of?.dropped ?? null;
    row[`${name}_slack`] = of?.slack ?? null;
    row[`${name}_footprint`] = of?.footprint ?? null;
    row[`${name}_usage`] = of?.usage ?? null;
    row[`${name}_resizes_per_vm_day`] = of?.resizesPerVmDay ?? null;
    row[`${name}_failed_resizes`] = of?.failedResizes ?? null;
    row[`${name}_recovery_mean_s`] = of?.recovery.mean ?? null;
    row[`${name}_recovery_worst_s`] = of?.recovery.worst ?? null;
    row[`${name}_recovery_episodes`] = of?.recovery.episodes ?? null;
  }
  return row;
}

/** The fleet's measures and those that only a whole run has. `violation_rate` is of any managed resource. */
export function flatRun(result: RunResult): FlatMeasures {
  const { starvedAny, seconds } = result.days;
  return {
    ...flatMeasures(result.fleet),
    violation_rate: starvedAny ? finite(sum(starvedAny) / sum(seconds)) : null,
    fairness: finite(result.fairness),
    intents: result.decisions.intents,
    failed_intents: result.decisions.failed,
    refused_intents: result.decisions.refused,
    vm_ticks: result.vmTicks,
    anomaly_recall: result.anomalies?.total.recall ?? null,
    anomaly_precision: result.anomalies?.total.precision ?? null,
    anomaly_delay_median_ticks: result.anomalies?.total.delay?.medianTicks ?? null,
    false_alarms_per_vm_day: result.anomalies?.total.falseAlarmsPerVmDay ?? null,
  };
}

function finite(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
