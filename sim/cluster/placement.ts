import { CPU, R } from '../../core/model.ts';
import type { Hosts } from './hosts.ts';
import type { HostsParams } from './hosts-model.ts';
import type { LoadProfiles } from './load-profiles.ts';
import { powerAt } from './power.ts';

/**
 * Chooses a host for a VM that needs so much of each resource, other than `except`; -1 if none has room.
 * `pool` is 1 for a host of the quarantine pool, 0 for one of the others.
 */
export type Place = (need: Float64Array, except: number, pool: number) => number;

/** The rule a scenario names. Ties go to the host with the lower number. @param profiles compares the VM it has read */
export function placementOf(
  kind: HostsParams['placement'],
  hosts: Hosts,
  profiles: LoadProfiles | undefined,
): Place {
  switch (kind) {
    case 'first-fit':
      return firstFit(hosts);
    case 'best-fit':
      return lowest(hosts, (host, need) => leftover(hosts, host, need));
    case 'power-aware':
      return lowest(hosts, (host, need) => powerRise(hosts, host, need));
    case 'correlation-aware':
      return lowest(hosts, (host, need) => {
        // A host that is off is a last resort. Below that, the hosts on which the VM's day peaks least with the others'.
        if (hosts.vms[host] === 0) return 2 + leftover(hosts, host, need);
        return profiles?.correlation(host) ?? leftover(hosts, host, need);
      });
  }
}

function firstFit(hosts: Hosts): Place {
  return (need, except, pool) => {
    for (let h = 0; h < hosts.count; h++) {
      if (h !== except && hosts.barred[h] === 0 && hosts.pool[h] === pool && hosts.hasRoom(h, need)) return h;
    }
    return -1;
  };
}

function lowest(hosts: Hosts, value: (host: number, need: Float64Array) => number): Place {
  return (need, except, pool) => {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let h = 0; h < hosts.count; h++) {
      if (h === except || hosts.barred[h] === 1 || hosts.pool[h] !== pool || !hosts.hasRoom(h, need))
        continue;
      const v = value(h, need);
      if (v >= least) continue;
      least = v;
      best = h;
    }
    return best;
  };
}

/** What would be left of the host, as a share of its limit, summed over the resources the VM needs. */
function leftover(hosts: Hosts, host: number, need: Float64Array): number {
  let sum = 0;
  for (let r = 0; r < R; r++) {
    const limit = hosts.limit[host * R + r]!;
    if (need[r] === 0 || limit === Number.POSITIVE_INFINITY) continue;
    sum += (limit - hosts.committed[host * R + r]! - need[r]!) / limit;
  }
  return sum;
}

/**
 * By how much the host's power would rise if its allocations were all in use (Beloglazov and Buyya, CCPE 2012, section
 * 6.3). An empty host is off: turning it on costs its idle power.
 */
function powerRise(hosts: Hosts, host: number, need: Float64Array): number {
  const capacity = hosts.capacity[host * R + CPU]!;
  const used = hosts.committed[host * R + CPU]!;
  const watts = hosts.watts[host]!;
  const before = hosts.vms[host] === 0 ? 0 : powerAt(watts, used / capacity);
  return powerAt(watts, (used + need[CPU]!) / capacity) - before;
}
