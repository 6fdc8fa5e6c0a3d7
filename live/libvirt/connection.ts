import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { ExponentialBackoff, handleAll, retry } from 'cockatiel';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { callTimedOut, connectionStuck, disconnected, LibvirtError, threadEnded } from './errors.ts';
import type { Session } from './session.ts';
import type { DomainEvent, HostInfo } from './session-types.ts';
import type { Message, Operation, Request, WorkerOptions } from './worker.ts';

export interface ConnectionOptions {
  readonly uri: string;
  readonly readOnly: boolean;
  /** Runs libvirt's event loop, of which a process has one: for one connection only, opened first. */
  readonly events: boolean;
  /** ms after which a call is given up. Longer than libvirt's own limit on a busy domain (30 s) tells more. */
  readonly timeoutMs: number;
  readonly library: string;
}

export interface ConnectionListener {
  onEvent?(event: DomainEvent): void;
  /** The connection broke; calls fail until it is back. */
  onLost?(): void;
  /** It stands again: whatever was known may be out of date. */
  onBack?(): void;
}

const DEFAULTS = { readOnly: true, events: false, timeoutMs: 35_000, library: 'libvirt.so.0' };

interface Pending {
  readonly request: Request;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

type Result<K extends Operation> = ReturnType<Session[K]>;

/**
 * A libvirt connection in a Worker of its own, as seen from the main thread: calls with a time limit, and a new
 * connection, after growing pauses, when libvirtd went away.
 */
export class LibvirtConnection {
  readonly uri: string;
  readonly #options: ConnectionOptions;
  readonly #worker: Worker;
  /** Calls in the order they were made. The first is with the Worker, so that its time limit is its own. */
  readonly #queue: Pending[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** A call that was given up and that the Worker has not returned from. */
  #overdue: number | undefined;
  readonly #listeners = new Set<ConnectionListener>();
  readonly #closing = new AbortController();
  #nextId = 0;
  #connected = false;
  #ended = false;
  #reconnecting: Promise<void> | undefined;
  #lastProblem: unknown;
  #host: HostInfo = { type: '', version: 0 };

  /** @throws ForesizeError, as LIBVIRT_MISSING, LIBVIRT_UNREACHABLE, LIBVIRT_NO_PERMISSION, LIBVIRT_READ_ONLY */
  static async open(
    options: Partial<ConnectionOptions> & Pick<ConnectionOptions, 'uri'>,
  ): Promise<LibvirtConnection> {
    const connection = new LibvirtConnection({ ...DEFAULTS, ...options });
    try {
      await connection.#open();
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  private constructor(options: ConnectionOptions) {
    this.uri = options.uri;
    this.#options = options;
    const workerData: WorkerOptions = { library: options.library, events: options.events };
    this.#worker = new Worker(workerFile(), { workerData, execArgv: [] });
    this.#worker.on('message', (message: Message) => this.#receive(message));
    this.#worker.on('error', (error) => this.#abandon(error));
    this.#worker.on('exit', () => this.#abandon(new Error('the libvirt thread ended')));
  }

  get connected(): boolean {
    return this.#connected;
  }

  get host(): HostInfo {
    return this.#host;
  }

  listen(listener: ConnectionListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Makes a call. Rejects with LibvirtError, or with LIBVIRT_DISCONNECTED at once while there is no connection:
   * the caller has a next tick, and a queue behind a dead daemon would only grow.
   */
  async call<K extends Operation>(operation: K, ...args: Parameters<Session[K]>): Promise<Result<K>> {
    if (this.#ended && !this.#closing.signal.aborted) throw threadEnded(this.uri, this.#lastProblem);
    if (!this.#connected) throw disconnected(operation, this.uri, this.#lastProblem);
    return this.#request(operation, args) as Promise<Result<K>>;
  }

  /** Resolves when the connection stands; rejects when it is closed for good. */
  async ready(): Promise<void> {
    while (!this.#connected) {
      if (this.#closing.signal.aborted || !this.#reconnecting)
        throw disconnected('ready', this.uri, undefined);
      await this.#reconnecting;
    }
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#connected = false;
    if (this.#ended) return;
    // Waits for the thread to end by itself: one that is ended within a call of libvirt can take the process along.
    await this.#request('exit', []).catch(() => {});
    if (this.#overdue !== undefined) this.#worker.unref();
    else await this.#worker.terminate();
  }

  async #open(): Promise<void> {
    this.#host = (await this.#request('open', [this.uri, this.#options.readOnly])) as HostInfo;
    this.#connected = true;
  }

  #request(operation: Request['operation'], args: readonly unknown[]): Promise<unknown> {
    if (this.#overdue !== undefined) return Promise.reject(connectionStuck(operation, this.uri));
    return new Promise((resolve, reject) => {
      this.#queue.push({ request: { id: this.#nextId++, operation, args }, resolve, reject });
      if (this.#queue.length === 1) this.#sendNext();
    });
  }

  #sendNext(): void {
    const next = this.#queue[0];
    if (!next) return;
    const { timeoutMs } = this.#options;
    this.#timer = setTimeout(() => {
      this.#overdue = next.request.id;
      next.reject(callTimedOut(next.request.operation, timeoutMs, this.uri));
      for (const { request, reject } of this.#queue.splice(0).slice(1)) {
        reject(connectionStuck(request.operation, this.uri));
      }
    }, timeoutMs);
    this.#worker.postMessage(next.request);
  }

  #receive(message: Message): void {
    if ('event' in message) {
      for (const listener of this.#listeners) listener.onEvent?.(message.event);
      return;
    }
    if ('lost' in message) {
      this.#lost();
      return;
    }
    if (message.id === this.#overdue) {
      this.#overdue = undefined;
      return;
    }
    const pending = this.#queue.shift();
    clearTimeout(this.#timer);
    this.#sendNext();
    if (!pending) return;
    if ('value' in message) {
      pending.resolve(message.value);
      return;
    }
    const { failure, problems, exitCode } = message;
    // Before the caller hears of it, who may wait for the connection to come back.
    if (failure?.alive === false) this.#lost();
    pending.reject(
      failure ? new LibvirtError(failure, problems[0]?.where) : new ForesizeError(problems, exitCode),
    );
  }

  #lost(): void {
    if (!this.#connected || this.#closing.signal.aborted) return;
    this.#connected = false;
    for (const listener of this.#listeners) listener.onLost?.();
    const policy = retry(handleAll, {
      maxAttempts: Number.POSITIVE_INFINITY,
      backoff: new ExponentialBackoff({ initialDelay: 100, maxDelay: 15_000 }),
    }).dangerouslyUnref();
    policy.onFailure(({ reason }) => {
      this.#lastProblem = 'error' in reason ? reason.error : undefined;
    });
    this.#reconnecting = policy
      .execute(async () => {
        // The pause before an attempt cannot be cut short.
        if (!this.#closing.signal.aborted) await this.#open();
      }, this.#closing.signal)
      .then(
        () => {
          if (!this.#connected) return;
          this.#lastProblem = undefined;
          for (const listener of this.#listeners) listener.onBack?.();
        },
        // Only closing ends the attempts.
        () => {},
      )
      .finally(() => {
        this.#reconnecting = undefined;
      });
  }

  /** The thread is gone, which only a fault of ours brings about. */
  #abandon(error: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#connected = false;
    this.#lastProblem = error;
    clearTimeout(this.#timer);
    for (const { reject } of this.#queue.splice(0)) reject(threadEnded(this.uri, error));
  }
}

/** The Worker's file. Node runs no TypeScript before 22.18, so from the sources it is the built one. */
function workerFile(): URL {
  if (import.meta.url.endsWith('.js')) return new URL('./worker.js', import.meta.url);
  const built = new URL('../../dist/live/libvirt/worker.js', import.meta.url);
  if (!existsSync(built)) {
    throw new ForesizeError(
      { code: 'NOT_BUILT', what: `${fileURLToPath(built)} is missing`, remedy: 'run `npm run build`' },
      EXIT.usage,
    );
  }
  return built;
}
