import { grown, type PerSlot, R } from './model.ts';

/**
 * The entries of an interval in which something was out of the ordinary: a list, as most VMs are undisturbed. Entry k
 * belongs to index[k] = slot * R + resource; indices ascend.
 */
export class Disturbances {
  count = 0;
  index = new Int32Array(0);
  /** Seconds with demand above the allocation. */
  starved = new Float64Array(0);
  /** Demand above the allocation, integrated: unit x seconds. */
  unmet = new Float64Array(0);
  /** Work given up: unit x seconds. */
  dropped = new Float64Array(0);
  /** Work that waits at the end of the interval: unit x seconds. */
  backlog = new Float64Array(0);
  /** Wanted / served work; 1 = not held back. */
  stretch = new Float64Array(0);
  /** OOM kills, at the VM's memory. */
  oomKills = new Uint8Array(0);

  grow(length: number): void {
    this.index = grown(this.index, length);
    for (const key of ['starved', 'unmet', 'dropped', 'backlog', 'stretch'] as const) {
      this[key] = grown(this[key], length);
    }
    this.oomKills = grown(this.oomKills, length);
  }
}

/**
 * What became of each VM over one interval: the input of the score. The simulator fills it from true demand; a live
 * driver from pressure.
 */
export class Interval implements PerSlot {
  /** Demand, usage and allocation, mean over the interval, slot x R. */
  demand = new Float64Array(0);
  usage = new Float64Array(0);
  allocation = new Float64Array(0);
  readonly disturbed = new Disturbances();

  grow(capacity: number): void {
    for (const key of ['demand', 'usage', 'allocation'] as const) this[key] = grown(this[key], capacity * R);
    this.disturbed.grow(capacity * R);
  }

  admit(slot: number): void {
    for (const key of ['demand', 'usage', 'allocation'] as const) this[key].fill(0, slot * R, slot * R + R);
  }
}
