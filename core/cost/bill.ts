import type { Fleet } from '../fleet.ts';
import { CPU, grown, MEMORY, type PerSlot, R } from '../model.ts';
import { type Prices, unitPricesPerSecond } from '../prices.ts';
import { hourFactor, type SpotPrice } from './tariff.ts';

/** Capacity bought for a term, in force for the whole run. */
export interface Reservation {
  readonly cores: number;
  readonly memoryGib: number;
  readonly discount: number;
}

export interface BillSetup {
  readonly prices: Prices;
  readonly stepMs: number;
  /** Applications on spot capacity, and its price. */
  readonly spot?: { readonly applications: ReadonlySet<string>; readonly price: SpotPrice } | undefined;
  readonly reservations: readonly Reservation[];
  /** Hosts that are paid for. */
  readonly hosts: number;
}

/** What the fleet was charged, by what it was charged for. In the currency of the prices. */
export interface BillParts {
  onDemand: number;
  spot: number;
  reserved: number;
  hosts: number;
  energy: number;
}

/**
 * Charges allocations where the price is not the same at all times and for all VMs: a fold over intervals, like the
 * score. A VM pays the list price of the hour, or the spot price. Reservations cover what VMs on demand have of cores
 * and memory, up to their amount, and are paid for whether used or not; what they cost, and what hosts and energy
 * cost, is shared among the VMs by the list price of what they have. So the sum over VMs is the bill.
 */
export class Bill implements PerSlot {
  readonly parts: BillParts = { onDemand: 0, spot: 0, reserved: 0, hosts: 0, energy: 0 };
  readonly #setup: BillSetup;
  readonly #fleet: Fleet;
  readonly #unit: readonly number[];
  /** Reserved amount by resource, and what it costs a second. */
  readonly #reserved = new Float64Array(R);
  readonly #reservedPerS: number;
  /** Charged since the VM was last asked for, by slot. */
  #charged = new Float64Array(0);
  #spot = new Uint8Array(0);
  /** Shared cost of intervals without VMs. */
  #unshared = 0;

  constructor(fleet: Fleet, setup: BillSetup) {
    this.#fleet = fleet;
    this.#setup = setup;
    this.#unit = unitPricesPerSecond(setup.prices);
    let perS = 0;
    for (const { cores, memoryGib, discount } of setup.reservations) {
      const amounts: readonly [number, number][] = [
        [CPU, cores],
        [MEMORY, memoryGib * 1024],
      ];
      for (const [r, x] of amounts) {
        this.#reserved[r] = this.#reserved[r]! + x;
        perS += x * this.#unit[r]! * (1 - discount);
      }
    }
    this.#reservedPerS = perS;
  }

  grow(capacity: number): void {
    this.#charged = grown(this.#charged, capacity);
    this.#spot = grown(this.#spot, capacity);
  }

  admit(slot: number): void {
    this.#charged[slot] = 0;
    const { applicationId } = this.#fleet.specs[slot]!;
    this.#spot[slot] = this.#setup.spot?.applications.has(applicationId) ? 1 : 0;
  }

  /**
   * Charges one interval.
   * @param from its start, ms since the Unix epoch
   * @param allocation mean over the interval, slot x R
   * @param energyKwh what the hosts took in it
   */
  observe(from: number, allocation: Float64Array, energyKwh: number): void {
    const { prices, stepMs, spot, hosts } = this.#setup;
    const { slots } = this.#fleet;
    const seconds = stepMs / 1000;
    const factor = hourFactor(prices, from);
    const spotFactor = spot ? spot.price.at(from) : 1;
    const covered = this.#covered(allocation);
    const reserved = this.#reservedPerS * seconds;
    const paidHosts = (hosts * (prices.hostHour ?? 0) * seconds) / 3600;
    const energy = energyKwh * (prices.kwh ?? 0);
    const unit = this.#unit;
    let listed = 0;
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const isSpot = this.#spot[slot] === 1;
      let money = 0;
      for (let r = 0; r < R; r++) {
        const list = allocation[slot * R + r]! * unit[r]! * seconds;
        listed += list;
        money += isSpot ? list * spotFactor : list * (1 - covered[r]!) * factor;
      }
      this.#charged[slot] = this.#charged[slot]! + money;
      if (isSpot) this.parts.spot += money;
      else this.parts.onDemand += money;
    }
    this.parts.reserved += reserved;
    this.parts.hosts += paidHosts;
    this.parts.energy += energy;
    this.#share(reserved + paidHosts + energy, listed, allocation, seconds);
  }

  /** What the VM was charged since the last call. */
  take(slot: number): number {
    const charged = this.#charged[slot]!;
    this.#charged[slot] = 0;
    return charged;
  }

  /** Share of each resource of the VMs on demand that is reserved. */
  #covered(allocation: Float64Array): Float64Array {
    const covered = new Float64Array(R);
    if (this.#reservedPerS === 0) return covered;
    for (const r of [CPU, MEMORY]) {
      let total = 0;
      for (const slot of this.#fleet.slots) if (this.#spot[slot] === 0) total += allocation[slot * R + r]!;
      covered[r] = total > 0 ? Math.min(1, this.#reserved[r]! / total) : 0;
    }
    return covered;
  }

  #share(cost: number, listed: number, allocation: Float64Array, seconds: number): void {
    const due = cost + this.#unshared;
    if (due === 0) return;
    this.#unshared = listed > 0 ? 0 : due;
    if (listed <= 0) return;
    for (const slot of this.#fleet.slots) {
      let list = 0;
      for (let r = 0; r < R; r++) list += allocation[slot * R + r]! * this.#unit[r]! * seconds;
      this.#charged[slot] = this.#charged[slot]! + (due * list) / listed;
    }
  }
}
