import type { BalloonStats } from './stats.ts';

/** A report older than this says nothing of the guest now. Guests report every 1-10 s where they do at all. */
export const STALE_MS = 30_000;

/** Memory left to a guest above its working set: 1/16 of that, at least 16 MiB. With less it starts to reclaim. */
const RESERVE_SHARE = 1 / 16;
const RESERVE_KIB = 16 * 1024;

export function reserveKib(workingSet: number): number {
  return Math.max(RESERVE_KIB, workingSet * RESERVE_SHARE);
}

/** Whether the guest's report is of now, by the clock of this host. @param at wall clock of the reading, ms */
export function isFresh(balloon: BalloonStats, at: number): boolean {
  if (Number.isNaN(balloon.usable)) return false;
  return Math.abs(at - balloon.lastUpdate * 1000) <= STALE_MS;
}

/**
 * Tells over time whether a guest's memory report is of now. A guest that hangs, or whose driver is not loaded,
 * leaves its last report standing. From the second on, reports are compared with each other and not with our
 * clock, which need not agree with that of a remote host.
 */
export class BalloonFreshness {
  #lastUpdate: number | undefined;
  #changedAt = Number.NEGATIVE_INFINITY;

  observe(balloon: BalloonStats, at: number): boolean {
    if (balloon.lastUpdate !== this.#lastUpdate) {
      if (this.#lastUpdate !== undefined || isFresh(balloon, at)) this.#changedAt = at;
      this.#lastUpdate = balloon.lastUpdate;
    }
    return !Number.isNaN(balloon.usable) && at - this.#changedAt <= STALE_MS;
  }
}

/** KiB the guest cannot do without: what it has, less what it says it could hand out. */
export function workingSetKib(balloon: BalloonStats): number {
  return Math.max(0, balloon.current - balloon.usable);
}

/** The lowest target a balloon may be given, KiB. */
export function floorKib(balloon: BalloonStats): number {
  const set = workingSetKib(balloon);
  return set + reserveKib(set);
}

/** Usable memory below 5 % of all is scarce: 0 at that mark, 1 with nothing left. */
export function scarcity(balloon: BalloonStats): number {
  const low = balloon.current * 0.05;
  return low > 0 ? Math.min(1, Math.max(0, 1 - balloon.usable / low)) : 0;
}
