/**
 * The words of Foresize as types. Quantities travel as columns: a `Float64Array` of rows x R, where a row
 * is a VM's slot and `slot * R + resource` the index. See docs/architecture.md for the words themselves.
 */

export const RESOURCES = ['cpu', 'memory', 'diskIo', 'network'] as const;
export type Resource = (typeof RESOURCES)[number];

/** Width of a row: the number of resources. */
export const R = 4;
export const CPU = 0;
export const MEMORY = 1;
export const DISK_IO = 2;
export const NETWORK = 3;

export const UNITS: Readonly<Record<Resource, string>> = {
  cpu: 'cores',
  memory: 'MiB',
  diskIo: 'bytes/s',
  network: 'bytes/s',
};

/** One number per resource, in the order of `RESOURCES`. 0 in an allocation means: not managed here. */
export type ResourceVector = readonly [cpu: number, memory: number, diskIo: number, network: number];

/** What is known of a VM when it is admitted. Allocations in the units of `UNITS`. */
export interface VmSpec {
  readonly vmId: string;
  readonly applicationId: string;
  readonly userId: string;
  /** The allocation as requested by the owner, and the one the VM starts with. */
  readonly requested: ResourceVector;
  /** Bounds no policy may leave. A resource that is not managed has 0 in all three. */
  readonly min: ResourceVector;
  readonly max: ResourceVector;
}

/** A part that keeps state per VM slot: told when slots are added, taken and given back. */
export interface PerSlot {
  /** Make room for `capacity` slots; called before any `admit` of a slot at or above the old capacity. */
  grow(capacity: number): void;
  /** A new VM takes `slot`: forget whatever the slot held. */
  admit(slot: number): void;
  /** The VM in `slot` has gone; its state may still be read until the slot is admitted again. */
  retire?(slot: number): void;
}

/** The samples of one tick, one row a slot. What the core sees of the world: usage, never demand. */
export class Frame implements PerSlot {
  /** Tick number, and its time in ms since the Unix epoch. The samples cover the interval that ends here. */
  tick = 0;
  at = 0;
  /** Mean usage over the interval, slot x R, in `UNITS`; NaN where no sample came. */
  usage = new Float64Array(0);
  /** Share of wanted work that was held back, slot x R, 0..1 (vCPU delay, swap, queueing). */
  pressure = new Float64Array(0);
  /** What the hypervisor grants at `at`, slot x R. */
  allocation = new Float64Array(0);
  /** When the newest sample of the slot was taken, ms since the epoch; never later than `at`. */
  sampledAt = new Float64Array(0);
  /** OOM kills since the last frame, per slot. */
  oomKills = new Uint16Array(0);

  grow(capacity: number): void {
    this.usage = grown(this.usage, capacity * R);
    this.pressure = grown(this.pressure, capacity * R);
    this.allocation = grown(this.allocation, capacity * R);
    this.sampledAt = grown(this.sampledAt, capacity);
    this.oomKills = grown(this.oomKills, capacity);
  }

  admit(slot: number): void {
    this.usage.fill(Number.NaN, slot * R, slot * R + R);
    this.pressure.fill(0, slot * R, slot * R + R);
    this.sampledAt[slot] = Number.NEGATIVE_INFINITY;
    this.oomKills[slot] = 0;
  }
}

type Columns = Float64Array | Float32Array | Int32Array | Uint32Array | Uint16Array | Uint8Array;

const LINE = 64;
const PAGE = 4096;
let staggered = 0;

/**
 * `array`, or a longer copy of it, with at least `length` elements. Columns begin at different offsets within a page:
 * a loop reads many of them at the same index, and equal offsets would fight for the same few lines of the cache.
 */
export function grown<T extends Columns>(array: T, length: number): T {
  if (array.length >= length) return array;
  const create = array.constructor as new (buffer: ArrayBuffer, offset: number, length: number) => T;
  const offset = (staggered++ * 5 * LINE) % PAGE;
  const longer = new create(new ArrayBuffer(offset + length * array.BYTES_PER_ELEMENT), offset, length);
  longer.set(array);
  return longer;
}
