import { CPU, grown, MEMORY, type PerSlot, R } from './model.ts';

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
  /** Indices (slot x R) at which anything below is not at rest, ascending: disturbed[0..count). */
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
  /** Wanted / served CPU work, per slot, listed by the slot's CPU; 1 = not held back. */
  stretch = new Float64Array(0);
  /** Per slot, listed by the slot's memory. */
  oomKills = new Uint16Array(0);

  grow(capacity: number): void {
    for (const key of ['demand', 'usage', 'allocation', 'starved', 'unmet', 'dropped', 'backlog'] as const) {
      this[key] = grown(this[key], capacity * R);
    }
    this.disturbed = grown(this.disturbed, capacity * R);
    this.stretch = grown(this.stretch, capacity);
    this.oomKills = grown(this.oomKills, capacity);
  }

  admit(slot: number): void {
    for (const key of ['demand', 'usage', 'allocation'] as const) this[key].fill(0, slot * R, slot * R + R);
    for (let i = slot * R; i < slot * R + R; i++) this.rest(i);
  }

  /** Brings the sparse columns to rest at an index. */
  rest(index: number): void {
    this.starved[index] = 0;
    this.unmet[index] = 0;
    this.dropped[index] = 0;
    this.backlog[index] = 0;
    if (index % R === CPU) this.stretch[index / R] = 1;
    else if (index % R === MEMORY) this.oomKills[(index - MEMORY) / R] = 0;
  }
}
