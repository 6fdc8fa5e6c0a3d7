import type { Placement, ServerColumns } from './state.ts';

/** A migrating VM loses this share of its CPU where it leaves, and takes it where it arrives (CCPE 2012, section 5.3). */
export const MIGRATION_SHARE = 0.1;

/**
 * What hosts grant their VMs now: each VM what it wants, up to one core; where that is more than the host has, all are
 * scaled down alike, to whole MIPS. Columns by VM are of where the VM runs, not of where it is copied to.
 */
export class Shares {
  readonly granted: Float64Array;
  /** By host: MIPS in use, wanted, and share of the capacity in use. */
  readonly used: Float64Array;
  readonly wantedOn: Float64Array;
  readonly utilization: Float64Array;
  readonly #servers: ServerColumns;
  readonly #placement: Placement;
  readonly #wanted: Float64Array;
  readonly #migrating: Uint8Array;
  readonly #arriving: ReadonlyMap<number, readonly number[]>;

  /**
   * @param migrating 1 while a VM is being copied
   * @param arriving VMs being copied to a host
   */
  constructor(
    servers: ServerColumns,
    placement: Placement,
    wanted: Float64Array,
    migrating: Uint8Array,
    arriving: ReadonlyMap<number, readonly number[]>,
  ) {
    this.#servers = servers;
    this.#placement = placement;
    this.#wanted = wanted;
    this.#migrating = migrating;
    this.#arriving = arriving;
    this.granted = new Float64Array(wanted.length);
    this.used = new Float64Array(servers.count);
    this.wantedOn = new Float64Array(servers.count);
    this.utilization = new Float64Array(servers.count);
  }

  share(host: number): void {
    const { head, next } = this.#placement;
    const core = this.#servers.coreMips[host]!;
    const capacity = this.#servers.mips[host]!;
    const arriving = this.#arriving.get(host);
    let free = capacity;
    let required = 0;
    let short = false;
    const count = (wanted: number, share: number) => {
      const mips = Math.min(wanted, core) * share;
      required += mips;
      if (free >= mips) free -= mips;
      else short = true;
    };
    for (let vm = head[host]!; vm >= 0; vm = next[vm]!) count(this.#wanted[vm]!, 1);
    if (arriving) for (const vm of arriving) count(this.#wanted[vm]!, MIGRATION_SHARE);
    const scale = capacity / required;
    let used = 0;
    let wantedOn = 0;
    for (let vm = head[host]!; vm >= 0; vm = next[vm]!) {
      const wanted = this.#wanted[vm]!;
      const leaving = this.#migrating[vm] === 1;
      let mips = Math.min(wanted, core);
      if (short) mips *= scale;
      if (leaving) mips *= 1 - MIGRATION_SHARE;
      if (short) mips = Math.floor(mips);
      this.granted[vm] = mips;
      used += leaving ? mips / (1 - MIGRATION_SHARE) : mips;
      wantedOn += wanted;
    }
    if (arriving) {
      for (const vm of arriving) {
        let mips = Math.min(this.#wanted[vm]!, core) * MIGRATION_SHARE;
        if (short) mips = Math.floor(mips * scale);
        used += mips;
        wantedOn += this.#wanted[vm]!;
      }
    }
    this.used[host] = used;
    this.wantedOn[host] = wantedOn;
    const utilization = used / capacity;
    this.utilization[host] = utilization > 1 && utilization < 1.01 ? 1 : utilization;
  }
}
