import { setTimeout as sleep } from 'node:timers/promises';
import type { Queue } from 'bullmq';
import type { Engine, Outcome } from '../engine.ts';
import type { PointTask } from '../point-task.ts';
import { atMost, type QueueConnection, Watch } from './connection.ts';
import {
  fromMessage,
  MOST_STALLS,
  type OutcomeMessage,
  type TaskMessage,
  taskId,
  taskQueue,
} from './messages.ts';

export interface QueueEngineOptions {
  /** Name of the queue outcomes come back through. */
  readonly reply: string;
  /** The queue may be out of reach for so long. */
  readonly patienceMs: number;
}

/** Tasks in the queue at most: more than workers have threads, less than memory minds. */
const WINDOW = 20_000;
const CHUNK = 200;
const FAILURES_EVERY_MS = 1000;

/** Workers of a queue, on any number of machines: see messages.ts. */
export function queueEngine(connection: QueueConnection, options: QueueEngineOptions): Engine {
  return {
    async run(tasks, sink, signal) {
      const run = new QueueRun(connection, options, sink);
      try {
        await run.all(tasks, signal);
      } finally {
        await run.close();
      }
    },
  };
}

class QueueRun {
  readonly #tasks: Queue<TaskMessage>;
  readonly #replies: Queue<OutcomeMessage>;
  readonly #receiver;
  readonly #reply: string;
  readonly #watch: Watch;
  readonly #sink: (outcome: Outcome) => Promise<void> | void;
  /** Ids that were sent and whose outcome has not come; ids whose outcome came. */
  readonly #open = new Set<string>();
  readonly #came = new Set<string>();
  #fed = false;
  #over = false;
  #end!: () => void;
  #fail!: (error: unknown) => void;
  readonly #ended: Promise<void>;

  constructor(
    connection: QueueConnection,
    { reply, patienceMs }: QueueEngineOptions,
    sink: (outcome: Outcome) => Promise<void> | void,
  ) {
    this.#reply = reply;
    this.#sink = sink;
    this.#ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      this.#fail = reject;
    });
    this.#ended.catch(() => {});
    this.#tasks = connection.queue<TaskMessage>(taskQueue());
    this.#replies = connection.queue<OutcomeMessage>(reply);
    this.#receiver = connection.worker<OutcomeMessage>(reply, (job) => this.#take(job.data), {
      concurrency: 1,
      // An outcome is taken in a moment; one that a sweep was killed over is taken by the next.
      silentMs: 5000,
      mostStalls: 1_000_000,
    });
    this.#watch = new Watch(connection, patienceMs);
  }

  async all(tasks: Iterable<PointTask>, signal: AbortSignal | undefined): Promise<void> {
    const aborted = new Promise<never>((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    aborted.catch(() => {});
    signal?.throwIfAborted();
    const feeding = this.#feed(tasks).catch(this.#fail);
    const looking = this.#lookForFailures().catch(this.#fail);
    try {
      await Promise.race([this.#ended, this.#watch.lost, aborted]);
    } finally {
      this.#over = true;
      this.#end();
      await atMost(5000, Promise.all([feeding, looking]));
    }
  }

  /** Takes back the tasks nobody began; those under way end where they are, and `--resume` finds their outcomes. */
  async close(): Promise<void> {
    this.#watch.stop();
    if (this.#watch.isLost) {
      await atMost(5000, this.#receiver.close(true));
      return;
    }
    await atMost(30_000, this.#takeBack());
    await atMost(5000, this.#receiver.close());
    if (this.#open.size === 0) await atMost(5000, this.#replies.obliterate({ force: true }));
    await atMost(5000, Promise.all([this.#replies.close(), this.#tasks.close()]));
  }

  async #takeBack(): Promise<void> {
    const ids = [...this.#open];
    for (let at = 0; at < ids.length; at += CHUNK) {
      const chunk = ids.slice(at, at + CHUNK);
      // One that a worker is at is locked, and stays.
      await Promise.all(chunk.map((id) => this.#tasks.remove(taskId(this.#reply, id)).catch(() => 0)));
    }
  }

  /** An outcome that cannot be kept, because the disk is full, stays in its queue. */
  async #take(message: OutcomeMessage): Promise<void> {
    try {
      await this.#sink(fromMessage(message));
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    this.#settle(message.id);
  }

  #settle(id: string): void {
    this.#open.delete(id);
    this.#came.add(id);
    if (this.#fed && this.#open.size === 0) this.#end();
  }

  async #feed(tasks: Iterable<PointTask>): Promise<void> {
    let chunk: PointTask[] = [];
    const send = async () => {
      const jobs = chunk.map((task) => ({
        name: 'point',
        data: { task, reply: this.#reply },
        opts: { jobId: taskId(this.#reply, task.id), removeOnComplete: true, attempts: 1 },
      }));
      chunk = [];
      await this.#patiently(() => this.#tasks.addBulk(jobs));
    };
    await this.#takeEarlier();
    for (const task of tasks) {
      if (this.#came.has(task.id)) continue;
      while (this.#open.size >= WINDOW && !this.#over) await sleep(100);
      if (this.#over) return;
      this.#open.add(task.id);
      chunk.push(task);
      if (chunk.length === CHUNK) await send();
    }
    if (chunk.length > 0) await send();
    this.#fed = true;
    if (this.#open.size === 0) this.#end();
  }

  /** Asks until the queue answers; undefined when the run ended before, as it does when the queue is lost. */
  async #patiently<T>(ask: () => Promise<T>): Promise<T | undefined> {
    while (!this.#over) {
      try {
        return await ask();
      } catch {
        await sleep(500);
      }
    }
    return undefined;
  }

  /** Waits for the outcomes that came in since this sweep was stopped. */
  async #takeEarlier(): Promise<void> {
    const count = () => this.#replies.getJobCountByTypes('waiting', 'active', 'delayed');
    while (!this.#over && ((await this.#patiently(count)) ?? 0) > 0) await sleep(50);
  }

  /** Tasks that BullMQ gave up, because workers died over them again and again. */
  async #lookForFailures(): Promise<void> {
    const own = `${this.#reply.slice(-12)}-`;
    while (!this.#over && (!this.#fed || this.#open.size > 0)) {
      for (const job of (await this.#patiently(() => this.#tasks.getFailed(0, CHUNK))) ?? []) {
        if (!job.id?.startsWith(own)) continue;
        const id = job.id.slice(own.length);
        const problems = [
          {
            code: 'RUN_STALLED',
            what: `${MOST_STALLS + 1} workers died over the run: ${job.failedReason}`,
            remedy: 'look at the memory of the workers; with --resume --retry it is tried again',
          },
        ];
        if (this.#open.has(id)) await this.#sink({ id, worker: 'queue', problems });
        await this.#patiently(() => job.remove());
        this.#settle(id);
      }
      await Promise.race([this.#ended.catch(() => {}), sleep(FAILURES_EVERY_MS)]);
    }
  }
}
