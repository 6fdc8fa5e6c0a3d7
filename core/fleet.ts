import { grown, type PerSlot, R, type VmSpec } from './model.ts';

/**
 * The VMs under control, each in a slot: a small integer that indexes every column. A departed VM's slot is
 * given to a later one. Whoever keeps state per slot registers here and is told of admissions.
 */
export class Fleet {
  readonly specs: (VmSpec | undefined)[] = [];
  /** Index of the slot's (application, user) pair, application and user, in order of first appearance. */
  pair = new Int32Array(0);
  application = new Int32Array(0);
  user = new Int32Array(0);
  /** Tick at which the VM in the slot was admitted. */
  since = new Int32Array(0);
  /** Bounds and the owner's request, slot x R. */
  min = new Float64Array(0);
  max = new Float64Array(0);
  requested = new Float64Array(0);

  readonly pairs = new Names();
  readonly applications = new Names();
  readonly users = new Names();

  #capacity = 0;
  #rows = 0;
  readonly #free: number[] = [];
  readonly #slotOf = new Map<string, number>();
  readonly #parts: PerSlot[] = [];
  #active = new Int32Array(0);
  #stale = true;

  /** Slots ever used: columns hold at least `rows * R` numbers. */
  get rows(): number {
    return this.#rows;
  }

  get size(): number {
    return this.#slotOf.size;
  }

  /** The slots of the VMs that are here, ascending. Valid until the next admit or retire. */
  get slots(): Int32Array {
    if (this.#stale) {
      const active = new Int32Array(this.#slotOf.size);
      let n = 0;
      for (let slot = 0; slot < this.#rows; slot++) if (this.specs[slot]) active[n++] = slot;
      this.#active = active;
      this.#stale = false;
    }
    return this.#active;
  }

  /** Joins a part to the fleet: it is grown to today's capacity and told of VMs already here. */
  register<T extends PerSlot>(part: T): T {
    this.#parts.push(part);
    if (this.#capacity > 0) part.grow(this.#capacity);
    for (const slot of this.slots) part.admit(slot);
    return part;
  }

  /** Gives the VM a slot at `tick`. A VM that is already here keeps its slot, with the new spec. */
  admit(spec: VmSpec, tick: number): number {
    const known = this.#slotOf.get(spec.vmId);
    if (known !== undefined) {
      this.#describe(known, spec);
      return known;
    }
    const slot = this.#free.pop() ?? this.#rows++;
    if (slot >= this.#capacity) this.#grow(Math.max(16, this.#capacity * 2));
    this.#slotOf.set(spec.vmId, slot);
    this.#stale = true;
    this.since[slot] = tick;
    this.#describe(slot, spec);
    for (const part of this.#parts) part.admit(slot);
    return slot;
  }

  retire(vmId: string): void {
    const slot = this.#slotOf.get(vmId);
    if (slot === undefined) return;
    for (const part of this.#parts) part.retire?.(slot);
    this.#slotOf.delete(vmId);
    this.specs[slot] = undefined;
    this.#free.push(slot);
    this.#stale = true;
  }

  slotOf(vmId: string): number | undefined {
    return this.#slotOf.get(vmId);
  }

  #describe(slot: number, spec: VmSpec): void {
    this.specs[slot] = spec;
    this.application[slot] = this.applications.index(spec.applicationId);
    this.user[slot] = this.users.index(spec.userId);
    this.pair[slot] = this.pairs.index(pairKey(spec.applicationId, spec.userId));
    this.min.set(spec.min, slot * R);
    this.max.set(spec.max, slot * R);
    this.requested.set(spec.requested, slot * R);
  }

  #grow(capacity: number): void {
    this.#capacity = capacity;
    for (const key of ['pair', 'application', 'user', 'since'] as const)
      this[key] = grown(this[key], capacity);
    for (const key of ['min', 'max', 'requested'] as const) this[key] = grown(this[key], capacity * R);
    for (const part of this.#parts) part.grow(capacity);
  }
}

/** Strings numbered in order of first appearance. */
export class Names {
  readonly list: string[] = [];
  readonly #index = new Map<string, number>();

  index(name: string): number {
    let i = this.#index.get(name);
    if (i === undefined) {
      i = this.list.length;
      this.list.push(name);
      this.#index.set(name, i);
    }
    return i;
  }

  find(name: string): number | undefined {
    return this.#index.get(name);
  }
}

/** Key of an (application, user) pair; the separator is a control character no id may hold. */
export function pairKey(applicationId: string, userId: string): string {
  return `${applicationId}\u001f${userId}`;
}
