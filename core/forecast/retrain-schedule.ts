/**
 * When each row is trained: first when it has enough samples, then every `interval` ticks, at most `budget` rows a
 * tick. Rows are spread over the interval by the golden ratio, so that the work of a tick is even from the first day;
 * who does not fit in a tick's budget waits for the next, the longest due first. The budget counts rows, not
 * milliseconds: the same history gives the same models on any machine.
 */
export class RetrainSchedule {
  readonly #interval: number;
  readonly #budget: number;
  /** Tick from which each row is due; Infinity while it has too few samples. */
  readonly #due: number[] = [];

  constructor(interval: number, budget: number) {
    this.#interval = interval;
    this.#budget = budget;
  }

  /** Makes room for `size` rows. */
  grow(size: number): void {
    while (this.#due.length < size) this.#due.push(Number.POSITIVE_INFINITY);
  }

  isScheduled(row: number): boolean {
    return this.#due[row]! < Number.POSITIVE_INFINITY;
  }

  /** A row has enough samples from tick `t` on. Its first training comes within a quarter of the interval. */
  start(row: number, t: number): void {
    this.#due[row] = t + Math.floor((((row + 1) * 0.6180339887498949) % 1) * (this.#interval / 4));
  }

  /** The rows to train in tick `t`; they are due again an interval later. */
  take(t: number): number[] {
    const due: number[] = [];
    for (let row = 0; row < this.#due.length; row++) if (this.#due[row]! <= t) due.push(row);
    due.sort((a, b) => this.#due[a]! - this.#due[b]! || a - b);
    const taken = due.slice(0, this.#budget);
    for (const row of taken) this.#due[row] = t + this.#interval;
    return taken;
  }

  /** Rows that were due in tick `t` and still wait. */
  waiting(t: number): number {
    let n = 0;
    for (const due of this.#due) if (due <= t) n++;
    return n;
  }

  due(row: number): number {
    return this.#due[row]!;
  }

  set(row: number, due: number): void {
    this.#due[row] = due;
  }
}
