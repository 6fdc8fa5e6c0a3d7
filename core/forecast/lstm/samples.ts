import type { Fleet } from '../../fleet.ts';
import { R } from '../../model.ts';
import { mix, type Rng, uniformAt } from '../../rng.ts';
import { STAT, type Statistics } from './statistics.ts';

const WIDTH = R * STAT.width;
/** Most moments that are remembered: 28 MB. In a large fleet they are drawn evenly. */
const POOL = 16_384;
/** One in so many blocks of a quarter of a day is held back from training, by VM. */
const HELD_BACK = 8;

/**
 * Moments to learn from: the hourly statistics of slots as they were, so that a training window is built from just
 * what a forecast of that moment saw. A ring; what is older than the training window is not drawn any more.
 */
export class Samples {
  readonly #fleet: Fleet;
  readonly #statistics: Statistics;
  readonly #seed: number;
  readonly #slot: Int32Array;
  readonly #since: Int32Array;
  readonly #tick: Int32Array;
  #rows = new Float32Array(0);
  #next = 0;
  #count = 0;

  constructor(fleet: Fleet, statistics: Statistics, seed: number) {
    this.#fleet = fleet;
    this.#statistics = statistics;
    this.#seed = seed;
    this.#slot = new Int32Array(POOL);
    this.#since = new Int32Array(POOL);
    this.#tick = new Int32Array(POOL);
  }

  /**
   * Remembers the slot's statistics of `tick`, once it is an hour old. In a large fleet only a share of all such
   * moments, drawn by seed, so that the pool spans the training window of `window` ticks.
   */
  add(slot: number, tick: number, window: number): void {
    if (tick - this.#fleet.since[slot]! < this.every) return;
    const share = (POOL * this.every) / (this.#fleet.size * window);
    if (share < 1 && uniformAt(this.#seed, slot, tick) >= share) return;
    const at = this.#next;
    this.#reserve(at + 1);
    this.#slot[at] = slot;
    this.#since[at] = this.#fleet.since[slot]!;
    this.#tick[at] = tick;
    this.#rows.set(this.#statistics.rows.subarray(slot * WIDTH, (slot + 1) * WIDTH), at * WIDTH);
    this.#next = (at + 1) % POOL;
    this.#count = Math.max(this.#count, at + 1);
  }

  /** The moments from `oldest` to `newest` of VMs that are here, for training or held back, oldest first. */
  select(oldest: number, newest: number, heldBack: boolean): Int32Array {
    const chosen: number[] = [];
    for (let n = 0; n < this.#count; n++) {
      const i = (this.#next + POOL - this.#count + n) % POOL;
      const slot = this.#slot[i]!;
      if (this.#tick[i]! < oldest || this.#tick[i]! > newest) continue;
      if (!this.#fleet.specs[slot] || this.#since[i] !== this.#fleet.since[slot]) continue;
      if (this.#isHeldBack(slot, this.#tick[i]!) === heldBack) chosen.push(i);
    }
    return Int32Array.from(chosen);
  }

  /** Ticks between two moments of a slot. */
  get every(): number {
    return this.#statistics.every;
  }

  slot(i: number): number {
    return this.#slot[i]!;
  }

  /** A tick of the moment's hour: its statistics serve until the next refresh. */
  origin(i: number, rng: Rng): number {
    return this.#tick[i]! + rng.int(this.every);
  }

  get rows(): Float32Array {
    return this.#rows;
  }

  /** Where the moment's rows start in `rows`. */
  rowsAt(i: number): number {
    return i * WIDTH;
  }

  #isHeldBack(slot: number, tick: number): boolean {
    const block = Math.floor((4 * tick) / this.#statistics.day);
    return mix(mix(slot + 1) ^ block) % HELD_BACK === 0;
  }

  #reserve(count: number): void {
    if (this.#rows.length >= count * WIDTH) return;
    const longer = new Float32Array(Math.min(POOL, Math.max(1024, 2 * count)) * WIDTH);
    longer.set(this.#rows);
    this.#rows = longer;
  }
}
