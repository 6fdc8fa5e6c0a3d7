import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { ForesizeError } from '../core/errors.ts';

/** What a job says while it runs: intervals done of all. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** What crosses over to a thread. */
interface Job<Task> {
  readonly task: Task;
  readonly port?: MessagePort;
}

/** An answer that survives the way between threads: errors lose their class on it. */
type Answer<Result> =
  | { readonly ok: Result }
  | { readonly problems: ForesizeError['problems']; readonly exitCode: number };

/** Wraps a thread's work so that it reports progress, and errors a user can act on keep their problems. */
export function threadEntry<Task, Result>(
  work: (task: Task, onProgress: (done: number, total: number) => void) => Promise<Result>,
): (job: Job<Task>) => Promise<Answer<Result>> {
  return async ({ task, port }) => {
    try {
      return { ok: await work(task, (done, total) => port?.postMessage({ done, total })) };
    } catch (error) {
      if (error instanceof ForesizeError) return { problems: error.problems, exitCode: error.exitCode };
      throw error;
    } finally {
      port?.close();
    }
  };
}

/** Worker threads for jobs of one kind. The main thread stays free for progress, locks and signals. */
export class WorkerPool<Task, Result> {
  readonly threads: number;
  readonly #piscina: Piscina<Job<Task>, Answer<Result>>;

  /**
   * @param worker path from this file to the module whose default export is a `threadEntry`; a thread cannot
   *   load TypeScript, so it is always the compiled one
   */
  constructor(worker: `./${string}.js`, threads: number) {
    this.threads = threads;
    const base = import.meta.url.endsWith('.ts')
      ? new URL('../dist/sim/pool.js', import.meta.url)
      : import.meta.url;
    this.#piscina = new Piscina({
      filename: fileURLToPath(new URL(worker, base)),
      minThreads: threads,
      maxThreads: threads,
    });
    // A task's own error rejects its run; what comes here is the late answer of a thread that was ended.
    this.#piscina.on('error', () => {});
  }

  /** @throws ForesizeError as the job threw it; the signal's reason, after the thread was ended, when aborted */
  async run(
    task: Task,
    options: {
      readonly onProgress?: ((progress: Progress) => void) | undefined;
      readonly signal?: AbortSignal | undefined;
    } = {},
  ): Promise<Result> {
    const { onProgress, signal } = options;
    const abort = signal && { signal };
    if (!onProgress) return unwrap(await this.#piscina.run({ task }, { ...abort }));
    const { port1, port2 } = new MessageChannel();
    port2.on('message', onProgress);
    try {
      return unwrap(await this.#piscina.run({ task, port: port1 }, { transferList: [port1], ...abort }));
    } finally {
      port2.close();
    }
  }

  /** Ends the threads, whatever they are at. */
  async close(): Promise<void> {
    await this.#piscina.destroy();
  }
}

function unwrap<Result>(answer: Answer<Result>): Result {
  if ('ok' in answer) return answer.ok;
  throw new ForesizeError(answer.problems, answer.exitCode);
}
