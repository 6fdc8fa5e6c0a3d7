import { setTimeout as pause } from 'node:timers/promises';

/** Time as the machine has it, and a way to wait. A test brings its own. */
export interface WallClock {
  /** ms since the Unix epoch; jumps when it is set. */
  now(): number;
  /** ms on a clock that never jumps. */
  mono(): number;
  /** Resolves after `ms`, or as soon as `signal` is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: WallClock = {
  now: () => Date.now(),
  mono: () => performance.now(),
  sleep: (ms, signal) => pause(ms, undefined, { signal }).catch(() => {}),
};

/** Tells by how much the wall clock was set between two looks. */
export class JumpDetector {
  readonly #clock: WallClock;
  readonly #least: number;
  #wall: number;
  #mono: number;

  /** @param least ms below which it is a clock being slewed, or a late look */
  constructor(clock: WallClock, least: number) {
    this.#clock = clock;
    this.#least = least;
    this.#wall = clock.now();
    this.#mono = clock.mono();
  }

  /** ms the wall clock jumped since the last look: positive forward; 0 if it did not. A suspend is a jump. */
  look(): number {
    const wall = this.#clock.now();
    const mono = this.#clock.mono();
    const jump = wall - this.#wall - (mono - this.#mono);
    this.#wall = wall;
    this.#mono = mono;
    return Math.abs(jump) >= this.#least ? jump : 0;
  }
}
