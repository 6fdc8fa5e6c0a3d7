import { z } from 'zod';
import type { Fleet } from '../fleet.ts';
import { isSample } from '../forecast/point-model.ts';
import { Histograms } from '../histogram.ts';
import { exp2 } from '../math.ts';
import { CPU, type Frame, grown, MEMORY, R } from '../model.ts';
import { usageGrids } from './grids.ts';
import type { Policy, PolicyContext } from './types.ts';

const fraction = z.number().gt(0).lte(1);

export const vpaParams = z
  .strictObject({
    halfLifeHours: z.number().positive().default(24).describe('Age at which a sample weighs half.'),
    target: fraction.default(0.9).describe('Percentile of usage that becomes the allocation.'),
    lower: fraction.default(0.5).describe('Percentile below which an allocation is too small.'),
    upper: fraction.default(0.95).describe('Percentile above which an allocation is too large.'),
    margin: z.number().nonnegative().default(0.15).describe('Safety margin on every percentile.'),
    changeThreshold: z
      .number()
      .nonnegative()
      .default(0.1)
      .describe('Relative difference from the target that is worth a change inside the bounds.'),
    settledHours: z
      .number()
      .nonnegative()
      .default(12)
      .describe('Hours an allocation stays, once changed, unless it leaves the bounds.'),
    sampleWeight: z.number().positive().default(0.1).describe('Weight of a sample of CPU, disk or network.'),
    peakWindowHours: z
      .number()
      .positive()
      .default(24)
      .describe('Memory counts one peak in each such window.'),
    samplesPerDay: z
      .number()
      .positive()
      .default(1440)
      .describe('Samples that make a full day of confidence; VPA samples once a minute.'),
    oomBumpMiB: z.number().nonnegative().default(100).describe('Least growth after an OOM kill, MiB.'),
    oomBumpRatio: z.number().min(1).default(1.2).describe('Least relative growth after an OOM kill.'),
  })
  .describe('The recommender and updater of the Kubernetes Vertical Pod Autoscaler 1.4.');

export type VpaParams = z.infer<typeof vpaParams>;

export function createVpa(params: VpaParams, ctx: PolicyContext): Policy {
  return new Vpa(params, ctx.fleet);
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** Buckets lighter than this are empty: 0.001 x the least sample weight. */
const EPSILON = 1e-4;
/** Weights are scaled down when they have grown by 2^100. */
const MAX_EXPONENT = 100;
/** No sample, or a resource that is not managed. */
const NONE = 0xffff;
/** Slots taken together: their columns stay in the first-level cache. */
const BLOCK = 64;
const TARGET = 0;
const LOWER = 1;
const UPPER = 2;

const GRIDS = usageGrids(1.05);
const BUCKETS = GRIDS[CPU]!.count;
/** End of bucket b of resource r: ENDS[r * BUCKETS + b]. */
const ENDS = Float64Array.from(
  { length: R * BUCKETS },
  (_, k) => GRIDS[Math.floor(k / BUCKETS)]!.ends[k % BUCKETS]!,
);

/**
 * Kubernetes VPA as an allocation policy for VMs: docs/policies.md has the rules and where the adaptation departs. Each
 * resource is resized by itself, nothing restarts, and there is no pod minimum. 3.2 kB a VM.
 */
class Vpa implements Policy {
  readonly name = 'vpa';
  readonly #params: VpaParams;
  readonly #fleet: Fleet;
  readonly #histograms: Histograms;
  /** Time at which a sample's weight is not scaled, a multiple of the half-life; NaN before the first tick. */
  #reference = Number.NaN;

  /** Per slot: ticks with a sample, and when the first was. */
  #samples = new Int32Array(0);
  #firstAt = new Float64Array(0);
  /** Per slot: end of the memory window, weight of its peak, and the peaks seen and made up by OOM kills, MiB. */
  #windowEnd = new Float64Array(0);
  #windowWeight = new Float64Array(0);
  #memoryPeak = new Float64Array(0);
  #oomPeak = new Float64Array(0);
  /** Per slot and resource: the bucket of this tick's sample, the allocation last seen, and since when it is that. */
  #bucket = new Uint16Array(0);
  #allocation = new Float32Array(0);
  #changedAt = new Float64Array(0);

  constructor(params: VpaParams, fleet: Fleet) {
    this.#params = params;
    this.#fleet = fleet;
    this.#histograms = new Histograms(BUCKETS, [params.target, params.lower, params.upper], EPSILON);
  }

  grow(capacity: number): void {
    this.#histograms.grow(capacity * R);
    this.#samples = grown(this.#samples, capacity);
    this.#firstAt = grown(this.#firstAt, capacity);
    this.#windowEnd = grown(this.#windowEnd, capacity);
    this.#windowWeight = grown(this.#windowWeight, capacity);
    this.#memoryPeak = grown(this.#memoryPeak, capacity);
    this.#oomPeak = grown(this.#oomPeak, capacity);
    this.#bucket = grown(this.#bucket, capacity * R);
    this.#allocation = grown(this.#allocation, capacity * R);
    this.#changedAt = grown(this.#changedAt, capacity * R);
  }

  admit(slot: number): void {
    for (let i = slot * R; i < slot * R + R; i++) this.#histograms.clear(i);
    this.#samples[slot] = 0;
    this.#windowEnd[slot] = Number.NaN;
    this.#allocation.fill(Number.NaN, slot * R, slot * R + R);
  }

  decide(frame: Frame, slots: Int32Array, desired: Float64Array): void {
    const at = frame.at;
    this.#advance(at);
    const weight = this.#params.sampleWeight * this.#growth(at);
    for (let from = 0; from < slots.length; from += BLOCK) {
      const block = slots.subarray(from, from + BLOCK);
      this.#pour(frame, block, weight);
      for (let k = 0; k < block.length; k++) {
        this.#learn(frame, block[k]!, weight);
        this.#recommend(frame, block[k]!, desired);
      }
    }
  }

  /** Finds the bucket of each sample and, but for memory, pours it in. */
  #pour(frame: Frame, slots: Int32Array, weight: number): void {
    const usage = frame.usage;
    const max = this.#fleet.max;
    for (let k = 0; k < slots.length; k++) {
      for (let r = 0; r < R; r++) {
        const i = slots[k]! * R + r;
        const u = usage[i]!;
        const bucket = isSample(u) && max[i] !== 0 ? GRIDS[r]!.find(u) : NONE;
        this.#bucket[i] = bucket;
        if (r !== MEMORY && bucket !== NONE) this.#histograms.pour(i, bucket, weight);
      }
    }
  }

  #learn(frame: Frame, slot: number, weight: number): void {
    let sampled = false;
    for (let r = 0; r < R; r++) {
      const i = slot * R + r;
      const bucket = this.#bucket[i]!;
      if (bucket === NONE) continue;
      sampled = true;
      if (r === MEMORY) this.#learnMemory(slot, frame.usage[i]!, frame.at, this.#memoryPeak);
      else this.#histograms.follow(i, bucket, weight);
    }
    if (sampled && this.#samples[slot]!++ === 0) this.#firstAt[slot] = frame.at;

    const memory = slot * R + MEMORY;
    if (frame.oomKills[slot]! > 0 && this.#fleet.max[memory] !== 0) {
      // As VPA's RecordOOM: what was used is at least the allocation the VM was killed at.
      const used = Math.max(frame.allocation[memory]!, this.#memoryPeak[slot]!);
      const needed = Math.max(used + this.#params.oomBumpMiB, used * this.#params.oomBumpRatio);
      this.#learnMemory(slot, needed, frame.at, this.#oomPeak);
    }
  }

  /** One peak a window: a higher value takes the place of the one before it. `peaks` is where it is remembered. */
  #learnMemory(slot: number, value: number, at: number, peaks: Float64Array): void {
    const i = slot * R + MEMORY;
    const end = this.#windowEnd[slot]!;
    if (at < end) {
      const peak = Math.max(this.#memoryPeak[slot]!, this.#oomPeak[slot]!);
      if (value <= peak) return;
      peaks[slot] = value;
      const old = GRIDS[MEMORY]!.find(peak);
      if (GRIDS[MEMORY]!.find(value) === old) return;
      this.#histograms.subtract(i, old, this.#windowWeight[slot]!);
    } else {
      const length = this.#params.peakWindowHours * HOUR;
      const start = Number.isNaN(end) ? at : end + Math.floor((at - end) / length) * length;
      this.#windowEnd[slot] = start + length;
      // A peak counts as of the end of its window, which is later than now.
      this.#windowWeight[slot] = this.#growth(start + length);
      this.#memoryPeak[slot] = 0;
      this.#oomPeak[slot] = 0;
      peaks[slot] = value;
    }
    this.#histograms.add(i, GRIDS[MEMORY]!.find(value), this.#windowWeight[slot]!);
  }

  #recommend(frame: Frame, slot: number, desired: Float64Array): void {
    const { min, max } = this.#fleet;
    const { margin, changeThreshold, settledHours, samplesPerDay } = this.#params;
    const at = frame.at;
    const histograms = this.#histograms;
    const scale = 1 + margin;
    const confidence = Math.min((at - this.#firstAt[slot]!) / DAY, this.#samples[slot]! / samplesPerDay);
    // No confidence yet makes these 0 and infinite: any allocation is within bounds.
    const trust = 1 + 0.001 / confidence;
    const lowerScale = scale / (trust * trust);
    const upperScale = scale * (1 + 1 / confidence);
    for (let r = 0; r < R; r++) {
      const i = slot * R + r;
      const allocation = frame.allocation[i]!;
      if (Math.fround(allocation) !== this.#allocation[i]) {
        this.#allocation[i] = allocation;
        this.#changedAt[i] = at;
      }
      if (this.#bucket[i] === NONE) continue;
      const ends = r * BUCKETS;
      const target = within(min[i]!, max[i]!, ENDS[ends + histograms.bucket(i, TARGET)]! * scale);
      const lower = within(min[i]!, max[i]!, ENDS[ends + histograms.bucket(i, LOWER)]! * lowerScale);
      const upper = within(min[i]!, max[i]!, ENDS[ends + histograms.bucket(i, UPPER)]! * upperScale);
      const settled = at - this.#changedAt[i]! >= settledHours * HOUR;
      if (
        allocation < lower ||
        allocation > upper ||
        (settled && Math.abs(target - allocation) >= changeThreshold * allocation)
      ) {
        desired[i] = target;
      }
    }
  }

  /** What the weight of a sample is multiplied by: 2^(age of the reference / half-life). */
  #growth(at: number): number {
    return exp2((at - this.#reference) / (this.#params.halfLifeHours * HOUR));
  }

  /** Moves the reference when weights would grow too large. One reference for all VMs, unlike VPA's one each. */
  #advance(at: number): void {
    const halfLife = this.#params.halfLifeHours * HOUR;
    const old = this.#reference;
    if (at - old <= MAX_EXPONENT * halfLife) return;
    this.#reference = Math.round(at / halfLife) * halfLife;
    if (Number.isNaN(old)) return;
    const factor = exp2(Math.round((old - this.#reference) / halfLife));
    for (let slot = 0; slot < this.#fleet.rows; slot++) {
      this.#windowWeight[slot]! *= factor;
      for (let i = slot * R; i < slot * R + R; i++) this.#histograms.scale(i, factor);
    }
  }
}

function within(min: number, max: number, x: number): number {
  return Math.min(max, Math.max(min, x));
}
