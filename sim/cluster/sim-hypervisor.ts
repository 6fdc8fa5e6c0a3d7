import { type IntentBatch, OUTCOME } from '../../core/intents.ts';
import { R, RESOURCES } from '../../core/model.ts';
import type { Hypervisor } from '../../core/ports.ts';
import { uniformAt } from '../../core/rng.ts';
import type { Cluster } from './cluster.ts';
import type { HypervisorParams } from './hypervisor-model.ts';
import type { Vms } from './vms.ts';

/**
 * Carries intents out in simulated time: each takes its latency, and some fail. Whether one fails depends on
 * (seed, VM, resource, tick) alone, so that two policies meet the same luck.
 */
export class SimHypervisor implements Hypervisor {
  readonly #vms: Vms;
  readonly #latencyS: Float64Array;
  readonly #secondsPerUnit: Float64Array;
  readonly #failure: Float64Array;
  readonly #seed: number;
  readonly #stepMs: number;
  readonly #numberOf: (slot: number) => number;
  readonly #cluster: Cluster | undefined;

  /**
   * @param numberOf the number of the VM now in a slot, in order of arrival
   * @param cluster the hosts, which may have no room; without them there always is
   */
  constructor(
    vms: Vms,
    params: HypervisorParams,
    seed: number,
    stepMs: number,
    numberOf: (slot: number) => number,
    cluster?: Cluster,
  ) {
    this.#vms = vms;
    const by = (value: (action: HypervisorParams['cpu']) => number) =>
      Float64Array.from(RESOURCES, (name) => value(params[name]));
    this.#latencyS = by((action) => action.latencyMs / 1000);
    this.#secondsPerUnit = by((action) => (action.ratePerS === undefined ? 0 : 1 / action.ratePerS));
    this.#failure = by((action) => action.failure);
    this.#seed = seed;
    this.#stepMs = stepMs;
    this.#numberOf = numberOf;
    this.#cluster = cluster;
  }

  /** Without hosts there is no pool, and nothing to move. */
  quarantine(_at: number, slot: number, on: boolean): boolean {
    return this.#cluster ? this.#cluster.quarantine(slot, on) : !on;
  }

  apply(at: number, intents: IntentBatch): void {
    const tick = at / this.#stepMs;
    for (let i = 0; i < intents.count; i++) {
      const slot = intents.slot[i]!;
      const resource = intents.resource[i]!;
      const failure = this.#failure[resource]!;
      if (failure > 0 && uniformAt(this.#seed, this.#numberOf(slot) * R + resource, tick) < failure) {
        intents.outcome[i] = OUTCOME.failed;
        continue;
      }
      const to = intents.to[i]!;
      const shrink = Math.max(0, intents.from[i]! - to);
      const seconds = this.#latencyS[resource]! + shrink * this.#secondsPerUnit[resource]!;
      if (this.#cluster) {
        const answer = this.#cluster.resize(slot, resource, to, seconds);
        intents.outcome[i] = answer === 'refused' ? OUTCOME.refused : OUTCOME.accepted;
        continue;
      }
      this.#vms.resize(slot, resource, to, seconds);
      intents.outcome[i] = OUTCOME.accepted;
    }
  }
}
