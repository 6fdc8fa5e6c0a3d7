import { grown, R, type ResourceVector } from '../../core/model.ts';
import { hashString, Rng } from '../../core/rng.ts';
import type { ArrivalProcess, Batch } from './arrivals.ts';
import { BatchJobs } from './batch.ts';
import { type Bounds, specOf } from './bounds.ts';
import { Bursts } from './bursts.ts';
import { Resources } from './correlation.ts';
import { Cycles } from './cycles.ts';
import type { Grid } from './grid.ts';
import type { Ingredients, Size } from './ingredients.ts';
import { Noise } from './noise.ts';
import type { Population } from './population.ts';
import { keyOf, uniformOf } from './random.ts';
import { type Ingredient, Rows } from './rows.ts';
import { Saturation } from './saturation.ts';
import type { PopulationConfig } from './schema.ts';
import { Tenants } from './tenants.ts';
import type { Arrival, BatchJob, Workload, WorkloadStream } from './types.ts';

export interface GeneratorOptions extends Grid {
  readonly name: string;
  readonly intervals: number;
  readonly seed: number;
  readonly population: Population;
  readonly correlation: PopulationConfig['correlation'];
  readonly bounds: Bounds;
  /** VMs that come and go besides those that stay; a fresh process for every stream. */
  readonly arrivals?: (() => ArrivalProcess) | undefined;
}

/**
 * A workload made up as it is read: some 200 bytes a VM, whatever the length.
 *
 *   load = saturation(level x cycle x what the pair shares x own noise x bursts) + jobs     (cores)
 *   load -> CPU, memory, disk, network                                                     (correlation.ts)
 *
 * A VM's demand depends on the seed, its id and t, and on nothing that is done to it or to others.
 */
export function generateWorkload(options: GeneratorOptions): Workload {
  const { name, epochMs, stepMs, intervals } = options;
  return { name, epochMs, stepMs, intervals, open: () => new GeneratedStream(options) };
}

const SIZE = hashString('size');

class GeneratedStream implements WorkloadStream {
  readonly #options: GeneratorOptions;
  readonly #rows: Rows;
  readonly #ingredients: readonly Ingredient[];
  readonly #resources: Resources;
  /** Absent without batch jobs. */
  readonly jobs?: (t: number) => readonly BatchJob[];
  readonly #process: ArrivalProcess | undefined;
  readonly #tenantOf: Rng;
  /** Row of a VM by its number; of those gone, the one they had. */
  #row = new Int32Array(0);
  #load = new Float64Array(0);
  /** Rows to release, by tick. */
  readonly #leaving = new Map<number, number[]>();
  #batch: Batch | undefined;
  #vms = 0;
  #t = -1;

  constructor(options: GeneratorOptions) {
    const { population, seed, correlation } = options;
    const uses = (name: keyof Ingredients) =>
      population.applications.some(({ ingredients }) => ingredients[name] !== 'none');
    const rows = new Rows(population);
    this.#options = options;
    this.#rows = rows;
    const batch = uses('jobs') ? new BatchJobs(population, rows, options) : undefined;
    if (batch) this.jobs = (t) => this.#released(t, batch);
    this.#ingredients = [
      new Cycles(population, rows, options),
      new Tenants(population, rows, options, seed, correlation),
      ...(uses('noise') ? [new Noise(population, rows, options, correlation)] : []),
      ...(uses('bursts') ? [new Bursts(population, rows, options)] : []),
      new Saturation(rows),
      ...(batch ? [batch] : []),
    ].map((ingredient) => rows.register(ingredient));
    this.#resources = rows.register(new Resources(population, rows, options));
    this.#process = options.arrivals?.();
    this.#batch = this.#process?.next().value ?? undefined;
    this.#tenantOf = new Rng(seed, 'arrivals', 'tenant');
  }

  arrivals(t: number): readonly Arrival[] {
    if (t !== this.#t + 1) throw new RangeError(`arrivals of interval ${this.#t + 1} come before ${t}`);
    this.#t = t;
    for (const row of this.#leaving.get(t) ?? []) this.#rows.release(row);
    this.#leaving.delete(t);
    const arrivals = t === 0 ? this.#residents() : [];
    this.#comers(t, arrivals);
    this.#load = grown(this.#load, this.#rows.high);
    for (const ingredient of this.#ingredients) ingredient.apply(t, this.#load);
    this.#resources.apply(t, this.#load);
    return arrivals;
  }

  demand(t: number, count: number, vm: Int32Array, slot: Int32Array, out: Float64Array): void {
    if (t !== this.#t) throw new RangeError(`the stream is at interval ${this.#t}, not ${t}`);
    const { demand } = this.#resources;
    const row = this.#row;
    for (let k = 0; k < count; k++) {
      const from = row[vm[k]!]! * R;
      const to = slot[k]! * R;
      out[to] = demand[from]!;
      out[to + 1] = demand[from + 1]!;
      out[to + 2] = demand[from + 2]!;
      out[to + 3] = demand[from + 3]!;
    }
  }

  #released(t: number, batch: BatchJobs): readonly BatchJob[] {
    if (t !== this.#t) throw new RangeError(`the stream is at interval ${this.#t}, not ${t}`);
    return batch.released;
  }

  #residents(): Arrival[] {
    const { applications, pairs } = this.#options.population;
    const arrivals: Arrival[] = [];
    pairs.forEach(({ application }, pair) => {
      for (let k = 1; k <= applications[application]!.vmsPerUser; k++) {
        arrivals.push(this.#admit(pair, `${k}`, undefined, 0, Number.POSITIVE_INFINITY));
      }
    });
    return arrivals;
  }

  /** VMs of batches from up to the start of interval t: there until the first tick after their lifetime. */
  #comers(t: number, arrivals: Arrival[]): void {
    const { stepMs, population } = this.#options;
    while (this.#batch && this.#batch.atMs <= t * stepMs) {
      const { atMs, sizes, lifetimesMs } = this.#batch;
      const pair = this.#tenantOf.int(population.pairs.length);
      lifetimesMs.forEach((lifetime, i) => {
        const end = Math.ceil((atMs + lifetime) / stepMs);
        if (t === 0 && end <= 0) return; // gone before the workload begins
        arrivals.push(this.#admit(pair, `n${this.#vms}`, sizes[i], t, Math.max(t + 1, end)));
      });
      this.#batch = this.#process?.next().value ?? undefined;
    }
  }

  #admit(pair: number, label: string, given: Size | undefined, t: number, end: number): Arrival {
    const { population, seed, bounds, intervals } = this.#options;
    const { application, user } = population.pairs[pair]!;
    const { id, ingredients } = population.applications[application]!;
    const userId = population.users[user]!;
    const vmId = `${id}-${userId}-${label}`;
    const key = keyOf(seed, 'vm', vmId);
    const size = given ?? ingredients.sizes[Math.floor(uniformOf(key, SIZE) * ingredients.sizes.length)]!;
    const vm = this.#vms++;
    const row = this.#rows.admit(vm, key, pair, size, t);
    if (vm >= this.#row.length) this.#row = grown(this.#row, Math.max(64, 2 * vm));
    this.#row[vm] = row;
    const until = end < intervals ? end : Number.POSITIVE_INFINITY;
    if (until < intervals) {
      const together = this.#leaving.get(until);
      if (together) together.push(row);
      else this.#leaving.set(until, [row]);
    }
    return { vm, spec: specOf(vmId, id, userId, requestOf(size, ingredients), bounds), until };
  }
}

/** Disk and network an owner asks for, relative to what the VM uses with all its cores busy. */
const IO_HEADROOM = 1.5;

/** The owner asks for the size of the VM, and for disk and network to go with it. */
function requestOf({ cpu, memory }: Size, { diskIo, network }: Ingredients): ResourceVector {
  const io = ({ idle, perCore }: Ingredients['diskIo']) => IO_HEADROOM * (idle + perCore * cpu);
  return [cpu, memory, io(diskIo), io(network)];
}
