import type { Change, ChangeKind } from './change.ts';

/** Advice that has yet to prove itself in a replay. */
export interface Candidate {
  readonly kind: ChangeKind;
  /** What it is about: an application, or the fleet. */
  readonly subject: string;
  /** VMs it names; none where it concerns the fleet. */
  readonly vms: readonly string[];
  /** One sentence, with figures of the history. */
  readonly reason: string;
  readonly change: Change;
}

/** Groups by application, in order of first appearance. */
export function byApplication<T extends { readonly applicationId: string }>(
  items: readonly T[],
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.applicationId);
    if (group) group.push(item);
    else groups.set(item.applicationId, [item]);
  }
  return groups;
}

/** '4 VMs', '1 VM'. */
export function vmCount(n: number): string {
  return n === 1 ? '1 VM' : `${n} VMs`;
}

/** Three significant digits. */
export function figure(x: number): string {
  return x === 0 ? '0' : String(Number(x.toPrecision(3)));
}
