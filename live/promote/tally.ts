import { OBSERVED_FIELDS, OBSERVED_SECONDS, type ObservedMeasure } from '../../core/observed.ts';

/** A ratio over VMs with its standard error, 0 where a single VM says nothing of the spread. */
export interface Figure {
  readonly value: number;
  readonly error: number;
}

const DAY_S = 86_400;

/**
 * Sums by VM over a window that moves by halves: what is older than two of them is forgotten. A stage that lasts for
 * months is judged by its last days.
 */
export class Tally {
  #now = new Map<string, Float64Array>();
  #before = new Map<string, Float64Array>();

  /** @param sums a row of OBSERVED_FIELDS */
  add(vmId: string, sums: Float64Array): void {
    let row = this.#now.get(vmId);
    if (!row) {
      row = new Float64Array(OBSERVED_FIELDS);
      this.#now.set(vmId, row);
    }
    for (let c = 0; c < OBSERVED_FIELDS; c++) row[c] = row[c]! + sums[c]!;
  }

  /** A half of the window is over. */
  turn(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  clear(): void {
    this.#now.clear();
    this.#before.clear();
  }

  get vmDays(): number {
    let seconds = 0;
    for (const half of [this.#now, this.#before]) {
      for (const row of half.values()) seconds += row[OBSERVED_SECONDS]!;
    }
    return seconds / DAY_S;
  }

  /**
   * Ratio of sums, and its standard error by linearisation over VMs as clusters (Cochran 1977, Sampling Techniques,
   * 6.4). undefined where there is nothing to divide by.
   */
  figure({ numerator, denominator, scale }: ObservedMeasure): Figure | undefined {
    const ids = new Set([...this.#now.keys(), ...this.#before.keys()]);
    const of = (vmId: string, column: number) =>
      (this.#now.get(vmId)?.[column] ?? 0) + (this.#before.get(vmId)?.[column] ?? 0);
    let above = 0;
    let below = 0;
    for (const vmId of ids) {
      above += of(vmId, numerator);
      below += of(vmId, denominator);
    }
    if (!(below > 0)) return undefined;
    const ratio = above / below;
    let squares = 0;
    let vms = 0;
    for (const vmId of ids) {
      const size = of(vmId, denominator);
      if (!(size > 0)) continue;
      const residual = of(vmId, numerator) - ratio * size;
      squares += residual * residual;
      vms++;
    }
    const error = vms > 1 ? Math.sqrt((squares * vms) / (vms - 1)) / below : 0;
    return { value: ratio * scale, error: error * scale };
  }

  serialise(): TallyState {
    return { now: plain(this.#now), before: plain(this.#before) };
  }

  static restore({ now, before }: TallyState): Tally {
    const tally = new Tally();
    for (const [vmId, row] of Object.entries(now)) tally.#now.set(vmId, Float64Array.from(row));
    for (const [vmId, row] of Object.entries(before)) tally.#before.set(vmId, Float64Array.from(row));
    return tally;
  }
}

/** Rows of OBSERVED_FIELDS by vmId. */
export interface TallyState {
  now: Record<string, number[]>;
  before: Record<string, number[]>;
}

function plain(half: ReadonlyMap<string, Float64Array>): Record<string, number[]> {
  return Object.fromEntries([...half].map(([vmId, row]) => [vmId, [...row]]));
}
