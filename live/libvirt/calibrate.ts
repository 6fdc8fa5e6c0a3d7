import type { Fleet } from '../../core/fleet.ts';
import { OUTCOME } from '../../core/intents.ts';
import { Frame, R, RESOURCES, type Resource } from '../../core/model.ts';
import type { LibvirtHypervisor, ResizeReport } from './actuation.ts';
import type { LibvirtTelemetry } from './telemetry.ts';

/** How long resizes took and how often they failed. A resource without one success has no entry. */
export type Measured = Partial<Record<Resource, MeasuredResize>>;

export interface MeasuredResize {
  /** From the request to the effect. */
  readonly latencyMs: { readonly p50: number; readonly p90: number };
  /** Share of the resizes tried that failed, 0..1. */
  readonly failure: number;
}

/** The same in the words of a scenario: what may stand under `hypervisor:`. */
export type SimulatorModel = Partial<Record<Resource, SimulatedResize>>;

export interface SimulatedResize {
  readonly latencyMs: number;
  /** Units a second by which it shrinks, where shrinking takes longer the further it goes. */
  readonly ratePerS?: number;
  readonly failure: number;
}

export interface Calibration {
  readonly measured: Measured;
  readonly simulator: SimulatorModel;
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
  return { measured: summarise(reports), simulator: simulatorModel(reports), reports };
}

/** Median and 90th percentile of what worked, and the share of what was tried and failed. */
export function summarise(reports: readonly ResizeReport[]): Measured {
  const measured: Measured = {};
  for (const resource of RESOURCES) {
    const { latencies, failure } = outcomes(reports, resource);
    if (latencies.length === 0) continue;
    const [p50, p90] = [quantile(latencies, 0.5), quantile(latencies, 0.9)];
    measured[resource] = { latencyMs: { p50, p90 }, failure };
  }
  return measured;
}

/**
 * The medians. A balloon shrinks at a rate and grows without one, so that for memory the latency is that of
 * growth, and the rate what is left of the time a shrink takes.
 */
export function simulatorModel(reports: readonly ResizeReport[]): SimulatorModel {
  const model: SimulatorModel = {};
  for (const resource of RESOURCES) {
    const { latencies, worked, failure } = outcomes(reports, resource);
    if (latencies.length === 0) continue;
    const grown = worked.filter((r) => r.granted > r.from).map((r) => r.latencyMs);
    if (resource !== 'memory' || grown.length === 0) {
      model[resource] = { latencyMs: quantile(latencies, 0.5), failure };
      continue;
    }
    const latencyMs = quantile(grown, 0.5);
    const rates = worked
      .filter((r) => r.granted < r.from && r.latencyMs > latencyMs)
      .map((r) => ((r.from - r.granted) / (r.latencyMs - latencyMs)) * 1000);
    const rate = rates.length === 0 ? {} : { ratePerS: quantile(rates, 0.5) };
    model[resource] = { latencyMs, ...rate, failure };
  }
  return model;
}

function outcomes(reports: readonly ResizeReport[], resource: Resource) {
  // What was refused was not tried, and says nothing of the hypervisor.
  const tried = reports.filter((r) => r.resource === resource && r.outcome !== OUTCOME.refused);
  const worked = tried.filter((r) => r.outcome !== OUTCOME.failed);
  const failure = tried.length === 0 ? 0 : (tried.length - worked.length) / tried.length;
  return { worked, latencies: worked.map((r) => r.latencyMs), failure };
}

/** Linear interpolation between closest ranks, as numpy and R have it by default. */
function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = q * (sorted.length - 1);
  const below = sorted[Math.floor(rank)]!;
  return below + (sorted[Math.ceil(rank)]! - below) * (rank - Math.floor(rank));
}
