import type { Change } from '../../core/cost/change.ts';
import type { FleetHistory } from '../../core/cost/history.ts';
import { type Experiment, runPolicy } from '../experiment.ts';
import type { RunResult } from '../result.ts';
import { HistoryTap } from './history-tap.ts';

export interface Replay {
  readonly result: RunResult;
  /** What a controller would have seen. */
  readonly history: FleetHistory;
}

export interface ReplayOptions {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The experiment again on the same inputs, with more changes in force than it has. */
export async function replay(
  experiment: Experiment,
  changes: readonly Change[],
  options: ReplayOptions = {},
): Promise<Replay> {
  const { scenario, workload } = experiment;
  const all = [...(scenario.changes ?? []), ...changes];
  const changed: Experiment = {
    ...experiment,
    scenario: { ...scenario, record: { vms: 0 }, ...(all.length > 0 && { changes: all }) },
  };
  const tap = new HistoryTap();
  const { result } = await runPolicy(changed, scenario.policy, { ...options, onFrame: tap.onFrame });
  return { result, history: tap.history(workload.epochMs, workload.stepMs) };
}
