import { setTimeout as sleep } from 'node:timers/promises';
import type { Job, Queue, Worker } from 'bullmq';
import { EXIT, ForesizeError } from '../../../core/errors.ts';

type Process<Data> = (job: Job<Data>, token: string | undefined) => Promise<unknown>;

/** BullMQ on the store a URL names; PostgreSQL holds its queues in a schema of their own. */
export interface QueueConnection {
  /** The URL without its password. */
  readonly shown: string;
  queue<Data>(name: string): Queue<Data>;
  /**
   * @param options.silentMs how long a worker may be silent before its job is another's
   * @param options.mostStalls how often a job may be left so before it counts as failed
   */
  worker<Data>(
    name: string,
    process: Process<Data>,
    options: { readonly concurrency: number; readonly silentMs: number; readonly mostStalls: number },
  ): Worker<Data>;
  /** One round trip. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

const CONNECT_MS = 5000;

/**
 * Connects to `redis://HOST:PORT`, `rediss://...` or `postgresql://USER@HOST/DATABASE`.
 * @throws ForesizeError QUEUE_URL, QUEUE_UNREACHABLE
 */
export async function connectQueue(url: string): Promise<QueueConnection> {
  const shown = withoutPassword(url);
  const open = /^rediss?:/.test(url) ? redis : /^postgres(ql)?:/.test(url) ? postgres : undefined;
  if (!open) {
    throw new ForesizeError({
      code: 'QUEUE_URL',
      what: `'${shown}' names neither Redis nor PostgreSQL`,
      where: '--queue',
      remedy: 'write redis://HOST:6379 or postgresql://USER@HOST/DATABASE',
    });
  }
  try {
    return await open(url, shown);
  } catch (cause) {
    throw new ForesizeError(
      {
        code: 'QUEUE_UNREACHABLE',
        what: `the queue cannot be reached: ${messageOf(cause)}`,
        where: shown,
        remedy: 'start the server, or correct host, port, user or password in the URL',
      },
      EXIT.runtime,
      cause,
    );
  }
}

async function redis(url: string, shown: string): Promise<QueueConnection> {
  const { Queue, Worker } = await import('bullmq');
  const { Redis } = await import('ioredis');
  const probe = new Redis(url, { lazyConnect: true, connectTimeout: CONNECT_MS, retryStrategy: () => null });
  let why: unknown;
  probe.on('error', (error) => {
    why = error;
  });
  await probe.connect().catch((error: unknown) => {
    throw why ?? error;
  });
  await probe.ping();
  probe.disconnect();
  const pinger = new Redis(url, { connectTimeout: CONNECT_MS, maxRetriesPerRequest: null });
  pinger.on('error', () => {});
  let closed = false;
  // Once closed, a client that waits for a dead server must not keep the process alive.
  const retryStrategy = (tries: number) => (closed ? null : Math.min(100 * tries, 2000));
  const connection = { url, connectTimeout: CONNECT_MS, retryStrategy };
  const prefix = 'foresize';
  return {
    shown,
    queue: (name) => quiet(new Queue(name, { connection, prefix })),
    worker: (name, process, options) =>
      quiet(new Worker(name, process, { connection, prefix, ...timing(options) })),
    ping: async () => {
      await pinger.ping();
    },
    close: async () => {
      closed = true;
      pinger.disconnect();
    },
  };
}

async function postgres(url: string, shown: string): Promise<QueueConnection> {
  const { createPostgresBackend, withBackend } = await import('bullmq');
  const { default: pg } = await import('pg');
  const { Queue, Worker } = withBackend(createPostgresBackend);
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: CONNECT_MS, max: 1 });
  pool.on('error', () => {});
  await pool.query('select 1');
  const connection = {
    connectionString: url,
    connectionTimeoutMillis: CONNECT_MS,
    max: 4,
    schema: 'foresize',
    migrate: true,
  };
  return {
    shown,
    queue: (name) => quiet(new Queue(name, { connection })) as never,
    worker: (name, process, options) =>
      quiet(new Worker(name, process as never, { connection, ...timing(options) })) as never,
    ping: async () => {
      await pool.query('select 1');
    },
    close: () => pool.end(),
  };
}

function timing({
  concurrency,
  silentMs,
  mostStalls,
}: {
  readonly concurrency: number;
  readonly silentMs: number;
  readonly mostStalls: number;
}) {
  return {
    concurrency,
    lockDuration: silentMs,
    stalledInterval: silentMs,
    maxStalledCount: mostStalls,
    removeOnComplete: { count: 0 },
  };
}

/** BullMQ reconnects by itself, and an error without a listener would end the process: `Watch` tells a lost queue. */
function quiet<T extends { on(event: 'error', listener: () => void): unknown }>(emitter: T): T {
  emitter.on('error', () => {});
  return emitter;
}

const PING_EVERY_MS = 1000;

/** Rejects `lost` once the queue has not answered for `patienceMs`. */
export class Watch {
  readonly lost: Promise<never>;
  #isLost = false;
  #stopped = false;

  constructor(connection: QueueConnection, patienceMs: number) {
    this.lost = this.#watch(connection, patienceMs);
    this.lost.catch(() => {});
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  stop(): void {
    this.#stopped = true;
  }

  async #watch(connection: QueueConnection, patienceMs: number): Promise<never> {
    let answered = performance.now();
    let why: unknown = new Error('it does not answer');
    let asking = false;
    const ask = async (): Promise<void> => {
      asking = true;
      try {
        await connection.ping();
        answered = performance.now();
      } catch (error) {
        why = error;
      }
      asking = false;
    };
    for (;;) {
      if (!asking) void ask();
      await sleep(PING_EVERY_MS, undefined, { ref: false });
      if (this.#stopped) return new Promise(() => {});
      if (performance.now() - answered > patienceMs) {
        this.#isLost = true;
        throw new ForesizeError(
          {
            code: 'QUEUE_LOST',
            what: `the queue has been out of reach for ${Math.round(patienceMs / 1000)} s: ${messageOf(why)}`,
            where: connection.shown,
            remedy: 'when it is back, carry on with --resume: what is finished is kept',
          },
          EXIT.runtime,
          why,
        );
      }
    }
  }
}

/** Waits for a clean-up that a dead server may never answer. */
export async function atMost(milliseconds: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([work.catch(() => {}), sleep(milliseconds, undefined, { ref: false })]);
}

function withoutPassword(url: string): string {
  return url.replace(/(:\/\/[^:/@]*):[^@]*@/, '$1:***@');
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error
    ? error.message || ((error as NodeJS.ErrnoException).code ?? error.name)
    : String(error);
}
