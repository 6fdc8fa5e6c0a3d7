import type { BillParts } from '../core/cost/bill.ts';
import type { Resource } from '../core/model.ts';
import type { JobMeasures } from './advisor/job-tracker.ts';
import type { SpotMeasures } from './advisor/spot-market.ts';
import type { AnomalyMeasures } from './anomalies/measures.ts';
import type { ClusterMeasures } from './cluster/cluster-measures.ts';

/** Measures of a set of VM-days: a VM's, an application's, a user's or the fleet's. Units in `MEASURE_UNITS`. */
export interface Measures {
  vms: number;
  vmDays: number;
  resources: Partial<Record<Resource, ResourceMeasures>>;
  oomKills: number;
  oomKillsPerVmDay: number;
  /** Stretch of CPU work: wanted / served of the interval, weighted by work served. 1 = never held back. */
  slowdown: { p99: number; worst: number };
  cost: Cost;
}

export interface ResourceMeasures {
  /** Share of VM-time with demand > allocation, 0..1. */
  violationRate: number;
  /** Demand above the allocation, integrated: core-s, MiB-s, bytes. */
  unmet: number;
  /** Work given up because the backlog was full: core-s, bytes. */
  dropped: number;
  /** Mean over VM-days of (allocation - p95 usage) / allocation. */
  slack: number;
  /** Time-averaged allocation a VM, in the resource's unit. */
  footprint: number;
  /** Time-averaged usage a VM, in the resource's unit. */
  usage: number;
  resizesPerVmDay: number;
  failedResizes: number;
  /** Length of starvation episodes, s. */
  recovery: { mean: number; worst: number; episodes: number };
}

/** In the currency of the price list, over the scored time. Simulated, never money saved. */
export interface Cost {
  allocation: number;
  resize: number;
  penalty: number;
  total: number;
}

/** One policy on one scenario. Deterministic: the same inputs and version give the same bytes. */
export interface RunResult {
  schema: 'foresize/result/v1';
  /** Content hash of scenario, policy, traces and code version. */
  id: string;
  scenario: string;
  policy: string;
  seed: number;
  version: string;
  /** Tensor backend that made the forecasts; 'none' where no model needed one. */
  backend: string;
  currency: string;
  /** Scored time: ISO 8601, and the number of scored and of warm-up ticks. */
  span: { from: string; to: string; ticks: number; warmupTicks: number; tickMs: number };
  fleet: Measures;
  /** Jain's index over users of (1 - violation rate, mean over resources): 1 = all served alike. */
  fairness: number;
  applications: Record<string, Measures>;
  users: Record<string, Measures>;
  vms: Record<string, VmMeasures>;
  /** VM-day rows for paired statistics. */
  days: VmDays;
  decisions: { sha256: string; intents: number; failed: number; refused: number };
  /** VM-ticks simulated, including warm-up. */
  vmTicks: number;
  /** Energy, contention and migrations, where the scenario has hosts. */
  cluster?: ClusterMeasures;
  /** What the cost is made of, where allocations are not all charged the list price. */
  bill?: BillParts;
  /** What became of jobs with deadlines, where the workload has any. */
  jobs?: JobMeasures;
  /** Interruptions, where VMs run on spot capacity. */
  spot?: SpotMeasures;
  /** Detection of anomalies and the responses, where the configuration looks for them. */
  anomalies?: AnomalyMeasures;
  /** Fleet totals a tick, thinned to at most ~500 points. */
  timeline: Timeline;
  /** Chosen VMs, tick by tick. */
  recorded: RecordedVm[];
}

export interface VmMeasures extends Measures {
  applicationId: string;
  userId: string;
}

/** Columns, one entry a VM-day (`vm` indexes `vmIds`; `day` counts from the start of scoring). */
export interface VmDays {
  vmIds: string[];
  vm: number[];
  day: number[];
  /** Observed seconds. */
  seconds: number[];
  /** Total cost. */
  cost: number[];
  /** Seconds with demand > allocation, by resource; only managed resources. */
  starved: Partial<Record<Resource, number[]>>;
  /** Seconds with demand > allocation of at least one managed resource: not the sum of the above, they overlap. */
  starvedAny?: number[];
}

export interface Timeline {
  /** ms since the epoch. */
  at: number[];
  /** Fleet sums in the resource's unit. */
  resources: Partial<Record<Resource, { demand: number[]; usage: number[]; allocation: number[] }>>;
  /** Resizes since the previous point, and VMs starved of anything. */
  resizes: number[];
  starvedVms: number[];
  vms: number[];
}

export interface RecordedVm {
  vmId: string;
  applicationId: string;
  userId: string;
  at: number[];
  /** Every series in the resource's unit; `median` and `upper` are the forecast for that interval made one tick before. */
  resources: Partial<
    Record<
      Resource,
      {
        demand: number[];
        usage: number[];
        allocation: number[];
        median: (number | null)[];
        upper: (number | null)[];
      }
    >
  >;
  /** The quantile of `upper`. */
  quantile: number;
}

/** Policies on one scenario, paired on the same inputs. */
export interface Comparison {
  schema: 'foresize/comparison/v1';
  id: string;
  /** The scenario as it was resolved, YAML. */
  scenarioYaml: string;
  name: string;
  description: string;
  version: string;
  /** Name of the policy the others are compared with. */
  baseline: string;
  runs: RunResult[];
  paired: PairedDifference[];
}

/** policy - baseline, of one measure, over the same VMs. */
export interface PairedDifference {
  policy: string;
  baseline: string;
  measure: string;
  unit: string;
  /** Means per VM-day of each, their difference, and its interval. */
  policyMean: number;
  baselineMean: number;
  difference: number;
  /** null: one VM seen for one day says nothing of the spread, so there is no interval. */
  low: number | null;
  high: number | null;
  /** difference / baselineMean, with interval; null when the baseline's mean is 0. */
  relative: { value: number; low: number | null; high: number | null } | null;
  level: number;
  /** Paired standardised effect: mean difference / sd of the per-VM differences. */
  effectSize: number | null;
  /** Two-sided bootstrap p, after Holm's correction over all comparisons of the table. */
  pHolm: number;
  vms: number;
}
