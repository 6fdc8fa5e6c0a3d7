import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannel } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { ForesizeError } from '../core/errors.ts';
import { executeRun, type RunDone, type RunTask } from './execute.ts';
import type { Progress, WorkerAnswer } from './run-worker.ts';

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
  const pool = new Piscina<{ task: RunTask }, WorkerAnswer>({
    filename: fileURLToPath(new URL('./run-worker.js', import.meta.url)),
    minThreads: threads,
    maxThreads: threads,
  });
  try {
    return await Promise.all(
      tasks.map(async (task, i) => {
        const { port1, port2 } = new MessageChannel();
        port2.on('message', (progress: Progress) => options.onProgress?.(i, progress));
        const answer = await pool.run({ task, port: port1 } as { task: RunTask }, {
          transferList: [port1],
          ...(options.signal && { signal: options.signal }),
        });
        port2.close();
        if ('ok' in answer) return answer.ok;
        throw new ForesizeError(answer.problems, answer.exitCode);
      }),
    );
  } finally {
    await pool.destroy();
  }
}
