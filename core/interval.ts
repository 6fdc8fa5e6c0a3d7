import { grown, type PerSlot, R } from './model.ts';

/**
 * What became of each VM over one interval, slot x R: the input of the score. The simulator fills it from true
 * demand; a live driver from pressure. Most VMs are undisturbed: their entries in the columns after `disturbed` are
 * at rest (0, stretch 1), and a fold visits only the listed slots.
 */
export class Interval implements PerSlot {
  /** Demand, usage and allocation, mean over the interval. */
  demand = new Float64Array(0);
  usage = new Float64Array(0);
  allocation = new Float64Array(0);
  /** Slots in which anything below is not at rest, ascending: disturbed[0..count). */
  disturbed = new Int32Array(0);
  count = 0;
  /** Seconds with demand above the allocation. */
  starved = new Float64Array(0);
  /** Demand above the allocation, integrated: unit x seconds. */
  unmet = new Float64Array(0);
  /** Work given up: unit x seconds. */
  dropped = new Float64Array(0);
  /** Work that waits at the end of the interval: unit x seconds. */
  backlog = new Float64Array(0);
  /** Wanted / served CPU work, per slot; 1 = not held back. */
  stretch = new Float64Array(0);
  oomKills = new Uint16Array(0);

  grow(capacity: number): void {
    for (const key of ['demand', 'usage', 'allocation', 'starved', 'unmet', 'dropped', 'backlog'] as const) {
      this[key] = grown(this[key], capacity * R);
    }
    this.disturbed = grown(this.disturbed, capacity);
    this.stretch = grown(this.stretch, capacity);
    this.oomKills = grown(this.oomKills, capacity);
  }

  admit(slot: number): void {
    for (const key of ['demand', 'usage', 'allocation'] as const) this[key].fill(0, slot * R, slot * R + R);
    this.rest(slot);
  }

  /** Brings the slot's sparse columns to rest. */
  rest(slot: number): void {
    for (let i = slot * R; i < slot * R + R; i++) {
      this.starved[i] = 0;
      this.unmet[i] = 0;
      this.dropped[i] = 0;
      this.backlog[i] = 0;
    }
    this.stretch[slot] = 1;
    this.oomKills[slot] = 0;
  }
}
