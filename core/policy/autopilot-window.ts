import { z } from 'zod';
import type { Fleet } from '../fleet.ts';
import { isSample } from '../forecast/point-model.ts';
import { Histograms } from '../histogram.ts';
import { exp2 } from '../math.ts';
import { type Frame, grown, MEMORY, R } from '../model.ts';
import { usageGrids } from './grids.ts';
import type { Policy, PolicyContext } from './types.ts';

export const autopilotWindowParams = z
  .strictObject({
    cpu: z
      .enum(['average', 'p90', 'p95'])
      .default('p95')
      .describe(
        'Statistic of CPU, disk and network: the average for batch work, p95 or p90 of load for serving.',
      ),
    memory: z
      .enum(['p98', 'max', 'p60-half-max'])
      .default('max')
      .describe('Statistic of memory, by how well OOM kills are tolerated.'),
    cpuHalfLifeHours: z
      .number()
      .positive()
      .default(12)
      .describe('Age at which a sample of CPU, disk or network weighs half.'),
    memoryHalfLifeHours: z
      .number()
      .positive()
      .default(48)
      .describe('Age at which a sample of memory weighs half.'),
    maxHours: z
      .number()
      .int()
      .positive()
      .default(168)
      .describe('Hours over which the maximum of memory is taken.'),
    margin: z.number().nonnegative().default(0.15).describe('Safety margin; 0.10 to 0.15 in the paper.'),
  })
  .describe('The moving window recommender of Google Autopilot.');

export type AutopilotWindowParams = z.infer<typeof autopilotWindowParams>;

/** The moving window recommender of Rzadca et al., Autopilot (EuroSys 2020), 3.2.2. */
export function createAutopilotWindow(params: AutopilotWindowParams, ctx: PolicyContext): Policy {
  return new AutopilotWindow(params, ctx);
}

const HOUR = 3_600_000;
const RATIO = 1.05;
const GRIDS = usageGrids(RATIO);
const BUCKETS = GRIDS[0]!.count;
/** What a sample in bucket b weighs in the load-adjusted histogram, in widths of the first bucket. */
const LOAD = Float64Array.from(GRIDS[0]!.ends, (end) => end / GRIDS[0]!.ends[0]!);
/** Weights are scaled down when they have grown by 2^40. */
const MAX_EXPONENT = 40;
const NONE = 0xffff;
const BLOCK = 64;
const QUANTILES = { average: undefined, p90: 0.9, p95: 0.95, p98: 0.98, max: undefined, 'p60-half-max': 0.6 };

/**
 * Statistics of usage with exponentially decaying weights, a margin on them, and the largest result of the last hour. Acts
 * once a VM was seen for that hour. docs/policies.md has the definitions. 3.5 kB a VM, and 4 bytes an hour of `maxHours`.
 */
class AutopilotWindow implements Policy {
  readonly name = 'autopilot-window';
  readonly #params: AutopilotWindowParams;
  readonly #fleet: Fleet;
  readonly #histograms: Histograms;
  readonly #halfLife: readonly number[];
  /** Which of the followed percentiles a resource uses, -1 for none. */
  readonly #followed: readonly number[];
  /** Ticks in an hour: results retained. */
  readonly #window: number;
  /** By resource: time at which a sample's weight is not scaled, and what one weighs now. */
  readonly #reference = new Float64Array(R).fill(Number.NaN);
  readonly #weight = new Float64Array(R);
  #hour = Number.NaN;

  /** Slot x R: bucket of this tick's sample; weighted sum of usage, and of weights. */
  #bucket = new Uint16Array(0);
  #sum = new Float64Array(0);
  #total = new Float64Array(0);
  /** Slot x R x window: the results of the last hour, and how many there were in all (slot x R). */
  #results = new Float64Array(0);
  #count = new Int32Array(0);
  /** Slot x maxHours: largest memory sample of each hour; and per slot the largest of them. */
  #hourly = new Float32Array(0);
  #max = new Float64Array(0);

  constructor(params: AutopilotWindowParams, ctx: PolicyContext) {
    this.#params = params;
    this.#fleet = ctx.fleet;
    this.#window = Math.max(1, Math.ceil(HOUR / ctx.stepMs));
    const { cpu, memory, cpuHalfLifeHours, memoryHalfLifeHours } = params;
    const quantiles = [...new Set([QUANTILES[cpu], QUANTILES[memory]])].filter((q) => q !== undefined);
    this.#histograms = new Histograms(BUCKETS, quantiles, 0);
    const statistics = [cpu, memory, cpu, cpu];
    this.#followed = statistics.map((name) => quantiles.indexOf(QUANTILES[name] ?? Number.NaN));
    this.#halfLife = statistics.map((_, r) => (r === MEMORY ? memoryHalfLifeHours : cpuHalfLifeHours) * HOUR);
  }

  grow(capacity: number): void {
    this.#histograms.grow(capacity * R);
    this.#bucket = grown(this.#bucket, capacity * R);
    this.#sum = grown(this.#sum, capacity * R);
    this.#total = grown(this.#total, capacity * R);
    this.#results = grown(this.#results, capacity * R * this.#window);
    this.#count = grown(this.#count, capacity * R);
    this.#hourly = grown(this.#hourly, capacity * this.#params.maxHours);
    this.#max = grown(this.#max, capacity);
  }

  admit(slot: number): void {
    const from = slot * R;
    for (let i = from; i < from + R; i++) this.#histograms.clear(i);
    for (const column of [this.#sum, this.#total, this.#count]) column.fill(0, from, from + R);
    this.#results.fill(0, from * this.#window, (from + R) * this.#window);
    this.#hourly.fill(0, slot * this.#params.maxHours, (slot + 1) * this.#params.maxHours);
    this.#max[slot] = 0;
  }

  decide(frame: Frame, slots: Int32Array, desired: Float64Array): void {
    for (let r = 0; r < R; r++) this.#advance(r, frame.at);
    const hour = Math.floor((frame.at - 1) / HOUR);
    if (hour !== this.#hour) this.#turnHour(hour);
    for (let from = 0; from < slots.length; from += BLOCK) {
      const block = slots.subarray(from, from + BLOCK);
      this.#pour(frame, block);
      for (let k = 0; k < block.length; k++) this.#recommend(frame, block[k]!, desired);
    }
  }

  /** Finds the bucket of each sample and pours it in. */
  #pour(frame: Frame, slots: Int32Array): void {
    const usage = frame.usage;
    const max = this.#fleet.max;
    for (let k = 0; k < slots.length; k++) {
      for (let r = 0; r < R; r++) {
        const i = slots[k]! * R + r;
        const u = usage[i]!;
        const bucket = isSample(u) && max[i] !== 0 ? GRIDS[r]!.find(u) : NONE;
        this.#bucket[i] = bucket;
        if (bucket === NONE || this.#followed[r]! < 0) continue;
        this.#histograms.pour(i, bucket, this.#weight[r]! * LOAD[bucket]!);
      }
    }
  }

  #recommend(frame: Frame, slot: number, desired: Float64Array): void {
    const window = this.#window;
    const scale = 1 + this.#params.margin;
    for (let r = 0; r < R; r++) {
      const i = slot * R + r;
      const bucket = this.#bucket[i]!;
      const sampled = bucket !== NONE;
      if (sampled) this.#learn(slot, r, bucket, frame.usage[i]!);
      if (this.#total[i] === 0) continue;
      const results = i * window;
      this.#results[results + (frame.tick % window)] =
        scale * Math.max(this.#statistic(slot, r), GRIDS[r]!.ends[0]!);
      if (++this.#count[i]! < window || !sampled) continue;
      let largest = 0;
      for (let k = results; k < results + window; k++) {
        const result = this.#results[k]!;
        if (result > largest) largest = result;
      }
      desired[i] = largest;
    }
  }

  #learn(slot: number, r: number, bucket: number, usage: number): void {
    const i = slot * R + r;
    const weight = this.#weight[r]!;
    if (this.#followed[r]! >= 0) this.#histograms.follow(i, bucket, weight * LOAD[bucket]!);
    this.#sum[i]! += weight * usage;
    this.#total[i]! += weight;
    if (r !== MEMORY) return;
    const hour = slot * this.#params.maxHours + (this.#hour % this.#params.maxHours);
    if (usage > this.#hourly[hour]!) this.#hourly[hour] = usage;
    if (usage > this.#max[slot]!) this.#max[slot] = usage;
  }

  /** S_avg, S_p, S_max or max(S_p60, 0.5 S_max) of the paper. */
  #statistic(slot: number, r: number): number {
    const i = slot * R + r;
    const name = r === MEMORY ? this.#params.memory : this.#params.cpu;
    if (name === 'average') return this.#sum[i]! / this.#total[i]!;
    if (name === 'max') return this.#max[slot]!;
    const percentile = GRIDS[r]!.ends[this.#histograms.bucket(i, this.#followed[r]!)]!;
    return name === 'p60-half-max' ? Math.max(percentile, this.#max[slot]! / 2) : percentile;
  }

  /** Opens an hour of the memory maxima in place of the oldest. */
  #turnHour(hour: number): void {
    const length = this.#params.maxHours;
    const passed = Number.isNaN(this.#hour) ? 0 : Math.min(length, hour - this.#hour);
    this.#hour = hour;
    if (passed === 0) return;
    for (const slot of this.#fleet.slots) {
      const from = slot * length;
      for (let back = 0; back < passed; back++) this.#hourly[from + ((hour - back) % length)] = 0;
      let max = 0;
      for (let k = from; k < from + length; k++) max = Math.max(max, this.#hourly[k]!);
      this.#max[slot] = max;
    }
  }

  /** Sets what a sample weighs now; moves the reference when weights would grow too large. */
  #advance(r: number, at: number): void {
    const halfLife = this.#halfLife[r]!;
    const old = this.#reference[r]!;
    if (!(at - old <= MAX_EXPONENT * halfLife)) {
      this.#reference[r] = at;
      const factor = Number.isNaN(old) ? 1 : exp2((old - at) / halfLife);
      for (let i = r; factor !== 1 && i < this.#fleet.rows * R; i += R) {
        this.#histograms.scale(i, factor);
        this.#sum[i]! *= factor;
        this.#total[i]! *= factor;
      }
    }
    this.#weight[r] = exp2((at - this.#reference[r]!) / halfLife);
  }
}
