import type { ResourceVector, VmSpec } from '../../core/model.ts';

/** How far from its request a VM may be resized. */
export interface Bounds {
  /** No allocation below this (units of `UNITS`), unless the owner asked for less. */
  readonly floor: ResourceVector;
  /** No allocation above this many times the request. */
  readonly ceiling: number;
}

/** The spec of a VM with `requested` and the bounds that follow from it. 0 requested: not managed, 0 in all. */
export function specOf(
  vmId: string,
  applicationId: string,
  userId: string,
  requested: ResourceVector,
  bounds: Bounds,
): VmSpec {
  const { floor, ceiling } = bounds;
  return {
    vmId,
    applicationId,
    userId,
    requested,
    min: requested.map((x, r) => Math.min(x, floor[r]!)) as unknown as ResourceVector,
    max: requested.map((x) => x * ceiling) as unknown as ResourceVector,
  };
}
