/**
 * The thread that owns one libvirt connection: takes a call, makes it synchronously, answers. With `events` it
 * also runs libvirt's event loop in between and passes domain events on.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { ForesizeError, type Problem } from '../../core/errors.ts';
import { LibvirtError, type LibvirtFailure } from './errors.ts';
import { loadLibvirt } from './ffi.ts';
import { Session } from './session.ts';
import type { DomainEvent } from './session-types.ts';

export interface WorkerOptions {
  readonly library: string;
  readonly events: boolean;
}

/** The session's methods that can be called from outside, by name. */
export type Operation = Exclude<
  { [K in keyof Session]: Session[K] extends (...args: never[]) => unknown ? K : never }[keyof Session],
  'pump' | 'end'
>;

export interface Request {
  readonly id: number;
  readonly operation: Operation | 'exit';
  readonly args: readonly unknown[];
}

export type FailedReply = {
  readonly id: number;
  readonly failure: LibvirtFailure | undefined;
  readonly problems: readonly Problem[];
  readonly exitCode: number;
};

export type Message =
  | { readonly id: number; readonly value: unknown }
  | FailedReply
  | { readonly event: DomainEvent }
  /** The open connection broke. */
  | { readonly lost: true };

/** Events wait at most this long; short against a tick, long against the turns made then. */
const PUMP_MS = 200;
const PUMP_TURNS = 3;

async function main(port: NonNullable<typeof parentPort>, options: WorkerOptions): Promise<void> {
  const post = (message: Message) => port.postMessage(message);
  let session: Session | undefined;
  let broken: unknown;
  try {
    const onEvent = options.events ? (event: DomainEvent) => post({ event }) : undefined;
    session = new Session(await loadLibvirt(options.library), onEvent);
  } catch (error) {
    broken = error;
  }

  let open = false;
  const look = () => {
    session?.pump(PUMP_TURNS);
    if (!open || session?.isAlive) return;
    open = false;
    post({ lost: true });
  };
  const timer = setInterval(look, PUMP_MS);

  port.on('message', ({ id, operation, args }: Request) => {
    try {
      if (operation === 'exit') {
        clearInterval(timer);
        session?.end();
        post({ id, value: undefined });
        port.close();
        return;
      }
      if (!session) throw broken;
      const value = (session[operation] as (...a: readonly unknown[]) => unknown)(...args);
      if (operation === 'open') open = true;
      if (operation === 'close') open = false;
      post({ id, value });
    } catch (error) {
      if (!(error instanceof ForesizeError)) throw error;
      const failure = error instanceof LibvirtError ? error.failure : undefined;
      post({ id, failure, problems: error.problems, exitCode: error.exitCode });
      look();
    }
  });
}

if (parentPort) await main(parentPort, workerData as WorkerOptions);
