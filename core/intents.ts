import { grown } from './model.ts';

/** What the hypervisor made of an intent. */
export const OUTCOME = {
  /** Not yet handed over. */
  pending: 0,
  /** Taken, in effect later: a balloon that still moves, a resize with latency. */
  accepted: 1,
  /** In effect now. */
  applied: 2,
  /** Tried and failed. */
  failed: 3,
  /** Not tried: no capacity, not allowed, dry run. */
  refused: 4,
} as const;

export const OUTCOME_NAMES = ['pending', 'accepted', 'applied', 'failed', 'refused'] as const;

/** Resizes wanted in one tick, as columns: entry i asks for `to[i]` of `resource[i]` for the VM in `slot[i]`. */
export class IntentBatch {
  count = 0;
  slot = new Int32Array(64);
  resource = new Uint8Array(64);
  from = new Float64Array(64);
  to = new Float64Array(64);
  outcome = new Uint8Array(64);

  clear(): void {
    this.count = 0;
  }

  add(slot: number, resource: number, from: number, to: number): void {
    const i = this.count++;
    if (i >= this.slot.length) this.#grow(i * 2);
    this.slot[i] = slot;
    this.resource[i] = resource;
    this.from[i] = from;
    this.to[i] = to;
    this.outcome[i] = OUTCOME.pending;
  }

  #grow(length: number): void {
    this.slot = grown(this.slot, length);
    this.resource = grown(this.resource, length);
    this.from = grown(this.from, length);
    this.to = grown(this.to, length);
    this.outcome = grown(this.outcome, length);
  }
}
