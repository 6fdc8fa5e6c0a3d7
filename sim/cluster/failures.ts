import { exp } from '../../core/math.ts';
import { uniformAt } from '../../core/rng.ts';
import type { HostsParams } from './hosts-model.ts';

const HOUR = 3_600_000;

/** When hosts are not to be used: failures drawn by (seed, host, tick), and planned maintenance. */
export class Outages {
  /** Tick at which the host is repaired; 0 while it has not failed. */
  readonly #repairedAt: Int32Array;
  readonly #chance: number;
  readonly #repairTicks: number;
  readonly #windows: readonly { readonly host: number; readonly from: number; readonly to: number }[];
  readonly #seed: number;

  constructor(
    params: Pick<HostsParams, 'failures' | 'maintenance'>,
    hosts: number,
    stepMs: number,
    seed: number,
  ) {
    const { mtbfHours, repairHours } = params.failures;
    this.#repairedAt = new Int32Array(hosts);
    // Exponential times between failures: 1 - e^(-step / MTBF) a tick.
    this.#chance = mtbfHours === undefined ? 0 : 1 - exp(-stepMs / (mtbfHours * HOUR));
    this.#repairTicks = Math.max(1, Math.round((repairHours * HOUR) / stepMs));
    this.#windows = params.maintenance.map(({ host, fromHours, hours }) => ({
      host,
      from: Math.round((fromHours * HOUR) / stepMs),
      to: Math.round(((fromHours + hours) * HOUR) / stepMs),
    }));
    this.#seed = seed;
  }

  /** Hosts that fail at the start of interval t. Call once for each t, in order. */
  failing(t: number): number[] {
    const out: number[] = [];
    if (this.#chance === 0) return out;
    for (let h = 0; h < this.#repairedAt.length; h++) {
      if (this.failed(h, t) || uniformAt(this.#seed, h, t) >= this.#chance) continue;
      this.#repairedAt[h] = t + this.#repairTicks;
      out.push(h);
    }
    return out;
  }

  failed(host: number, t: number): boolean {
    return t < this.#repairedAt[host]!;
  }

  /** Hosts in maintenance during interval t. */
  maintained(t: number): number[] {
    return this.#windows.filter(({ from, to }) => from <= t && t < to).map(({ host }) => host);
  }
}
