import { referenceLoop } from './reference-loop.ts';

/** Seconds of CPU time this process has used on all threads: what others run on the machine counts little. */
export type CpuClock = () => number;

export const cpuClock: CpuClock = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/**
 * How many times as long as the reference loop a piece of work takes. Both are timed in turns, and the fastest of
 * each counts: noise only ever adds. `more` goes on where an earlier measurement left off.
 */
export class Stopwatch {
  readonly #clock: CpuClock;
  readonly #reference: () => unknown;
  #fastestReference = Number.POSITIVE_INFINITY;
  #fastestWork = Number.POSITIVE_INFINITY;

  constructor(clock: CpuClock = cpuClock, reference: () => unknown = referenceLoop) {
    this.#clock = clock;
    this.#reference = reference;
  }

  async more(repeats: number, work: () => Promise<unknown>): Promise<void> {
    for (let i = 0; i < repeats; i++) {
      this.#fastestReference = Math.min(this.#fastestReference, await this.#time(this.#reference));
      this.#fastestWork = Math.min(this.#fastestWork, await this.#time(work));
    }
  }

  get ratio(): number {
    return this.#fastestWork / this.#fastestReference;
  }

  async #time(work: () => unknown): Promise<number> {
    const before = this.#clock();
    await work();
    return this.#clock() - before;
  }
}
