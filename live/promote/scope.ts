import { hashString } from '../../core/rng.ts';

/**
 * Where a VM stands among those of a bundle, in [0, 1): the same on every machine and after every restart, and another
 * for every bundle, so that it is not always the same VMs that go first.
 */
export function canaryPosition(vmId: string, bundleId: string): number {
  return hashString(`${bundleId}\u001f${vmId}`) / 2 ** 32;
}

/** The VMs below `share`; a larger share holds every VM of a smaller one. */
export function inShare(vmId: string, bundleId: string, share: number): boolean {
  return canaryPosition(vmId, bundleId) < share;
}
