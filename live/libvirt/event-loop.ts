import type { Pointer } from './ffi.ts';
import type { Handle } from './handle.ts';
import { identify } from './read-domain.ts';
import type { DomainEvent } from './session-types.ts';

/** VIR_DOMAIN_EVENT_ID_*. */
const EVENT = { lifecycle: 0, metadataChange: 23 } as const;

/** Length of a turn in which nothing happens, ms. */
const TURN_MS = 1;
/** Enough turns for closed connections to give their sockets back. */
const CLOSING_TURNS = 20;

/**
 * libvirt's event loop, of which a process has one: it serves all connections of the process, and calls back on the
 * thread that gives it turns. To be made before the first connection of the process is opened.
 */
export class EventLoop {
  readonly #handle: Handle;
  readonly #callbacks: Readonly<Record<keyof typeof EVENT, Pointer>>;
  readonly #timer: number;
  #registrations: number[] = [];

  constructor(handle: Handle, onEvent: (event: DomainEvent) => void) {
    this.#handle = handle;
    const { call, nothing, callback } = handle.lib;
    handle.attempt('virEventRegisterDefaultImpl', '', () => call.virEventRegisterDefaultImpl());
    // Ends the waiting of a turn in which nothing else is due. One that is always due would starve libvirt's idle
    // work, such as closing sockets.
    this.#timer = handle.attempt('virEventAddTimeout', '', () =>
      call.virEventAddTimeout(TURN_MS, nothing, null, null),
    );
    this.#callbacks = {
      lifecycle: callback(
        'int',
        ['void *', 'void *', 'int', 'int', 'void *'],
        (_conn: Pointer, domain: Pointer, event: number) => {
          onEvent({ ...identify(handle, domain), kind: 'lifecycle', event });
          return 0;
        },
      ),
      metadataChange: callback(
        'void',
        ['void *', 'void *', 'int', 'const char *', 'void *'],
        (_conn: Pointer, domain: Pointer) => {
          onEvent({ ...identify(handle, domain), kind: 'metadata', event: -1 });
        },
      ),
    };
  }

  /** Asks for the events of the open connection. */
  subscribe(): void {
    const name = 'virConnectDomainEventRegisterAny';
    const conn = this.#handle.connection(name);
    for (const event of ['lifecycle', 'metadataChange'] as const) {
      const id = this.#handle.attempt(name, event, () =>
        this.#handle.lib.call[name](conn, null, EVENT[event], this.#callbacks[event], null, null),
      );
      this.#registrations.push(id);
    }
  }

  /** To be called before the connection is closed: each registration holds it, and with it the socket. */
  unsubscribe(): void {
    if (!this.#handle.isOpen) return;
    const name = 'virConnectDomainEventDeregisterAny';
    for (const id of this.#registrations) this.#handle.lib.call[name](this.#handle.connection(name), id);
    this.#registrations = [];
  }

  /**
   * Gives the loop some turns, each of which waits for 1 ms at most. Events arrive during this call. What is read in
   * one turn is delivered by a later one.
   */
  pump(turns: number): void {
    for (let turn = 0; turn < turns; turn++) this.#handle.lib.call.virEventRunDefaultImpl();
  }

  stop(): void {
    this.pump(CLOSING_TURNS);
    this.#handle.lib.call.virEventRemoveTimeout(this.#timer);
  }
}
