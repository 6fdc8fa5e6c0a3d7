import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Job, WaitingError } from 'bullmq';
import { WorkerPool } from '../../pool.ts';
import { type Outcome, problemsOf } from '../engine.ts';
import type { PointDone, PointTask } from '../point-task.ts';
import { atMost, type QueueConnection, Watch } from './connection.ts';
import { MOST_STALLS, type OutcomeMessage, type TaskMessage, taskQueue, toMessage } from './messages.ts';

export interface QueueWorkerOptions {
  readonly threads: number;
  /** Folder that paths in scenarios start from here, when it is not where the sweep was started. */
  readonly baseDir?: string | undefined;
  /** Silence after which the queue gives a task to another worker. */
  readonly silentMs: number;
  /** The queue may be out of reach for so long. */
  readonly patienceMs: number;
  /** Ends after so long without a task; never when left out. */
  readonly idleMs?: number | undefined;
  readonly onDone?: ((outcome: Outcome) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Takes tasks from a queue, runs them on threads, which leaves this thread free to keep their locks alive, and
 * sends the outcomes back. When stopped it hands back what it was at.
 * @returns number of runs done; the promise rejects with QUEUE_LOST
 */
export async function serveQueue(connection: QueueConnection, options: QueueWorkerOptions): Promise<number> {
  const { threads, baseDir, silentMs, patienceMs, idleMs, signal } = options;
  const name = `${hostname()}/${process.pid}`;
  const pool = new WorkerPool<PointTask, PointDone>('./sweep/point-worker.js', threads);
  const replies = new Map<string, ReturnType<typeof connection.queue<OutcomeMessage>>>();
  const stop = new AbortController();
  let running = 0;
  let done = 0;
  let idleSince = performance.now();

  const deliver = async (reply: string, outcome: Outcome): Promise<void> => {
    const queue = replies.get(reply) ?? connection.queue<OutcomeMessage>(reply);
    replies.set(reply, queue);
    await queue.add('outcome', toMessage(outcome), {
      jobId: outcome.id,
      removeOnComplete: true,
      attempts: 1_000_000,
    });
  };

  const work = async (job: Job<TaskMessage>, token: string | undefined): Promise<void> => {
    const { task, reply } = job.data;
    running++;
    try {
      let outcome: Outcome;
      try {
        const point = await pool.run({ ...task, baseDir: baseDir ?? task.baseDir }, { signal: stop.signal });
        outcome = { id: task.id, worker: name, ...point };
      } catch (error) {
        if (stop.signal.aborted) {
          await job.moveToWait(token);
          throw new WaitingError();
        }
        outcome = { id: task.id, worker: name, problems: problemsOf(error) };
      }
      await deliver(reply, outcome);
      done++;
      options.onDone?.(outcome);
    } finally {
      running--;
      idleSince = performance.now();
    }
  };

  const idle = async (): Promise<void> => {
    while (idleMs === undefined || running > 0 || performance.now() - idleSince < idleMs) {
      if (stop.signal.aborted) return;
      await sleep(100, undefined, { ref: false });
    }
  };

  const worker = connection.worker<TaskMessage>(taskQueue(), work, {
    concurrency: threads,
    silentMs,
    mostStalls: MOST_STALLS,
  });
  const watch = new Watch(connection, patienceMs);
  try {
    await Promise.race([
      watch.lost,
      new Promise<void>((resolve) => {
        if (signal?.aborted) resolve();
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
      idle(),
    ]);
  } finally {
    watch.stop();
    stop.abort();
    // A lost queue cannot be parted from in good order.
    await atMost(5000, worker.close(watch.isLost));
    await atMost(watch.isLost ? 0 : 5000, Promise.all([...replies.values()].map((queue) => queue.close())));
    await pool.close();
  }
  return done;
}
