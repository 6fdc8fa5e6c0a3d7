import type { Fleet } from './fleet.ts';
import { Frame, MEMORY, R } from './model.ts';

/** A shortage hides its own size: never conclude more than this multiple of what was seen, to provide for it. */
const MOST = 3;
/** Kubernetes VPA's answer to an OOM kill: at least this much more than was in use. */
const OOM_MIB = 100;
const OOM_FACTOR = 1.2;

/**
 * Usage is censored at the allocation: a starved VM looks like a VM that needs just what it has. Pressure is
 * the share of wanted work that was held back, so that usage / (1 - pressure) is what was wanted. This makes the
 * frame that history, profiler and forecasters learn from; policies that bring their own rule see the raw one.
 */
export class DemandEstimate {
  readonly frame: Frame;
  readonly #fleet: Fleet;
  readonly #least: number;

  /** @param most never conclude more than this multiple of what was seen */
  constructor(fleet: Fleet, most = MOST) {
    this.#fleet = fleet;
    this.#least = 1 / most;
    this.frame = fleet.register(new Frame());
  }

  update(raw: Frame): Frame {
    const out = this.frame;
    out.tick = raw.tick;
    out.at = raw.at;
    out.pressure = raw.pressure;
    out.allocation = raw.allocation;
    out.sampledAt = raw.sampledAt;
    out.oomKills = raw.oomKills;
    const { usage, pressure, oomKills } = raw;
    const estimate = out.usage;
    const least = this.#least;
    const n = this.#fleet.rows * R;
    // Without pressure this divides by one: as fast as telling the cases apart.
    for (let i = 0; i < n; i += R) {
      estimate[i] = usage[i]! / Math.max(1 - pressure[i]!, least);
      estimate[i + 1] = usage[i + 1]! / Math.max(1 - pressure[i + 1]!, least);
      estimate[i + 2] = usage[i + 2]! / Math.max(1 - pressure[i + 2]!, least);
      estimate[i + 3] = usage[i + 3]! / Math.max(1 - pressure[i + 3]!, least);
    }
    for (let slot = 0; slot < this.#fleet.rows; slot++)
      if (oomKills[slot]! > 0) estimate[slot * R + MEMORY] = wantedMemory(raw, slot);
    return out;
  }
}

/** Memory that the VM in a slot would have used, by what was seen of it. */
export function wantedMemory(raw: Frame, slot: number): number {
  const i = slot * R + MEMORY;
  const usage = raw.usage[i]!;
  if (raw.oomKills[slot]! === 0) return usage / Math.max(1 - raw.pressure[i]!, 1 / MOST);
  // A killed guest shows no usage; what it had was all of its allocation.
  const used = Math.max(usage, raw.allocation[i]!);
  return Math.max(used + OOM_MIB, used * OOM_FACTOR);
}
