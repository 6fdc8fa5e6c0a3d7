import type { SpotPrices } from '../prices.ts';
import { byApplication, type Candidate, figure, vmCount } from './candidate.ts';
import type { FleetHistory, VmHistory } from './history.ts';

/** Applications whose VMs may be taken away, moved to spot capacity. */
export function toSpot(
  history: FleetHistory,
  spot: SpotPrices | undefined,
  eligible: (vm: VmHistory) => boolean,
): Candidate[] {
  if (!spot) return [];
  const { history: recorded } = spot;
  const price = recorded ? recorded.reduce((sum, x) => sum + x, 0) / recorded.length : spot.price;
  return [...byApplication(history.vms.filter(eligible))].map(([application, vms]) => ({
    kind: 'spot',
    subject: application,
    vms: vms.map(({ vmId }) => vmId),
    reason: `${vmCount(vms.length)} of ${application} bear being interrupted, and spot capacity costs ${figure(price)} of the list price, with ${figure(spot.interruptionsPerDay)} interruptions of a VM a day at ${spot.noticeS} s notice.`,
    change: { kind: 'spot', applications: [application] },
  }));
}
