import type { Counters } from './stats.ts';

const WRAP_32 = 2 ** 32;

/**
 * How much a counter grew. A counter that fell was reset (a device replaced, a host interface made anew) and has
 * counted up from 0 since; unless it stood just below 2^32 and stands just above 0 now: then it wrapped.
 */
export function increment(before: number, now: number): number {
  if (now >= before) return now - before;
  const wrapped = before < WRAP_32 && before >= 0.75 * WRAP_32 && now < 0.25 * WRAP_32;
  return wrapped ? WRAP_32 - before + now : now;
}

/**
 * One total, only ever growing, over the counters of all devices of a VM, through resets, wraps, reboots, and
 * devices that come and go.
 */
export class MonotoneSum {
  readonly #last = new Map<string, number>();
  #seen = false;
  #total = 0;

  /**
   * Takes in the counters as read now.
   * @param rebooted the VM's process is a new one, so that every counter began at 0 since the last reading
   * @returns the total since the first reading; NaN if nothing was read
   */
  observe(counters: Counters, rebooted: boolean): number {
    const entries = Object.entries(counters);
    if (entries.length === 0) {
      if (rebooted) this.#last.clear();
      return Number.NaN;
    }
    if (rebooted) this.#last.clear();
    for (const [name, value] of entries) {
      const last = this.#last.get(name);
      // What is new since the first reading began at 0 since then; what was there at first only sets the mark.
      if (this.#seen) this.#total += last === undefined ? value : increment(last, value);
      this.#last.set(name, value);
    }
    this.#seen = true;
    return this.#total;
  }
}
