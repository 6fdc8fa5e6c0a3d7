import type { TickRecord } from './controller.ts';
import type { Fleet } from './fleet.ts';
import { OUTCOME_NAMES } from './intents.ts';
import { RESOURCES, UNITS } from './model.ts';

/** Bytes of one decision: tick u32, vm u32, resource u8, outcome u8, 6 zero bytes, from f64, to f64; little endian. */
export const DECISION_BYTES = 32;

/**
 * Every intent with its outcome, as bytes: the identity of a run. VMs are numbered in order of admission, so
 * that the log does not depend on which slot a VM was given.
 */
export class DecisionLog {
  readonly #sink: (bytes: Uint8Array) => void;
  readonly #numberOf: (slot: number) => number;
  #buffer = new DataView(new ArrayBuffer(DECISION_BYTES * 256));
  intents = 0;
  failed = 0;
  refused = 0;

  /** @param sink takes the bytes of a tick; copy them, the buffer is used again */
  constructor(numberOf: (slot: number) => number, sink: (bytes: Uint8Array) => void) {
    this.#numberOf = numberOf;
    this.#sink = sink;
  }

  append(record: Pick<TickRecord, 'tick' | 'intents'>): void {
    const { intents } = record;
    if (intents.count === 0) return;
    const size = intents.count * DECISION_BYTES;
    if (this.#buffer.byteLength < size) this.#buffer = new DataView(new ArrayBuffer(size * 2));
    const view = this.#buffer;
    for (let i = 0, at = 0; i < intents.count; i++, at += DECISION_BYTES) {
      const outcome = intents.outcome[i]!;
      view.setUint32(at, record.tick, true);
      view.setUint32(at + 4, this.#numberOf(intents.slot[i]!), true);
      view.setUint8(at + 8, intents.resource[i]!);
      view.setUint8(at + 9, outcome);
      view.setFloat64(at + 16, intents.from[i]!, true);
      view.setFloat64(at + 24, intents.to[i]!, true);
      if (outcome === 3) this.failed++;
      else if (outcome === 4) this.refused++;
    }
    this.intents += intents.count;
    this.#sink(new Uint8Array(view.buffer, 0, size));
  }
}

/** One decision as a readable line. */
export function describeDecision(fleet: Fleet, record: TickRecord, i: number): string {
  const { intents } = record;
  const resource = RESOURCES[intents.resource[i]!]!;
  const vm = fleet.specs[intents.slot[i]!]?.vmId ?? '?';
  return `${new Date(record.at).toISOString()} ${vm} ${resource} ${intents.from[i]} -> ${intents.to[i]} ${UNITS[resource]} ${OUTCOME_NAMES[intents.outcome[i]!]}`;
}
