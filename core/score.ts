import type { Fleet } from './fleet.ts';
import { type IntentBatch, OUTCOME } from './intents.ts';
import type { Disturbances, Interval } from './interval.ts';
import { CPU, grown, MEMORY, type PerSlot, R } from './model.ts';
import { orderStatistic } from './order-statistic.ts';
import { StretchHistograms } from './stretch-histogram.ts';

const DAY_MS = 86_400_000;
const SLACK_QUANTILE = 0.95;

/** One VM-day: sums over the observed part of the day. Vectors are in the order of RESOURCES. */
export interface VmDay {
  readonly vm: number;
  readonly day: number;
  readonly seconds: number;
  /** Seconds in which at least one resource was short. */
  readonly starvedAny: number;
  readonly oomKills: number;
}

/** What a `VmDay` row holds for each resource, in this order. */
export const DAY_FIELDS = [
  'allocation',
  'usage',
  'starved',
  'unmet',
  'dropped',
  'p95',
  'resizes',
  'failed',
] as const;
const FIELDS = DAY_FIELDS.length;
const ROW = FIELDS * R;
const ALLOCATION = 0;
const USAGE = 1;
const STARVED = 2;
const UNMET = 3;
const DROPPED = 4;
const P95 = 5;
const RESIZES = 6;
const FAILED = 7;

/**
 * The measures of a run as a fold over intervals and intents. Keeps one row a VM-day (integrals over time), from
 * which every figure, for a VM, an application, a user or the fleet, is a sum: see `sim/measures.ts`.
 */
export class Score implements PerSlot {
  /** Identity of each VM ever scored, by its number. */
  readonly vms: { vmId: string; applicationId: string; userId: string }[] = [];
  readonly days: VmDay[] = [];
  /** Rows of DAY_FIELDS x R, one a VM-day. Integrals are unit x seconds; p95 in units; starved in seconds. */
  rows = new Float64Array(0);
  /** Starvation episodes of each VM and resource: count, summed and longest seconds; vm x R x 3. */
  episodes = new Float64Array(0);
  readonly stretch = new StretchHistograms();
  /** What each VM-day was charged, where a bill is kept; else allocation x list price is the charge. */
  readonly charged: number[] | undefined;

  readonly #bill: { take(slot: number): number } | undefined;
  readonly #fleet: Fleet;
  readonly #stepS: number;
  readonly #perDay: number;
  /** VM number by slot. */
  #number = new Int32Array(0);
  #oomKills = new Int32Array(0);
  #starvedAny = new Float64Array(0);
  /** Sums of the current day, slot x R: over intervals (allocated), in seconds, and counts. */
  #allocated = new Float64Array(0);
  #starved = new Float64Array(0);
  #unmet = new Float64Array(0);
  #dropped = new Float64Array(0);
  #resizes = new Int32Array(0);
  #failed = new Int32Array(0);
  /** Indices (slot x R) with a running episode: starving[0..count). */
  #starving = new Int32Array(0);
  #starvingCount = 0;
  /** Running starvation of each slot x R, s. */
  #episode = new Float64Array(0);
  /** Usage of the current day, interval x width, and the interval of it from which on the VM in a slot is there. */
  #usage = new Float32Array(0);
  #first = new Int32Array(0);
  #width = 0;
  #intervals = 0;
  #day = 0;
  /** What a VM used in the day: a column a resource, and its sum. */
  readonly #columns: readonly Float64Array[];
  readonly #used = new Float64Array(R);

  /** @param bill tells what a VM was charged since it was last asked; it has seen every interval before the score does */
  constructor(fleet: Fleet, stepMs: number, bill?: { take(slot: number): number }) {
    this.#fleet = fleet;
    this.#bill = bill;
    this.charged = bill && [];
    this.#stepS = stepMs / 1000;
    this.#perDay = Math.max(1, Math.round(DAY_MS / stepMs));
    this.#columns = Array.from({ length: R }, () => new Float64Array(this.#perDay));
  }

  grow(capacity: number): void {
    // A line more than needed: a stride of a power of two would put a whole day into one set of the cache.
    this.#widen(capacity * R + 16);
    this.#number = grown(this.#number, capacity);
    this.#first = grown(this.#first, capacity);
    this.#allocated = grown(this.#allocated, capacity * R);
    this.#starved = grown(this.#starved, capacity * R);
    this.#unmet = grown(this.#unmet, capacity * R);
    this.#dropped = grown(this.#dropped, capacity * R);
    this.#resizes = grown(this.#resizes, capacity * R);
    this.#failed = grown(this.#failed, capacity * R);
    this.#oomKills = grown(this.#oomKills, capacity);
    this.#starvedAny = grown(this.#starvedAny, capacity);
    this.#episode = grown(this.#episode, capacity * R);
    this.#starving = grown(this.#starving, capacity * R);
  }

  admit(slot: number): void {
    const { vmId, applicationId, userId } = this.#fleet.specs[slot]!;
    const number = this.vms.length;
    this.#number[slot] = number;
    this.vms.push({ vmId, applicationId, userId });
    if (this.episodes.length < (number + 1) * R * 3) {
      this.episodes = grown(this.episodes, Math.max(64, number * 2) * R * 3);
      this.stretch.grow(Math.max(64, number * 2));
    }
    this.#clear(slot);
    // A slot may change hands within a day: what is left of the predecessor must not count.
    this.#first[slot] = this.#intervals;
    this.#episode.fill(0, slot * R, slot * R + R);
  }

  retire(slot: number): void {
    this.#closeDay(slot);
    this.#endEpisodesOf(slot);
  }

  /** VM number of the VM now in a slot: its index in `vms`. */
  numberOf(slot: number): number {
    return this.#number[slot]!;
  }

  /** Takes in an interval of every VM now in the fleet. */
  observe(interval: Interval): void {
    const { usage, allocation } = interval;
    const day = this.#usage;
    const row = this.#intervals * this.#width;
    const allocated = this.#allocated;
    const n = this.#fleet.rows * R;
    // Slots without a VM too: a flat loop is much faster, and what is in them counts for nobody.
    for (let i = 0, to = row; i < n; i += R, to += R) {
      day[to] = usage[i]!;
      day[to + 1] = usage[i + 1]!;
      day[to + 2] = usage[i + 2]!;
      day[to + 3] = usage[i + 3]!;
      allocated[i] = allocated[i]! + allocation[i]!;
      allocated[i + 1] = allocated[i + 1]! + allocation[i + 1]!;
      allocated[i + 2] = allocated[i + 2]! + allocation[i + 2]!;
      allocated[i + 3] = allocated[i + 3]! + allocation[i + 3]!;
    }
    this.#endEpisodes(interval.disturbed);
    this.#disturbed(interval.disturbed, usage);
    if (++this.#intervals === this.#perDay) this.#endDay();
  }

  #disturbed(d: Disturbances, usage: Float64Array): void {
    let last = -1;
    let longest = 0;
    for (let k = 0; k < d.count; k++) {
      const i = d.index[k]!;
      const slot = (i / R) | 0;
      if (slot !== last) {
        longest = 0;
        last = slot;
      }
      const short = d.starved[k]!;
      if (short > 0) {
        this.#starved[i] = this.#starved[i]! + short;
        this.#unmet[i] = this.#unmet[i]! + d.unmet[k]!;
        this.#episode[i] = this.#episode[i]! + short;
        this.#starving[this.#starvingCount++] = i;
        // Shortages of one interval overlap: the longest stands for all.
        if (short > longest) {
          this.#starvedAny[slot] = this.#starvedAny[slot]! + (short - longest);
          longest = short;
        }
      }
      this.#dropped[i] = this.#dropped[i]! + d.dropped[k]!;
      const resource = i % R;
      if (resource === CPU && d.stretch[k]! > 1) {
        this.stretch.add(this.#number[slot]!, d.stretch[k]!, usage[i]! * this.#stepS);
      } else if (resource === MEMORY) {
        this.#oomKills[slot] = this.#oomKills[slot]! + d.oomKills[k]!;
      }
    }
  }

  /** Ends the episodes of what was starved before this interval and is not in it. Both lists ascend. */
  #endEpisodes({ count, index, starved }: Disturbances): void {
    let k = 0;
    for (let j = 0; j < this.#starvingCount; j++) {
      const i = this.#starving[j]!;
      while (k < count && index[k]! < i) k++;
      if (k < count && index[k] === i && starved[k]! > 0) continue;
      this.#endEpisode(i, this.#number[(i / R) | 0]! * R + (i % R));
    }
    this.#starvingCount = 0;
  }

  /** Counts the intents of a tick, with their outcomes as known now. */
  count(intents: IntentBatch): void {
    for (let i = 0; i < intents.count; i++) {
      const at = intents.slot[i]! * R + intents.resource[i]!;
      const outcome = intents.outcome[i]!;
      const counter =
        outcome === OUTCOME.failed || outcome === OUTCOME.refused ? this.#failed : this.#resizes;
      counter[at] = counter[at]! + 1;
    }
  }

  /** Closes the running day and episodes of every VM. Call once, at the end. */
  finish(): void {
    this.#closeDays();
    for (const slot of this.#fleet.slots) this.#endEpisodesOf(slot);
  }

  #widen(width: number): void {
    const wider = new Float32Array(this.#perDay * width);
    for (let t = 0; t < this.#intervals; t++) {
      wider.set(this.#usage.subarray(t * this.#width, (t + 1) * this.#width), t * width);
    }
    this.#usage = wider;
    this.#width = width;
  }

  #endDay(): void {
    this.#closeDays();
    this.#intervals = 0;
    this.#day++;
    this.#first.fill(0);
  }

  #closeDays(): void {
    for (const slot of this.#fleet.slots) this.#closeDay(slot);
  }

  /** Adds the row of a VM's day. p95 is the nearest-rank quantile. */
  #closeDay(slot: number): void {
    const samples = this.#gather(slot);
    if (samples === 0) return;
    const row = this.days.length * ROW;
    if (this.rows.length < row + ROW) this.rows = grown(this.rows, Math.max(64 * ROW, row * 2));
    const rows = this.rows;
    const rank = Math.ceil(SLACK_QUANTILE * samples) - 1;
    for (let r = 0, at = row; r < R; r++, at += FIELDS) {
      const i = slot * R + r;
      rows[at + ALLOCATION] = this.#allocated[i]! * this.#stepS;
      rows[at + USAGE] = this.#used[r]! * this.#stepS;
      rows[at + P95] = orderStatistic(this.#columns[r]!, samples, rank);
      rows[at + STARVED] = this.#starved[i]!;
      rows[at + UNMET] = this.#unmet[i]!;
      rows[at + DROPPED] = this.#dropped[i]!;
      rows[at + RESIZES] = this.#resizes[i]!;
      rows[at + FAILED] = this.#failed[i]!;
    }
    if (this.#bill) this.charged?.push(this.#bill.take(slot));
    this.days.push({
      vm: this.#number[slot]!,
      day: this.#day,
      seconds: samples * this.#stepS,
      starvedAny: this.#starvedAny[slot]!,
      oomKills: this.#oomKills[slot]!,
    });
    this.#clear(slot);
  }

  /** Copies and sums what a VM used so far this day. @returns the number of samples */
  #gather(slot: number): number {
    const day = this.#usage;
    const [cpu, memory, diskIo, network] = this.#columns as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    const width = this.#width;
    const end = this.#intervals * width;
    let samples = 0;
    let u0 = 0;
    let u1 = 0;
    let u2 = 0;
    let u3 = 0;
    for (let i = this.#first[slot]! * width + slot * R; i < end; i += width) {
      const v0 = day[i]!;
      // NaN where nothing was seen of it.
      if (!(v0 >= 0)) continue;
      const v1 = day[i + 1]!;
      const v2 = day[i + 2]!;
      const v3 = day[i + 3]!;
      cpu[samples] = v0;
      memory[samples] = v1;
      diskIo[samples] = v2;
      network[samples] = v3;
      u0 += v0;
      u1 += v1;
      u2 += v2;
      u3 += v3;
      samples++;
    }
    this.#used[0] = u0;
    this.#used[1] = u1;
    this.#used[2] = u2;
    this.#used[3] = u3;
    return samples;
  }

  #clear(slot: number): void {
    for (let i = slot * R; i < slot * R + R; i++) {
      this.#allocated[i] = 0;
      this.#starved[i] = 0;
      this.#unmet[i] = 0;
      this.#dropped[i] = 0;
      this.#resizes[i] = 0;
      this.#failed[i] = 0;
    }
    this.#oomKills[slot] = 0;
    this.#starvedAny[slot] = 0;
  }

  #endEpisodesOf(slot: number): void {
    for (let r = 0; r < R; r++) this.#endEpisode(slot * R + r, this.#number[slot]! * R + r);
  }

  #endEpisode(index: number, vmResource: number): void {
    const seconds = this.#episode[index]!;
    if (seconds === 0) return;
    this.#episode[index] = 0;
    const e = vmResource * 3;
    this.episodes[e] = this.episodes[e]! + 1;
    this.episodes[e + 1] = this.episodes[e + 1]! + seconds;
    if (seconds > this.episodes[e + 2]!) this.episodes[e + 2] = seconds;
  }
}
