import { performance } from 'node:perf_hooks';
import { openScenarioWorkload, runPolicy, toExperiment } from '../experiment.ts';
import type { Point, Sweep } from './plan.ts';
import type { PointTask } from './point-task.ts';

export interface Estimate {
  /** Runs that were tried out, for how long in all. */
  readonly sampled: number;
  readonly sampledSeconds: number;
  /** Mean of one run on one thread. */
  readonly runSeconds: number;
  /** The whole on `threads` threads. */
  readonly totalSeconds: number;
}

const SAMPLES = 3;
const LONGEST_MS = 2000;

/**
 * How long the runs will take here: a few of them, spread over the sweep, are run for up to two seconds each and
 * extrapolated by the share of their ticks that was done.
 */
export async function estimate(
  sweep: Sweep,
  runs: readonly Point[],
  threads: number,
  signal?: AbortSignal,
): Promise<Estimate> {
  const started = performance.now();
  const picked = pick(runs);
  let opening = 0;
  let running = 0;
  for (const point of picked) {
    const timed = await tryOut(sweep.task(point), signal);
    opening += timed.openSeconds / picked.length;
    running += timed.runSeconds / picked.length;
  }
  const share = runs.length === 0 ? 0 : sweep.workloads / sweep.runs().length;
  const busy = Math.max(1, Math.min(threads, runs.length));
  return {
    sampled: picked.length,
    sampledSeconds: (performance.now() - started) / 1000,
    runSeconds: running,
    totalSeconds: (runs.length * (running + opening * share)) / busy,
  };
}

function pick(runs: readonly Point[]): Point[] {
  const count = Math.min(SAMPLES, runs.length);
  return Array.from({ length: count }, (_, i) => runs[Math.floor(((i + 0.5) * runs.length) / count)]!);
}

async function tryOut(
  task: PointTask,
  signal: AbortSignal | undefined,
): Promise<{ openSeconds: number; runSeconds: number }> {
  const begin = performance.now();
  const experiment = toExperiment(
    { scenario: task.scenario, file: `run ${task.id}` },
    await openScenarioWorkload(task, signal && { signal }),
  );
  const opened = performance.now();
  const enough = new AbortController();
  let share = 0;
  let elapsed = 0;
  const onProgress = (done: number, total: number) => {
    share = done / total;
    elapsed = performance.now() - opened;
    if (elapsed > LONGEST_MS || signal?.aborted) enough.abort();
  };
  try {
    await runPolicy(experiment, task.scenario.policy, { onProgress, signal: enough.signal });
  } catch (error) {
    signal?.throwIfAborted();
    if (!enough.signal.aborted) throw error;
  }
  return { openSeconds: (opened - begin) / 1000, runSeconds: elapsed / 1000 / share };
}
