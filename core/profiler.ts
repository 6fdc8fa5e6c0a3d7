import { z } from 'zod';
import { type Fleet, pairKey } from './fleet.ts';
import { isSample } from './forecast/point-model.ts';
import { type Frame, grown, type PerSlot, R } from './model.ts';
import { Baselines } from './profile/baselines.ts';
import { mergeResources, PeakDistribution } from './profile/merge.ts';
import type { Baseline, Level } from './profile/types.ts';

export const profilerParams = z
  .strictObject({
    observationPeriod: z
      .number()
      .int()
      .positive()
      .optional()
      .describe('Ticks to observe before a baseline is given; one day unless set.'),
    halfLifeDays: z.number().positive().default(14).describe('Age at which an hour weighs half.'),
  })
  .describe('Learns what is usual for each application, user and pair of them.');

export type ProfilerParams = z.infer<typeof profilerParams>;

const HOUR = 3_600_000;
const either = new Float64Array(2);

/** Pairs of one level, and the hours in which any VM of it was seen. */
interface Group {
  readonly pairs: number[];
  hours: number;
  lastHour: number;
  /** Distribution of peaks as of an hour, merged when first asked for in it. */
  peaks: PeakDistribution | undefined;
  peaksHour: number;
}

/**
 * Learns the behaviour of applications, users, their pairs, and all VMs. A tick only adds to the hour's sums of each VM;
 * at the end of an hour (UTC) they are folded into the baseline of the VM's pair. Baselines of applications, users and
 * the whole are merged from pairs when they are read. All are in absolute units, per VM.
 */
export class Profiler implements PerSlot {
  readonly #fleet: Fleet;
  readonly #observationHours: number;
  readonly #baselines: Baselines;
  readonly #groups: Record<Level, Group[]> = { pair: [], application: [], user: [], global: [] };
  /** Hours since the Unix epoch of the open hour; NaN before the first tick. */
  #hour = Number.NaN;
  /** Slot x R: sum, number and maximum of the open hour's samples. */
  #sum = new Float64Array(0);
  #count = new Uint16Array(0);
  #peak = new Float64Array(0);

  /** @param stepMs length of a tick, ms */
  constructor(params: ProfilerParams, fleet: Fleet, stepMs: number) {
    this.#fleet = fleet;
    const hoursPerDay = (24 * HOUR) / Math.max(HOUR, stepMs);
    this.#observationHours =
      params.observationPeriod === undefined
        ? hoursPerDay
        : (params.observationPeriod * stepMs) / Math.max(HOUR, stepMs);
    this.#baselines = new Baselines(params.halfLifeDays, hoursPerDay);
  }

  grow(capacity: number): void {
    this.#sum = grown(this.#sum, capacity * R);
    this.#count = grown(this.#count, capacity * R);
    this.#peak = grown(this.#peak, capacity * R);
  }

  admit(slot: number): void {
    this.#clear(slot);
  }

  /** What was seen of the hour so far still counts. */
  retire(slot: number): void {
    this.#fold(slot);
    this.#clear(slot);
  }

  observe(frame: Frame): void {
    // The samples of a tick cover the interval that ends at it.
    const hour = Math.floor((frame.at - 1) / HOUR);
    if (hour !== this.#hour) this.#close(hour);
    const usage = frame.usage;
    const sum = this.#sum;
    const count = this.#count;
    const peak = this.#peak;
    const n = this.#fleet.rows * R;
    for (let i = 0; i < n; i++) {
      const u = usage[i]!;
      if (!isSample(u)) continue;
      sum[i]! += u;
      count[i]!++;
      // Chosen by index: whether a sample is the hour's largest so far is no branch a processor could foresee.
      const largest = peak[i]!;
      either[0] = largest;
      either[1] = u;
      peak[i] = either[+(u > largest)]!;
    }
  }

  /**
   * The baseline of a pair (`pairKey(applicationId, userId)`), application, user, or of all VMs (''). Undefined while it
   * has been observed for less than the observation period.
   */
  baseline(level: Level, id: string): Baseline | undefined {
    const group = this.#known(level, this.#index(level, id));
    if (!group) return undefined;
    return { level, id, hours: group.hours, ...mergeResources(this.#baselines, group.pairs) };
  }

  /** As `baseline('pair', ...)`. */
  pair(applicationId: string, userId: string): Baseline | undefined {
    return this.baseline('pair', pairKey(applicationId, userId));
  }

  /**
   * Quantile of the hourly peak to expect of the VM in `slot`, from its pair, else its application, else all VMs; NaN if
   * none is known yet. The latter two mix VMs of many sizes, so there the quantile is scaled by the VM's requested size
   * over the mean of those observed.
   */
  expect(slot: number, resource: number, quantile: number): number {
    const { pair, application, requested } = this.#fleet;
    const own = this.#peaks('pair', pair[slot]!)?.quantile(resource, quantile) ?? Number.NaN;
    if (!Number.isNaN(own)) return own;
    for (const level of ['application', 'global'] as const) {
      const peaks = this.#peaks(level, level === 'global' ? 0 : application[slot]!);
      const value = peaks?.quantile(resource, quantile) ?? Number.NaN;
      if (!peaks || Number.isNaN(value)) continue;
      const size = peaks.requested(resource);
      const mine = requested[slot * R + resource]!;
      return size > 0 && mine > 0 ? value * (mine / size) : value;
    }
    return Number.NaN;
  }

  /** The group, once it was observed for long enough. */
  #known(level: Level, id: number | undefined): Group | undefined {
    const group = id === undefined ? undefined : this.#groups[level][id];
    if (!group) return undefined;
    // An hour that is still open, begun by a VM that has left, does not count yet.
    const hours = group.lastHour === this.#hour ? group.hours - 1 : group.hours;
    return hours > 0 && hours >= this.#observationHours ? group : undefined;
  }

  #peaks(level: Level, id: number): PeakDistribution | undefined {
    const group = this.#known(level, id);
    if (!group) return undefined;
    if (!group.peaks || group.peaksHour !== this.#hour) {
      group.peaks = new PeakDistribution(this.#baselines, group.pairs);
      group.peaksHour = this.#hour;
    }
    return group.peaks;
  }

  #index(level: Level, id: string): number | undefined {
    if (level === 'global') return 0;
    const names = { pair: this.#fleet.pairs, application: this.#fleet.applications, user: this.#fleet.users };
    return names[level].find(id);
  }

  /** Ends the open hour for all VMs and opens `hour`. */
  #close(hour: number): void {
    for (const slot of this.#fleet.slots) {
      this.#fold(slot);
      this.#clear(slot);
    }
    if (!Number.isNaN(this.#hour)) this.#baselines.close(this.#hour);
    this.#hour = hour;
  }

  /** Adds the hour of one VM to the baseline of its pair. */
  #fold(slot: number): void {
    let seen = 0;
    const from = slot * R;
    for (let i = from; i < from + R; i++) {
      seen += this.#count[i]!;
      this.#sum[i]! /= this.#count[i]!;
    }
    if (seen === 0) return;
    const { pair, application, user, requested } = this.#fleet;
    const p = pair[slot]!;
    const known = this.#groups.pair[p];
    if (known?.lastHour !== this.#hour) {
      const isNew = known === undefined;
      this.#touch('pair', p, p, isNew);
      this.#touch('application', application[slot]!, p, isNew);
      this.#touch('user', user[slot]!, p, isNew);
      this.#touch('global', 0, p, isNew);
    }
    this.#baselines.add(p, this.#hour, this.#sum, this.#peak, requested, from);
  }

  /** Counts the open hour for a group, and notes a pair that is new to it. */
  #touch(level: Level, id: number, pair: number, isNew: boolean): void {
    let group = this.#groups[level][id];
    if (!group) {
      group = { pairs: [], hours: 0, lastHour: Number.NaN, peaks: undefined, peaksHour: Number.NaN };
      this.#groups[level][id] = group;
    }
    if (isNew) group.pairs.push(pair);
    if (group.lastHour !== this.#hour) {
      group.lastHour = this.#hour;
      group.hours++;
    }
  }

  #clear(slot: number): void {
    for (let i = slot * R, end = i + R; i < end; i++) {
      this.#sum[i] = 0;
      this.#count[i] = 0;
      this.#peak[i] = 0;
    }
  }
}
