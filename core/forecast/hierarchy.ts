import type { Fleet } from '../fleet.ts';
import { grown, type PerSlot } from '../model.ts';

/** Row of everything together: the last resort before knowing nothing. */
export const GLOBAL = 0;

/** What a row stands for: neither id for the global row, no user for an application's. */
export interface RowKey {
  readonly applicationId?: string;
  readonly userId?: string;
}

/**
 * The rows that learned things are kept for: one per (application, user) pair, one per application, one for all.
 * A row's parent speaks for it while it knows too little: pair -> application -> global.
 */
export class Hierarchy implements PerSlot {
  readonly keys: RowKey[] = [{}];
  /** Parent of each row; -1 for the global one. A parent always comes before its children. */
  readonly parent: number[] = [-1];
  /** Rows directly below each row. */
  readonly children: number[][] = [[]];
  /** The pair row of the VM in each slot. */
  row = new Int32Array(0);
  readonly #fleet: Fleet;
  readonly #pairs: number[] = [];
  readonly #applications: number[] = [];

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  get size(): number {
    return this.keys.length;
  }

  grow(capacity: number): void {
    this.row = grown(this.row, capacity);
  }

  admit(slot: number): void {
    const fleet = this.#fleet;
    const pair = fleet.pair[slot]!;
    const known = this.#pairs[pair];
    if (known !== undefined) {
      this.row[slot] = known;
      return;
    }
    const a = fleet.application[slot]!;
    const applicationId = fleet.applications.list[a]!;
    const application = this.#applications[a] ?? this.#add({ applicationId }, GLOBAL);
    this.#applications[a] = application;
    const userId = fleet.users.list[fleet.user[slot]!]!;
    const row = this.#add({ applicationId, userId }, application);
    this.#pairs[pair] = row;
    this.row[slot] = row;
  }

  /** Whether the row is a pair's: rows that VMs belong to. */
  isPair(row: number): boolean {
    return this.keys[row]!.userId !== undefined;
  }

  /** The nearest row above that knows more than this row's own family: an only child has nothing to learn from its parent. */
  teacher(row: number): number {
    let up = this.parent[row]!;
    while (up > GLOBAL && this.children[up]!.length < 2) up = this.parent[up]!;
    return up;
  }

  #add(key: RowKey, parent: number): number {
    this.keys.push(key);
    this.children.push([]);
    const row = this.parent.push(parent) - 1;
    this.children[parent]!.push(row);
    return row;
  }

  /** Makes what the applications and the fleet hold the sum of their pairs': rows of `span` numbers. */
  sumUp(array: Float32Array | Float64Array, span: number): void {
    const { parent, size } = this;
    for (let row = 0; row < size; row++) {
      if (!this.isPair(row)) array.fill(0, row * span, (row + 1) * span);
    }
    // Children come after their parents: backwards, every row is complete before it is added up.
    for (let row = size - 1; row > 0; row--) {
      const to = parent[row]! * span;
      const from = row * span;
      for (let k = 0; k < span; k++) array[to + k]! += array[from + k]!;
    }
  }
}
