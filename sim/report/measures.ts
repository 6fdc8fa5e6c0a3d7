import { RESOURCES, type Resource, UNITS } from '../../core/model.ts';
import { type Starvation, starvedColumn } from '../compare/align.ts';
import type { Comparison, Measures, RunResult } from '../result.ts';
import {
  formatCount,
  formatDuration,
  formatMoney,
  formatNumber,
  formatPercent,
  formatQuantity,
} from './format.ts';

export const RESOURCE_NAMES: Readonly<Record<Resource, string>> = {
  cpu: 'CPU',
  memory: 'memory',
  diskIo: 'disk I/O',
  network: 'network',
};

/** One line of a table of measures. `unit` qualifies the label; what a figure is counted in stands beside it. */
export interface MeasureRow {
  label: string;
  unit: string;
  value: (measures: Measures, run: RunResult) => number | null;
  format: (x: number | null) => string;
  /** Less is better, so the least is marked; false where the figure only describes. */
  lessIsBetter: boolean;
  /** `PairedDifference.measure` of the same quantity. */
  paired?: string;
}

/** A single run reads as a comparison of one. */
export function asComparison(result: Comparison | RunResult): Comparison {
  if (result.schema === 'foresize/comparison/v1') return result;
  return {
    schema: 'foresize/comparison/v1',
    id: result.id,
    scenarioYaml: '',
    name: result.scenario,
    description: '',
    version: result.version,
    baseline: result.policy,
    runs: [result],
    paired: [],
  };
}

/** The bound, not a competitor: it saw the demand to come. */
export function isOracle(policy: string): boolean {
  return /^oracle\b/i.test(policy);
}

/** Resources that any of the runs managed, in the usual order. */
export function managedResources(runs: readonly RunResult[]): Resource[] {
  return RESOURCES.filter((r) => runs.some((run) => run.fleet.resources[r] !== undefined));
}

/** Share of VM-time starved of a resource, or of any; null when the run did not keep it. */
export function violationRate(run: RunResult, of: Starvation): number | null {
  const starved = starvedColumn(run.days, of);
  const seconds = run.days.seconds.reduce((sum, x) => sum + x, 0);
  if (!starved || seconds === 0)
    return of === 'any' ? null : (run.fleet.resources[of]?.violationRate ?? null);
  return starved.reduce((sum, x) => sum + x, 0) / seconds;
}

export function costPerVmDay(measures: Measures): number | null {
  return measures.vmDays > 0 ? measures.cost.total / measures.vmDays : null;
}

/** Resizes of all resources a VM-day. */
export function resizesPerVmDay(measures: Measures): number {
  return Object.values(measures.resources).reduce((sum, r) => sum + r.resizesPerVmDay, 0);
}

/** Rows that are not of one resource. */
export function fleetRows(currency: string): MeasureRow[] {
  const money = (x: number | null) => formatMoney(x, currency);
  const perVmDay = 'per VM-day, simulated';
  const part = (name: 'allocation' | 'resize' | 'penalty', label: string): MeasureRow => ({
    label,
    unit: '',
    value: (m) => (m.vmDays > 0 ? m.cost[name] / m.vmDays : null),
    format: money,
    lessIsBetter: false,
  });
  return [
    {
      label: 'Cost',
      unit: perVmDay,
      value: costPerVmDay,
      format: money,
      lessIsBetter: true,
      paired: 'costPerVmDay',
    },
    part('allocation', 'of which allocation'),
    part('resize', 'of which resizes'),
    part('penalty', 'of which SLO penalties'),
    {
      label: 'Short of any resource',
      unit: 'of VM-time',
      value: (_, run) => violationRate(run, 'any'),
      format: formatPercent,
      lessIsBetter: true,
      paired: 'violationRate.any',
    },
    {
      label: 'OOM kills',
      unit: 'per VM-day',
      value: (m) => m.oomKillsPerVmDay,
      format: formatNumber,
      lessIsBetter: true,
    },
    {
      label: 'Slow-down, 99th percentile',
      unit: 'wanted / served',
      value: (m) => m.slowdown.p99,
      format: formatNumber,
      lessIsBetter: true,
    },
    {
      label: 'Slow-down, worst',
      unit: 'wanted / served',
      value: (m) => m.slowdown.worst,
      format: formatNumber,
      lessIsBetter: true,
    },
  ];
}

const INTEGRAL: Readonly<Record<Resource, string>> = {
  cpu: 'core-s',
  memory: 'MiB-s',
  diskIo: 'bytes',
  network: 'bytes',
};

/** Rows of one resource. */
export function resourceRows(resource: Resource): MeasureRow[] {
  const of = (m: Measures) => m.resources[resource];
  const unit = UNITS[resource];
  const quantity = (x: number | null) => formatQuantity(x, unit);
  const integral = (x: number | null) => formatQuantity(x, INTEGRAL[resource]);
  const rows: MeasureRow[] = [
    {
      label: 'Violation rate',
      unit: 'of VM-time',
      value: (m) => of(m)?.violationRate ?? null,
      format: formatPercent,
      lessIsBetter: true,
      paired: `violationRate.${resource}`,
    },
    {
      label: 'Unmet demand',
      unit: '',
      value: (m) => of(m)?.unmet ?? null,
      format: integral,
      lessIsBetter: true,
    },
    {
      label: 'Work dropped',
      unit: '',
      value: (m) => of(m)?.dropped ?? null,
      format: integral,
      lessIsBetter: true,
    },
    {
      label: 'Time to recover, mean',
      unit: '',
      value: (m) => of(m)?.recovery.mean ?? null,
      format: formatDuration,
      lessIsBetter: true,
    },
    {
      label: 'Time to recover, worst',
      unit: '',
      value: (m) => of(m)?.recovery.worst ?? null,
      format: formatDuration,
      lessIsBetter: true,
    },
    {
      label: 'Slack',
      unit: 'of allocation',
      value: (m) => of(m)?.slack ?? null,
      format: formatPercent,
      // The least slack is what starves: not a merit by itself.
      lessIsBetter: false,
    },
    {
      label: 'Footprint',
      unit: 'a VM',
      value: (m) => of(m)?.footprint ?? null,
      format: quantity,
      lessIsBetter: false,
    },
    {
      label: 'Usage',
      unit: 'a VM',
      value: (m) => of(m)?.usage ?? null,
      format: quantity,
      lessIsBetter: false,
    },
    {
      label: 'Resizes',
      unit: 'per VM-day',
      value: (m) => of(m)?.resizesPerVmDay ?? null,
      format: formatNumber,
      lessIsBetter: true,
    },
    {
      label: 'Failed resizes',
      unit: '',
      value: (m) => of(m)?.failedResizes ?? null,
      format: (x) => (x === null ? formatNumber(x) : formatCount(x)),
      lessIsBetter: true,
    },
  ];
  return rows.filter((row) => row.label !== 'Work dropped' || resource !== 'memory');
}

/** Which runs have the least of a row; the oracle, and rows in which all are alike, are never marked. */
export function bestRuns(row: MeasureRow, runs: readonly RunResult[]): Set<string> {
  const values = runs
    .filter((run) => !isOracle(run.policy))
    .map((run) => ({ policy: run.policy, value: row.value(run.fleet, run) }))
    .filter((v): v is { policy: string; value: number } => v.value !== null);
  const least = Math.min(...values.map((v) => v.value));
  const best = values.filter((v) => v.value === least);
  return new Set(row.lessIsBetter && best.length < values.length ? best.map((v) => v.policy) : []);
}
