import { parseDuration } from '../core/duration.ts';
import { canonicalJson } from './canonical-json.ts';
import { sha256 } from './run-folder.ts';
import type { Scenario } from './scenario.ts';

/**
 * Which data a run has seen: a window of a trace, or demand drawn from a seed. Two runs that overlap have something in
 * common.
 */
export interface WorkloadIdentity {
  readonly source: 'trace' | 'generated';
  /** Of the trace's bytes; of the generator's parameters and seed, whatever the duration. */
  readonly sha256: string;
  /** Window of the trace, ms from its start; null to its end, or where demand is generated. */
  readonly fromMs: number;
  readonly toMs: number | null;
}

/** @param trace SHA-256 of the trace, null when demand is generated */
export function workloadIdentity(
  { workload, tick, duration, seed }: Pick<Scenario, 'workload' | 'tick' | 'duration' | 'seed'>,
  trace: string | null,
): WorkloadIdentity {
  if (workload.source !== 'trace' || trace === null) {
    const drawn = sha256(canonicalJson([workload, tick, seed, trace]));
    return { source: 'generated', sha256: drawn, fromMs: 0, toMs: null };
  }
  const fromMs = parseDuration(workload.from);
  const toMs = duration === undefined ? null : fromMs + parseDuration(duration);
  return { source: 'trace', sha256: trace, fromMs, toMs };
}

export function overlap(a: WorkloadIdentity, b: WorkloadIdentity): boolean {
  const end = (toMs: number | null) => toMs ?? Number.POSITIVE_INFINITY;
  return a.sha256 === b.sha256 && a.fromMs < end(b.toMs) && b.fromMs < end(a.toMs);
}

/** In order of first appearance, each once. */
export function distinctWorkloads(all: Iterable<WorkloadIdentity>): WorkloadIdentity[] {
  return [...new Map([...all].map((one) => [canonicalJson(one), one])).values()];
}
