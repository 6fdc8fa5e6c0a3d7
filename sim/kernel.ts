import TinyQueue from 'tinyqueue';

/** Order of events at the same instant: lower runs first. */
export const PRIORITY = { settle: 0, churn: 1, demand: 2, tick: 3 } as const;

interface Event {
  readonly time: number;
  readonly priority: number;
  readonly sequence: number;
  readonly run: () => void | Promise<void>;
}

/**
 * The discrete-event kernel. Events run in the total order (time, priority, sequence), so that a run never
 * depends on the heap's inner order; time is a number of ms and never goes back.
 */
export class Kernel {
  readonly #queue = new TinyQueue<Event>([], compare);
  #now: number;
  #sequence = 0;

  constructor(start: number) {
    this.#now = start;
  }

  /** Simulated time, ms since the Unix epoch. */
  get now(): number {
    return this.#now;
  }

  get pending(): number {
    return this.#queue.length;
  }

  /** Schedules `run` at `time`. Events of equal time and priority run in the order they were scheduled. */
  at(time: number, priority: number, run: () => void | Promise<void>): void {
    if (!(time >= this.#now)) throw new RangeError(`cannot schedule at ${time}: it is ${this.#now} already`);
    this.#queue.push({ time, priority, sequence: this.#sequence++, run });
  }

  /** Runs every event before `end`. An event that returns a promise is waited for before time goes on. */
  async run(end: number): Promise<void> {
    for (let next = this.#queue.peek(); next && next.time < end; next = this.#queue.peek()) {
      this.#queue.pop();
      this.#now = next.time;
      const pending = next.run();
      if (pending) await pending;
    }
    this.#now = Math.max(this.#now, end);
  }
}

function compare(a: Event, b: Event): number {
  return a.time - b.time || a.priority - b.priority || a.sequence - b.sequence;
}
