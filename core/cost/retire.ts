import { DAY } from '../duration.ts';
import { CPU, DISK_IO, MEMORY, NETWORK, R } from '../model.ts';
import { byApplication, type Candidate, figure, vmCount } from './candidate.ts';
import { type FleetHistory, length, quantile, seen, standing, type VmHistory } from './history.ts';
import type { AdvisorParams } from './params.ts';

/** Use so rare is none: the highest value but for one tick in a hundred. */
const MOST = 0.99;

interface Idle extends VmHistory {
  readonly most: readonly number[];
  /** Share of its allocation by which memory in use varied. */
  readonly swing: number;
}

/** VMs that have been idle by all four resources until now, for long enough to be missed by nobody. */
export function retireIdle(history: FleetHistory, params: AdvisorParams): Candidate[] {
  const idle = history.vms.flatMap((vm) => idleVm(vm, history, params) ?? []);
  return [...byApplication(idle)].map(([application, vms]) => {
    const top = (r: number) => figure(Math.max(...vms.map(({ most }) => most[r]!)));
    const swing = figure(100 * Math.max(...vms.map((vm) => vm.swing)));
    return {
      kind: 'retire',
      subject: application,
      vms: vms.map(({ vmId }) => vmId),
      reason: `For the last ${figure(params.idleDays)} days ${vmCount(vms.length)} of ${application} used at most ${top(CPU)} cores, ${top(DISK_IO)} bytes/s of disk and ${top(NETWORK)} bytes/s of network, and memory in use varied by no more than ${swing} % of the allocation.`,
      change: { kind: 'retire', vms: vms.map(({ vmId }) => vmId) },
    };
  });
}

function idleVm(vm: VmHistory, { stepMs, ticks }: FleetHistory, params: AdvisorParams): Idle | undefined {
  const rows = Math.round((params.idleDays * DAY) / stepMs);
  const from = length(vm) - rows;
  // Gone already, or not here for long enough.
  if (from < 0 || vm.start + length(vm) < ticks) return undefined;
  const allocation = standing(vm);
  const most: number[] = [];
  for (let r = 0; r < R; r++) {
    const values = seen(vm.usage, r, from);
    if (allocation[r]! > 0 && values.length < rows / 2) return undefined;
    most.push(allocation[r]! > 0 ? quantile(values, MOST) : 0);
  }
  const limit = (r: number, absolute: number) => Math.min(absolute, params.idleShare * allocation[r]!);
  if (most[CPU]! > limit(CPU, params.idleCores)) return undefined;
  if (most[DISK_IO]! > limit(DISK_IO, params.idleBytesPerS)) return undefined;
  if (most[NETWORK]! > limit(NETWORK, params.idleBytesPerS)) return undefined;
  const least = allocation[MEMORY]! > 0 ? quantile(seen(vm.usage, MEMORY, from), 1 - MOST) : 0;
  const swing = allocation[MEMORY]! > 0 ? (most[MEMORY]! - least) / allocation[MEMORY]! : 0;
  return swing <= params.idleMemory ? { ...vm, most, swing } : undefined;
}
