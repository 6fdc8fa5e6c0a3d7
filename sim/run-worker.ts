import type { MessagePort } from 'node:worker_threads';
import { ForesizeError } from '../core/errors.ts';
import { executeRun, type RunDone, type RunTask } from './execute.ts';

/** What a worker says while it runs: intervals done of all. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** An outcome that survives the way between threads: errors lose their class on it. */
export type WorkerAnswer =
  | { readonly ok: RunDone }
  | { readonly problems: ForesizeError['problems']; readonly exitCode: number };

/** Entry of a worker thread: one run, one answer. */
export default async function runInWorker(job: { task: RunTask; port: MessagePort }): Promise<WorkerAnswer> {
  const { task, port } = job;
  try {
    return { ok: await executeRun(task, { onProgress: (done, total) => port.postMessage({ done, total }) }) };
  } catch (error) {
    if (error instanceof ForesizeError) return { problems: error.problems, exitCode: error.exitCode };
    throw error;
  } finally {
    port.close();
  }
}
