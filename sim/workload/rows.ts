import { grown } from '../../core/model.ts';
import { hashString } from '../../core/rng.ts';
import type { Size } from './ingredients.ts';
import type { Pair, Population } from './population.ts';
import { fastExp, normalOf, uniformOf } from './random.ts';

/** A part that keeps columns of a number per row. */
export interface PerRow {
  grow(capacity: number): void;
  /** A VM takes `row` at the start of interval t. Whatever it starts from depends on the VM's key and t alone. */
  admit(row: number, t: number): void;
}

/** One ingredient of the load: CPU the VMs want, in cores, before it is divided among the resources. */
export interface Ingredient extends PerRow {
  /** Changes load[0..rows.high) for interval t. Called once for every t, in order. */
  apply(t: number, load: Float64Array): void;
}

/** What all VMs of a pair of application and user have in common: a factor of their load, one number a pair. */
export interface SharedIngredient {
  /** Changes factor[0..pairs) for interval t. Called once for every t, in order. */
  apply(t: number, factor: Float64Array): void;
}

/** VMs of a pair are alike, not equal: their load differs by 15 % and their cycle by up to 15 minutes. */
const LEVEL_DEVIATION = 0.15;
const PHASE_JITTER_MS = 900_000;
const LEVEL = hashString('level');
const PHASE = hashString('phase');

/**
 * The VMs that are here, one in a row, and what of them never changes. Rows below `high` without a VM go on with
 * the last one's numbers; nobody reads them.
 */
export class Rows {
  /** Rows ever used. */
  high = 0;
  vm = new Int32Array(0);
  pair = new Int32Array(0);
  /** Identity of the VM for random draws. */
  key = new Int32Array(0);
  /** Size of the VM: cores and MiB. */
  cores = new Float64Array(0);
  memory = new Float64Array(0);
  /** Mean load, cores. */
  level = new Float64Array(0);
  /** How much later the VM's cycle runs than its application's, ms. */
  phaseMs = new Float64Array(0);

  readonly #free: number[] = [];
  readonly #parts: PerRow[] = [];
  readonly #population: Population;

  constructor(population: Population) {
    this.#population = population;
  }

  register<T extends PerRow>(part: T): T {
    this.#parts.push(part);
    return part;
  }

  pairOf(row: number): Pair {
    return this.#population.pairs[this.pair[row]!]!;
  }

  admit(vm: number, key: number, pair: number, size: Size, t: number): number {
    const row = this.#free.pop() ?? this.high++;
    if (row >= this.vm.length) this.#grow(Math.max(64, 2 * row));
    const { application, traits } = this.#population.pairs[pair]!;
    const { level } = this.#population.applications[application]!.ingredients;
    const spread = LEVEL_DEVIATION * normalOf(key, LEVEL) - 0.5 * LEVEL_DEVIATION * LEVEL_DEVIATION;
    this.vm[row] = vm;
    this.pair[row] = pair;
    this.key[row] = key;
    this.cores[row] = size.cpu;
    this.memory[row] = size.memory;
    this.level[row] = size.cpu * level * traits.level * fastExp(spread);
    this.phaseMs[row] = traits.phaseMs + (2 * uniformOf(key, PHASE) - 1) * PHASE_JITTER_MS;
    for (const part of this.#parts) part.admit(row, t);
    return row;
  }

  release(row: number): void {
    this.#free.push(row);
  }

  #grow(capacity: number): void {
    for (const column of ['vm', 'pair', 'key'] as const) this[column] = grown(this[column], capacity);
    for (const column of ['cores', 'memory', 'level', 'phaseMs'] as const)
      this[column] = grown(this[column], capacity);
    for (const part of this.#parts) part.grow(capacity);
  }
}
