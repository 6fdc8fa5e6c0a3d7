import { type IntentBatch, OUTCOME } from '../../core/intents.ts';
import { R, RESOURCES } from '../../core/model.ts';
import type { Hypervisor } from '../../core/ports.ts';
import { uniformAt } from '../../core/rng.ts';
import { type HypervisorParams, latencyMs } from './hypervisor-model.ts';
import type { Vms } from './vms.ts';

/**
 * Carries intents out in simulated time: each takes its latency, and some fail. Whether one fails depends on
 * (seed, VM, resource, tick) alone, so that two policies meet the same luck.
 */
export class SimHypervisor implements Hypervisor {
  readonly #vms: Vms;
  readonly #params: HypervisorParams;
  readonly #seed: number;
  readonly #stepMs: number;
  readonly #numberOf: (slot: number) => number;

  /** @param numberOf the number of the VM now in a slot, in order of arrival */
  constructor(
    vms: Vms,
    params: HypervisorParams,
    seed: number,
    stepMs: number,
    numberOf: (slot: number) => number,
  ) {
    this.#vms = vms;
    this.#params = params;
    this.#seed = seed;
    this.#stepMs = stepMs;
    this.#numberOf = numberOf;
  }

  apply(at: number, intents: IntentBatch): void {
    const tick = at / this.#stepMs;
    for (let i = 0; i < intents.count; i++) {
      const slot = intents.slot[i]!;
      const resource = intents.resource[i]!;
      const { failure } = this.#params[RESOURCES[resource]!];
      if (failure > 0 && uniformAt(this.#seed, this.#numberOf(slot) * R + resource, tick) < failure) {
        intents.outcome[i] = OUTCOME.failed;
        continue;
      }
      const to = intents.to[i]!;
      this.#vms.resize(slot, resource, to, latencyMs(this.#params, resource, intents.from[i]!, to) / 1000);
      intents.outcome[i] = OUTCOME.accepted;
    }
  }
}
