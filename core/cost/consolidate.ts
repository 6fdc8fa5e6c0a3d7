import { CPU, MEMORY, R } from '../model.ts';
import { type Candidate, figure, vmCount } from './candidate.ts';
import { type FleetHistory, quantile, standing } from './history.ts';
import type { AdvisorParams } from './params.ts';

/** A kind of host: how many there are, and what may be promised of one, a row of R. */
export interface HostGroup {
  readonly count: number;
  readonly limit: readonly number[];
  readonly cores: number;
}

export interface Packing {
  /** Hosts used of each group. */
  readonly hosts: number[];
  /** VMs no empty host could hold: they are left out, and stay where they are. */
  readonly tooLarge: number;
  /** Found no room although an empty host could hold them. */
  readonly left: number;
}

/**
 * First fit decreasing: the largest VMs first, by the share of the largest host they need, each to the first host with
 * room; hosts of the first group are filled first.
 * @param sizes rows of R
 */
export function pack(sizes: readonly ArrayLike<number>[], groups: readonly HostGroup[]): Packing {
  const free = groups.flatMap((group, g) =>
    Array.from({ length: group.count }, () => ({ g, room: [...group.limit], used: false })),
  );
  const weight = (size: ArrayLike<number>) =>
    Math.max(...[CPU, MEMORY].map((r) => size[r]! / Math.max(...groups.map(({ limit }) => limit[r]!))));
  const fits = (size: ArrayLike<number>, room: readonly number[]) =>
    room.every((x, r) => size[r]! <= x + 1e-9);
  let tooLarge = 0;
  let left = 0;
  for (const size of [...sizes].sort((a, b) => weight(b) - weight(a))) {
    if (!groups.some(({ limit }) => fits(size, limit))) {
      tooLarge++;
      continue;
    }
    const host = free.find(({ room }) => fits(size, room));
    if (!host) {
      left++;
      continue;
    }
    host.used = true;
    for (let r = 0; r < R; r++) host.room[r] = host.room[r]! - size[r]!;
  }
  const hosts = groups.map((_, g) => free.filter((host) => host.used && host.g === g).length);
  return { hosts, tooLarge, left };
}

/**
 * Fewer hosts for the VMs there are: as many as their allocations fill, and with more cores promised than there are, as
 * far as the load of all together allows.
 */
export function consolidate(
  history: FleetHistory,
  groups: readonly HostGroup[],
  params: AdvisorParams,
): Candidate[] {
  const here = history.vms.filter((vm) => vm.start + vm.usage.length / R >= history.ticks);
  if (groups.length === 0 || here.length === 0) return [];
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  const sizes = here.map((vm) => standing(vm));
  const allocated = sizes.reduce((sum, size) => sum + size[CPU]!, 0);
  const peak = quantile(fleetLoad(history), params.quantile) * (1 + params.margin);
  const ratio = Math.floor((10 * allocated) / Math.max(peak, 1e-9)) / 10;
  return [undefined, ratio].flatMap((overcommit): Candidate[] => {
    if (overcommit !== undefined && groups.every(({ limit, cores }) => overcommit * cores <= limit[CPU]!))
      return [];
    const widened = groups.map((group) => ({
      ...group,
      limit: group.limit.map((x, r) => (r === CPU && overcommit ? Math.max(x, overcommit * group.cores) : x)),
    }));
    const packing = pack(sizes, widened);
    let spare = params.spareHosts;
    const hosts = packing.hosts.map((used, g) => {
      const more = Math.min(spare, groups[g]!.count - used);
      spare -= more;
      return used + more;
    });
    const kept = hosts.reduce((sum, x) => sum + x, 0);
    if (packing.left > 0 || kept >= total || kept === 0) return [];
    const promise = overcommit ? `, with ${figure(overcommit)} cores promised for each` : '';
    return [
      {
        kind: 'consolidate',
        subject: 'hosts',
        vms: [],
        reason: `${vmCount(here.length - packing.tooLarge)} that are allocated ${figure(allocated)} cores and together need ${figure(peak)} fit on ${kept} of ${total} hosts, ${params.spareHosts} of them spare${promise}.`,
        change: { kind: 'consolidate', hosts, ...(overcommit && { cpuOvercommit: overcommit }) },
      },
    ];
  });
}

/** Cores the VMs wanted together, a tick each. */
function fleetLoad({ vms, ticks }: FleetHistory): Float32Array {
  const load = new Float32Array(ticks);
  for (const { start, usage } of vms) {
    for (let row = 0; row < usage.length / R; row++) {
      const x = usage[row * R + CPU]!;
      if (x >= 0 && start + row < ticks) load[start + row]! += x;
    }
  }
  return load;
}
