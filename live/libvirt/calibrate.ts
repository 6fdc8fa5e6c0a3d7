import { quantileSorted } from 'simple-statistics';
import type { Fleet } from '../../core/fleet.ts';
import { OUTCOME } from '../../core/intents.ts';
import { Frame, R, RESOURCES, type Resource } from '../../core/model.ts';
import type { LibvirtHypervisor, ResizeReport } from './actuation.ts';
import type { LibvirtTelemetry } from './telemetry.ts';

/** The simulator's model of a hypervisor, as measured: how long a resize takes and how often it fails. */
export type HypervisorModel = Partial<Record<Resource, ResizeModel>>;

export interface ResizeModel {
  /** From the request to the effect. NaN is never written: a resource without one success has no entry. */
  readonly latencyMs: { readonly p50: number; readonly p90: number };
  /** Share of the resizes tried that failed, 0..1. */
  readonly failure: number;
}

export interface Calibration {
  readonly model: HypervisorModel;
  /** Every resize made for it, in order. */
  readonly reports: readonly ResizeReport[];
}

/** How far a VM is resized: enough to be carried out, too little to hurt. */
const STEP = 0.9;

/**
 * Resizes each managed resource of every VM of the fleet down by a tenth and back, `rounds` times, one at a time.
 * The VMs are left with what they had; what had no limit is left with a limit at its upper bound.
 */
export async function calibrate(
  fleet: Fleet,
  telemetry: LibvirtTelemetry,
  hypervisor: LibvirtHypervisor,
  rounds: number,
): Promise<Calibration> {
  const frame = new Frame();
  frame.grow(fleet.rows);
  await telemetry.sample();
  telemetry.read(Date.now(), frame);
  const reports: ResizeReport[] = [];
  for (const slot of fleet.slots) {
    for (let resource = 0; resource < R; resource++) {
      const row = slot * R + resource;
      const before = frame.allocation[row]!;
      const lower = Math.max(before * STEP, fleet.min[row]!);
      if (fleet.max[row] === 0 || !(lower < before)) continue;
      const { vmId } = fleet.specs[slot]!;
      for (let round = 0; round < rounds; round++) {
        reports.push(await hypervisor.resize(vmId, resource, before, lower));
        reports.push(await hypervisor.resize(vmId, resource, lower, before));
      }
    }
  }
  return { model: summarise(reports), reports };
}

/** Median and 90th percentile of what worked, and the share of what was tried and failed. */
export function summarise(reports: readonly ResizeReport[]): HypervisorModel {
  const model: HypervisorModel = {};
  for (const resource of RESOURCES) {
    // What was refused was not tried, and says nothing of the hypervisor.
    const tried = reports.filter((r) => r.resource === resource && r.outcome !== OUTCOME.refused);
    const worked = tried.filter((r) => r.outcome !== OUTCOME.failed).map((r) => r.latencyMs);
    if (worked.length === 0) continue;
    worked.sort((a, b) => a - b);
    model[resource] = {
      latencyMs: { p50: quantileSorted(worked, 0.5), p90: quantileSorted(worked, 0.9) },
      failure: (tried.length - worked.length) / tried.length,
    };
  }
  return model;
}
