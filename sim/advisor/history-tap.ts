import type { FleetHistory, VmHistory } from '../../core/cost/history.ts';
import { DemandEstimate } from '../../core/demand-estimate.ts';
import type { Fleet } from '../../core/fleet.ts';
import { type Frame, grown, R } from '../../core/model.ts';

interface Track {
  readonly vmId: string;
  readonly applicationId: string;
  readonly userId: string;
  readonly start: number;
  rows: number;
  usage: Float32Array;
  allocation: Float32Array;
}

/** Keeps what a controller saw of every VM: 32 bytes a VM-tick. */
export class HistoryTap {
  readonly #tracks = new Map<string, Track>();
  #estimate: DemandEstimate | undefined;
  #ticks = 0;

  /** Takes in a tick's frame; what it shows is corrected for pressure, as the controller's own history is. */
  readonly onFrame = (fleet: Fleet, raw: Frame): void => {
    this.#estimate ??= new DemandEstimate(fleet);
    const { usage, allocation, tick } = this.#estimate.update(raw);
    this.#ticks = tick + 1;
    for (const slot of fleet.slots) {
      const { vmId, applicationId, userId } = fleet.specs[slot]!;
      let track = this.#tracks.get(vmId);
      if (!track) {
        const empty = new Float32Array(0);
        track = { vmId, applicationId, userId, start: tick, rows: 0, usage: empty, allocation: empty };
        this.#tracks.set(vmId, track);
      }
      const at = track.rows * R;
      if (track.usage.length < at + R) {
        track.usage = grown(track.usage, Math.max(288 * R, 2 * at));
        track.allocation = grown(track.allocation, Math.max(288 * R, 2 * at));
      }
      for (let r = 0; r < R; r++) {
        track.usage[at + r] = usage[slot * R + r]!;
        track.allocation[at + r] = allocation[slot * R + r]!;
      }
      track.rows++;
    }
  };

  history(epochMs: number, stepMs: number): FleetHistory {
    const vms = [...this.#tracks.values()].map(
      ({ rows, usage, allocation, ...rest }): VmHistory => ({
        ...rest,
        usage: usage.subarray(0, rows * R),
        allocation: allocation.subarray(0, rows * R),
      }),
    );
    return { epochMs, stepMs, ticks: this.#ticks, vms };
  }
}
