import { setImmediate as turn } from 'node:timers/promises';

const EVERY_MS = 50;

/**
 * Gives the event loop a turn now and then. A run never waits for anything outside the process, so that without this
 * neither Ctrl-C nor a message would be heard until its end. Results do not depend on it.
 */
export class Breather {
  #last = performance.now();

  /** A promise to wait for when it is time, else undefined. */
  pause(): Promise<void> | undefined {
    const now = performance.now();
    if (now - this.#last < EVERY_MS) return undefined;
    this.#last = now;
    return turn();
  }
}
