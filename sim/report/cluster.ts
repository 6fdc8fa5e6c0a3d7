import type { ClusterMeasures } from '../cluster/cluster-measures.ts';
import type { RunResult } from '../result.ts';
import { formatCount, formatDuration, formatNumber, formatPercent } from './format.ts';

/** One line of the table of what the hosts made of a run. */
export interface ClusterRow {
  readonly label: string;
  readonly unit: string;
  readonly text: (cluster: ClusterMeasures) => string;
}

/** SLATAH, PDM and SLAV are shares, and small ones: no rounding to 0 %. */
export const CLUSTER_ROWS: readonly ClusterRow[] = [
  { label: 'Hosts', unit: '', text: (c) => formatCount(c.hosts) },
  { label: 'Hosts in use', unit: 'mean', text: (c) => formatNumber(c.activeHosts) },
  { label: 'Energy', unit: 'kWh', text: (c) => formatNumber(c.energyKwh, 4) },
  { label: 'Migrations', unit: '', text: (c) => formatCount(c.migrations) },
  { label: 'of which to quarantine', unit: '', text: (c) => formatCount(c.quarantined) },
  {
    label: 'Host time overloaded',
    unit: 'of active time',
    text: (c) => formatPercent(c.overloadTimeFraction),
  },
  { label: 'SLATAH', unit: 'mean over hosts', text: (c) => formatPercent(c.slatah) },
  { label: 'PDM', unit: 'CPU lost to migrations', text: (c) => formatPercent(c.pdm) },
  { label: 'SLAV', unit: 'SLATAH × PDM', text: (c) => formatNumber(c.slav) },
  { label: 'Host failures', unit: '', text: (c) => formatCount(c.hostFailures) },
  { label: 'VMs restarted', unit: 'after failures', text: (c) => formatCount(c.vmsRestarted) },
  { label: 'Without a host', unit: 'VM-time', text: (c) => formatDuration(c.waitingS) },
  { label: 'VMs too large for any host', unit: '', text: (c) => formatCount(c.vmsTooLarge) },
  { label: 'Resizes refused', unit: 'no room', text: (c) => formatCount(c.refusedResizes) },
  { label: 'Resizes queued', unit: 'no room', text: (c) => formatCount(c.queuedResizes) },
  { label: 'Maintenance not drained', unit: 'host-ticks', text: (c) => formatCount(c.undrainedTicks) },
];

export type HostRun = RunResult & { cluster: ClusterMeasures };

/** Runs that had hosts. */
export function hostRuns(runs: readonly RunResult[]): HostRun[] {
  return runs.filter((run): run is HostRun => run.cluster !== undefined);
}
