import { Fleet } from '../../core/fleet.ts';
import { History } from '../../core/history.ts';
import { Frame, R, type ResourceVector, type VmSpec } from '../../core/model.ts';

export const STEP_MS = 300_000;

export function spec(vmId: string, more: Partial<VmSpec> = {}): VmSpec {
  return {
    vmId,
    applicationId: 'app',
    userId: 'user',
    requested: [4, 8192, 1e8, 1e8],
    min: [0.1, 128, 1e4, 1e4],
    max: [64, 262_144, 1e10, 1e10],
    ...more,
  };
}

/** A fleet with its frame and history, advanced a tick at a time: what the controller does around a part. */
export class Feed {
  readonly fleet = new Fleet();
  readonly frame: Frame;
  readonly history: History;
  readonly stepMs: number;
  readonly epochMs = 0;
  readonly seed = 1;

  constructor(vms: number | readonly VmSpec[] = 1, depth = 2016, stepMs = STEP_MS) {
    this.frame = this.fleet.register(new Frame());
    this.history = new History(this.fleet, depth);
    this.stepMs = stepMs;
    const specs = typeof vms === 'number' ? Array.from({ length: vms }, (_, k) => spec(`vm${k}`)) : vms;
    for (const s of specs) this.fleet.admit(s, 0);
  }

  /** Sets the next tick's usage: one row for all VMs, or a row a slot. */
  tick(usage: ResourceVector | ((slot: number) => ResourceVector), tick = this.history.head + 1): Frame {
    this.frame.tick = tick;
    this.frame.at = this.epochMs + tick * this.stepMs;
    for (const slot of this.fleet.slots) {
      this.frame.usage.set(typeof usage === 'function' ? usage(slot) : usage, slot * R);
      this.frame.sampledAt[slot] = this.frame.at;
    }
    this.history.append(this.frame);
    return this.frame;
  }
}
