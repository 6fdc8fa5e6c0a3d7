import { hostname } from 'node:os';
import { WorkerPool } from '../pool.ts';
import { type Engine, type Outcome, problemsOf } from './engine.ts';
import type { PointDone, PointTask } from './point-task.ts';

/** Worker threads on this machine. */
export function localEngine(threads: number): Engine {
  return {
    async run(tasks, sink, signal) {
      const pool = new WorkerPool<PointTask, PointDone>('./sweep/point-worker.js', threads);
      try {
        await feed(pool, tasks, sink, signal);
      } finally {
        await pool.close();
      }
    },
  };
}

/** Two tasks a thread are under way, so that a thread that is done finds the next one waiting. */
async function feed(
  pool: WorkerPool<PointTask, PointDone>,
  tasks: Iterable<PointTask>,
  sink: (outcome: Outcome) => Promise<void> | void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const worker = `${hostname()}/${process.pid}`;
  const rest = tasks[Symbol.iterator]();
  let stopped = false;
  const lane = async (): Promise<void> => {
    for (let next = rest.next(); !next.done && !stopped; next = rest.next()) {
      signal?.throwIfAborted();
      const outcome = await outcomeOf(pool, next.value, signal);
      // Once another lane has failed, this one's thread is being ended: that is not the run's fault.
      if (!stopped) await sink({ id: next.value.id, worker, ...outcome });
    }
  };
  const lanes = Array.from({ length: 2 * pool.threads }, () =>
    lane().catch((error: unknown) => {
      stopped = true;
      throw error;
    }),
  );
  try {
    await Promise.all(lanes);
  } catch (error) {
    // The threads end with the pool; what they were at is lost and its lanes reject unheard.
    void Promise.allSettled(lanes);
    throw error;
  }
}

async function outcomeOf(
  pool: WorkerPool<PointTask, PointDone>,
  task: PointTask,
  signal: AbortSignal | undefined,
): Promise<PointDone | { problems: ReturnType<typeof problemsOf> }> {
  try {
    return await pool.run(task, { signal });
  } catch (error) {
    signal?.throwIfAborted();
    return { problems: problemsOf(error) };
  }
}
