import { performance } from 'node:perf_hooks';
import { collect } from './collect.ts';
import type { Engine } from './engine.ts';
import type { SweepFolder } from './folder.ts';
import type { Point, Sweep } from './plan.ts';
import type { PointTask } from './point-task.ts';
import { inShard, type Shard } from './shard.ts';

export interface SweepOptions {
  readonly shard?: Shard | undefined;
  /** Run again what failed before. */
  readonly retry?: boolean;
  readonly onProgress?: ((progress: SweepProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SweepProgress {
  /** Runs that ended, earlier ones included, and how many of them failed. */
  readonly done: number;
  readonly failed: number;
  readonly total: number;
  /** Runs a second since this sweep began; 0 before the first. */
  readonly rate: number;
  /** Seconds until the end at this rate; undefined before the first run. */
  readonly remaining: number | undefined;
}

/**
 * Runs what is missing of a sweep and makes its tables. Whatever stops it (a signal, a queue that is gone, a full
 * disk), what is finished is kept and in the tables.
 * @returns how far the sweep, or its shard, is
 */
export async function runSweep(
  sweep: Sweep,
  folder: SweepFolder,
  engine: Engine,
  options: SweepOptions = {},
): Promise<SweepProgress> {
  const own = sweep.runs().filter((_, position) => inShard(options.shard, position));
  const missing = own.filter(
    ({ id }) => !folder.finished.has(id) && (options.retry === true || !folder.failures.has(id)),
  );
  const started = performance.now();
  const tried = new Set<string>();
  let shown = 0;
  const count = (): SweepProgress => {
    const failed = own.filter(({ id }) => folder.failures.has(id)).length;
    const done = failed + own.filter(({ id }) => folder.finished.has(id)).length;
    const rate = tried.size / ((performance.now() - started) / 1000);
    const remaining = tried.size === 0 ? undefined : (missing.length - tried.size) / rate;
    return { done, failed, total: own.length, rate: tried.size === 0 ? 0 : rate, remaining };
  };
  options.onProgress?.(count());
  try {
    if (missing.length > 0) {
      await engine.run(
        tasks(sweep, missing),
        (outcome) => {
          folder.put(outcome);
          tried.add(outcome.id);
          // Counting walks over all runs: a few times a second is enough for eyes.
          if (performance.now() - shown < 200) return;
          shown = performance.now();
          options.onProgress?.(count());
        },
        options.signal,
      );
    }
  } finally {
    await collect(folder);
  }
  const end = count();
  options.onProgress?.(end);
  return end;
}

function* tasks(sweep: Sweep, points: readonly Point[]): Generator<PointTask> {
  for (const point of points) yield sweep.task(point);
}
