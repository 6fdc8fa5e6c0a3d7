import { grown } from '../../core/model.ts';

const HOURS = 24;

/** Mean CPU of each hour of a day (UTC), as the profiler knows it of a VM; undefined while it knows nothing. */
export type DayProfile = (slot: number) => readonly number[] | undefined;

/**
 * Days of VMs and, as their sum, of hosts. A VM's day is kept as it was known when it was placed, so that what is taken
 * from a host's sum is what was added to it.
 */
export class LoadProfiles {
  readonly #profileOf: DayProfile;
  readonly #host: Float64Array;
  /** What each placed VM added to its host. */
  #vm = new Float64Array(0);
  /** The day of the VM that is being compared with hosts. */
  readonly #candidate = new Float64Array(HOURS);
  #known = false;

  constructor(hosts: number, profileOf: DayProfile) {
    this.#profileOf = profileOf;
    this.#host = new Float64Array(hosts * HOURS);
  }

  grow(capacity: number): void {
    this.#vm = grown(this.#vm, capacity * HOURS);
  }

  /** Takes the VM as the one to compare. */
  read(slot: number): void {
    const profile = this.#profileOf(slot);
    this.#known = profile !== undefined;
    if (profile) this.#candidate.set(profile);
  }

  enter(slot: number, host: number): void {
    const profile = this.#profileOf(slot);
    for (let h = 0; h < HOURS; h++) {
      const mean = profile?.[h] ?? 0;
      this.#vm[slot * HOURS + h] = mean;
      this.#host[host * HOURS + h] = this.#host[host * HOURS + h]! + mean;
    }
  }

  leave(slot: number, host: number): void {
    for (let h = 0; h < HOURS; h++) {
      this.#host[host * HOURS + h] = this.#host[host * HOURS + h]! - this.#vm[slot * HOURS + h]!;
    }
  }

  /** Pearson correlation of the compared VM's day with the host's, -1..1; undefined when either is unknown or flat. */
  correlation(host: number): number | undefined {
    if (!this.#known) return undefined;
    const b = host * HOURS;
    let meanA = 0;
    let meanB = 0;
    for (let h = 0; h < HOURS; h++) {
      meanA += this.#candidate[h]! / HOURS;
      meanB += this.#host[b + h]! / HOURS;
    }
    let aa = 0;
    let bb = 0;
    let ab = 0;
    for (let h = 0; h < HOURS; h++) {
      const x = this.#candidate[h]! - meanA;
      const y = this.#host[b + h]! - meanB;
      aa += x * x;
      bb += y * y;
      ab += x * y;
    }
    // What rounding leaves of a host's sum is no shape of a day.
    const flat = 1e-18;
    if (aa <= flat * meanA * meanA || bb <= flat * meanB * meanB) return undefined;
    return ab / Math.sqrt(aa * bb);
  }
}
