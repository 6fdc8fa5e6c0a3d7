import type { Fleet } from './fleet.ts';
import { Frame, MEMORY, R } from './model.ts';

/** A shortage hides its own size: never conclude more than this multiple of what was seen. */
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

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
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
    const { slots, rows } = this.#fleet;
    const { usage, pressure, oomKills } = raw;
    out.usage.set(usage.subarray(0, rows * R));
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      const i = slot * R;
      const held = pressure[i]! + pressure[i + 1]! + pressure[i + 2]! + pressure[i + 3]!;
      if (held > 0 || oomKills[slot]! > 0) this.#uncensor(slot, raw, out.usage);
    }
    return out;
  }

  #uncensor(slot: number, raw: Frame, estimate: Float64Array): void {
    const from = slot * R;
    for (let i = from; i < from + R; i++) {
      const held = raw.pressure[i]!;
      if (held > 0) estimate[i] = raw.usage[i]! / Math.max(1 - held, 1 / MOST);
    }
    if (raw.oomKills[slot]! === 0) return;
    // A killed guest shows no usage; what it had was all of its allocation.
    const used = Math.max(raw.usage[from + MEMORY]!, raw.allocation[from + MEMORY]!);
    estimate[from + MEMORY] = Math.max(used + OOM_MIB, used * OOM_FACTOR);
  }
}
