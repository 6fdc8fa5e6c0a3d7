import { Fleet } from '../../core/fleet.ts';
import type { ResourceVector, VmSpec } from '../../core/model.ts';

export const REQUESTED: ResourceVector = [2, 2048, 1e6, 1e6];

/** A VM of 2 cores, 2048 MiB and 1e6 bytes/s each, of application app. */
export function specOf(vmId: string, userId = 'user', requested: ResourceVector = REQUESTED): VmSpec {
  return {
    vmId,
    applicationId: 'app',
    userId,
    requested,
    min: [0.1, 64, 1000, 1000],
    max: [8, 16_384, 1e8, 1e8],
  };
}

/** A fleet of VMs vm0, vm1, ... of users u0, u1, ... */
export function fleetOf(count: number, requested: ResourceVector = REQUESTED): Fleet {
  const fleet = new Fleet();
  for (let i = 0; i < count; i++) fleet.admit(specOf(`vm${i}`, `u${i}`, requested), 0);
  return fleet;
}
