import { setMaxListeners } from 'node:events';
import { availableParallelism } from 'node:os';
import { executeRun, type RunDone, type RunTask } from './execute.ts';
import { type Progress, WorkerPool } from './pool.ts';

export interface RunAllOptions {
  /** Worker threads; 1 runs here, one after the other. Results do not depend on it. */
  readonly threads?: number;
  readonly onProgress?: (task: number, progress: Progress) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Runs every task and gives the outcomes in the order of the tasks. */
export async function runAll(tasks: readonly RunTask[], options: RunAllOptions = {}): Promise<RunDone[]> {
  const threads = Math.min(options.threads ?? availableParallelism(), tasks.length);
  if (threads <= 1) {
    const done: RunDone[] = [];
    for (const [i, task] of tasks.entries()) {
      done.push(
        await executeRun(task, {
          onProgress: (at, total) => options.onProgress?.(i, { done: at, total }),
          signal: options.signal,
        }),
      );
    }
    return done;
  }
  // Every task listens to it, and Node takes more than ten for a leak.
  if (options.signal) setMaxListeners(0, options.signal);
  const pool = new WorkerPool<RunTask, RunDone>('./run-worker.js', threads);
  try {
    return await Promise.all(
      tasks.map((task, i) =>
        pool.run(task, {
          onProgress: (progress) => options.onProgress?.(i, progress),
          signal: options.signal,
        }),
      ),
    );
  } finally {
    await pool.close();
  }
}
