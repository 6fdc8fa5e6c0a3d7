import { grown, R } from '../model.ts';
import type { Hierarchy } from './hierarchy.ts';

/**
 * What batch models are trained on: per row of the hierarchy and resource, the mean usage of its VMs in units of
 * their size, in samples of `every` ticks, the newest `length` of them. NaN where no VM of the row was seen. Kept apart
 * from the VMs' history because pairs outlive VMs: 4 bytes a sample.
 */
export class TrainingSeries {
  readonly every: number;
  readonly length: number;
  readonly #hierarchy: Hierarchy;
  #ring = new Float32Array(0);
  #sum = new Float64Array(0);
  #count = new Int32Array(0);
  /** First and last sample of each row that is not missing; -1 while there is none. */
  #first = new Int32Array(0);
  #last = new Int32Array(0);
  #rows = 0;
  /** Number of the newest complete sample: it covers ticks [every * head, every * (head + 1)). */
  head = -1;

  constructor(hierarchy: Hierarchy, every: number, length: number) {
    this.#hierarchy = hierarchy;
    this.every = every;
    this.length = length;
    this.grow();
  }

  grow(): void {
    const { size } = this.#hierarchy;
    if (size === this.#rows) return;
    if (size > this.#first.length) {
      const capacity = Math.max(size, 2 * this.#rows);
      this.#ring = grown(this.#ring, capacity * R * this.length);
      this.#sum = grown(this.#sum, capacity * R);
      this.#count = grown(this.#count, capacity * R);
      this.#first = grown(this.#first, capacity);
      this.#last = grown(this.#last, capacity);
    }
    this.#ring.fill(Number.NaN, this.#rows * R * this.length, size * R * this.length);
    this.#first.fill(-1, this.#rows, size);
    this.#last.fill(-1, this.#rows, size);
    this.#rows = size;
  }

  /** Adds a VM's usage of the running tick, in units of its size, to its pair. */
  add(row: number, resource: number, value: number): void {
    this.#sum[row * R + resource]! += value;
    this.#count[row * R + resource]!++;
  }

  /** Ends a tick: completes the running sample when it was the last of it. */
  tick(t: number): void {
    if ((t + 1) % this.every !== 0) return;
    const { parent } = this.#hierarchy;
    const head = (t + 1) / this.every - 1;
    const at = head % this.length;
    this.head = head;
    for (let row = this.#rows - 1; row >= 0; row--) {
      let any = false;
      for (let r = 0; r < R; r++) {
        const i = row * R + r;
        const count = this.#count[i]!;
        this.#ring[i * this.length + at] = count > 0 ? this.#sum[i]! / count : Number.NaN;
        if (count > 0) {
          any = true;
          const up = parent[row]! * R + r;
          if (up >= 0) {
            this.#sum[up]! += this.#sum[i]!;
            this.#count[up]! += count;
          }
        }
        this.#sum[i] = 0;
        this.#count[i] = 0;
      }
      if (!any) continue;
      this.#last[row] = head;
      if (this.#first[row]! < 0) this.#first[row] = head;
    }
  }

  /** Samples from the first that is still retained to the newest; 0 while there is none. */
  available(row: number): number {
    const first = this.#first[row]!;
    return first < 0 ? 0 : Math.min(this.length, this.head - first + 1);
  }

  /** Number of the newest sample of the row that is not missing; -1 while there is none. */
  last(row: number): number {
    return this.#last[row]!;
  }

  /** Copies the newest `n` samples of a row and resource, oldest first, to `out` from `offset`. */
  copy(row: number, resource: number, n: number, out: Float64Array, offset: number): void {
    const base = (row * R + resource) * this.length;
    for (let k = 0; k < n; k++) {
      const sample = this.head - n + 1 + k;
      out[offset + k] = sample < 0 ? Number.NaN : this.#ring[base + (sample % this.length)]!;
    }
  }

  /** The columns that hold a row; `head` has to be put back too. */
  columns(row: number): (Float64Array | Float32Array | Int32Array)[] {
    const from = row * R;
    return [
      this.#first.subarray(row, row + 1),
      this.#last.subarray(row, row + 1),
      this.#sum.subarray(from, from + R),
      this.#count.subarray(from, from + R),
      this.#ring.subarray(from * this.length, (from + R) * this.length),
    ];
  }
}
