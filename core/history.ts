import type { Fleet } from './fleet.ts';
import { type Frame, R } from './model.ts';

/**
 * What was observed, as a ring of `depth` ticks. One block of 32-bit floats a tick, slot x R, so that an
 * append is one copy and a larger fleet just makes larger blocks: 16 bytes a VM-tick.
 */
export class History {
  readonly depth: number;
  readonly #fleet: Fleet;
  readonly #ring: Float32Array[];
  #head = -1;
  #length = 0;

  /** @param depth ticks to retain, at least 1 */
  constructor(fleet: Fleet, depth: number) {
    this.#fleet = fleet;
    this.depth = Math.max(1, depth);
    this.#ring = new Array(this.depth);
  }

  /** Tick number of the newest frame; -1 while empty. */
  get head(): number {
    return this.#head;
  }

  /** Appends the frame of tick `frame.tick`, which must be the tick after `head` (or any, while empty). */
  append(frame: Frame): void {
    if (this.#length > 0 && frame.tick !== this.#head + 1) {
      throw new RangeError(`history at tick ${this.#head} cannot take tick ${frame.tick}`);
    }
    const length = this.#fleet.rows * R;
    const at = frame.tick % this.depth;
    let block = this.#ring[at];
    if (!block || block.length !== length) {
      block = new Float32Array(length);
      this.#ring[at] = block;
    }
    const usage = frame.usage;
    // Four at a turn: one by one, each conversion waits for the last.
    for (let i = 0; i < length; i += R) {
      block[i] = usage[i]!;
      block[i + 1] = usage[i + 1]!;
      block[i + 2] = usage[i + 2]!;
      block[i + 3] = usage[i + 3]!;
    }
    this.#head = frame.tick;
    if (this.#length < this.depth) this.#length++;
  }

  /** Oldest tick for which the VM now in `slot` may have a sample. */
  first(slot: number): number {
    return Math.max(this.#fleet.since[slot]!, this.#head - this.#length + 1);
  }

  /** Number of retained ticks since the VM in `slot` was admitted. */
  available(slot: number): number {
    return this.#head - this.first(slot) + 1;
  }

  /** The block of a retained tick (slot x R), or undefined. Do not write to it. */
  block(tick: number): Float32Array | undefined {
    return tick > this.#head || tick <= this.#head - this.#length ? undefined : this.#ring[tick % this.depth];
  }

  /** One usage value; NaN where none was seen. */
  at(slot: number, resource: number, tick: number): number {
    if (tick < this.#fleet.since[slot]!) return Number.NaN;
    return this.block(tick)?.[slot * R + resource] ?? Number.NaN;
  }

  /**
   * Copies the usage of ticks [from, to) into `out` from `offset`: NaN where no sample was seen.
   * @returns `out`
   */
  series(
    slot: number,
    resource: number,
    from: number,
    to: number,
    out: Float64Array,
    offset = 0,
  ): Float64Array {
    const first = this.first(slot);
    const index = slot * R + resource;
    const { depth } = this;
    const head = this.#head;
    let at = Math.max(from, first) % depth;
    for (let tick = from; tick < to; tick++) {
      if (tick < first || tick > head) {
        out[offset++] = Number.NaN;
        continue;
      }
      out[offset++] = this.#ring[at]![index] ?? Number.NaN;
      if (++at === depth) at = 0;
    }
    return out;
  }
}
