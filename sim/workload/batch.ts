import { HOUR, parseDuration, SECOND } from '../../core/duration.ts';
import { grown } from '../../core/model.ts';
import { hashString, mix } from '../../core/rng.ts';
import { GENERATED_EPOCH, type Grid } from './grid.ts';
import type { JobsConfig } from './ingredients.ts';
import type { Population } from './population.ts';
import { fastExp, normalOf, uniformOf } from './random.ts';
import type { Ingredient, Rows } from './rows.ts';
import type { BatchJob } from './types.ts';

const JITTER = hashString('jobs jitter');
const LENGTH = hashString('jobs length');

interface Schedule {
  readonly everyMs: number;
  readonly atMs: number;
  readonly jitterMs: number;
  readonly lastsMs: number;
  readonly deviation: number;
  readonly cores: number;
  readonly deadlineMs: number;
}

/**
 * Batch jobs with deadlines. Job k of a VM is released in period k of its schedule, late by a random jitter, and
 * takes a log-normal time. A VM runs its jobs one after another at full parallelism, so that the demand added
 * over all intervals is exactly the work of the jobs.
 */
export class BatchJobs implements Ingredient {
  readonly #rows: Rows;
  readonly #grid: Grid;
  /** Per pair; undefined where the application has no jobs. */
  readonly #schedules: readonly (Schedule | undefined)[];
  /** Number and release of the VM's next job; the busy period that ends last, all in ms since the epoch. */
  #next = new Float64Array(0);
  #release = new Float64Array(0);
  #busyFrom = new Float64Array(0);
  #busyUntil = new Float64Array(0);
  #released: BatchJob[] = [];

  constructor({ applications, pairs }: Population, rows: Rows, grid: Grid) {
    this.#rows = rows;
    this.#grid = grid;
    this.#schedules = pairs.map(({ application, traits }) => {
      const { jobs } = applications[application]!.ingredients;
      return jobs === 'none' ? undefined : schedule(jobs, traits.phaseMs);
    });
  }

  /** Jobs released during the interval last applied. */
  get released(): readonly BatchJob[] {
    return this.#released;
  }

  grow(capacity: number): void {
    this.#next = grown(this.#next, capacity);
    this.#release = grown(this.#release, capacity);
    this.#busyFrom = grown(this.#busyFrom, capacity);
    this.#busyUntil = grown(this.#busyUntil, capacity);
  }

  admit(row: number, t: number): void {
    const now = this.#grid.epochMs + t * this.#grid.stepMs;
    this.#busyFrom[row] = now;
    this.#busyUntil[row] = now;
    this.#release[row] = Number.POSITIVE_INFINITY;
    const plan = this.#schedules[this.#rows.pair[row]!];
    if (!plan) return;
    let k = Math.floor((now - GENERATED_EPOCH - plan.atMs - plan.jitterMs) / plan.everyMs);
    while (this.#releaseOf(row, k, plan) < now) k++;
    this.#next[row] = k;
    this.#release[row] = this.#releaseOf(row, k, plan);
  }

  apply(t: number, load: Float64Array): void {
    const { stepMs, epochMs } = this.#grid;
    const begin = epochMs + t * stepMs;
    const end = begin + stepMs;
    this.#released = [];
    for (let row = 0; row < this.#rows.high; row++) {
      if (this.#release[row]! >= end && this.#busyUntil[row]! <= begin) continue;
      const plan = this.#schedules[this.#rows.pair[row]!];
      if (!plan) continue;
      const cores = plan.cores * this.#rows.cores[row]!;
      let busy = 0;
      while (this.#release[row]! < end) {
        const release = this.#release[row]!;
        if (release > this.#busyUntil[row]!) {
          busy += this.#overlap(row, begin, end);
          this.#busyFrom[row] = release;
          this.#busyUntil[row] = release;
        }
        this.#run(row, plan, cores);
      }
      busy += this.#overlap(row, begin, end);
      load[row]! += (cores * busy) / stepMs;
    }
  }

  /** Appends the VM's next job to its busy period. */
  #run(row: number, plan: Schedule, cores: number): void {
    const k = this.#next[row]!;
    const releaseMs = this.#release[row]!;
    const startMs = this.#busyUntil[row]!;
    const z = normalOf(this.#keyOf(row, k), LENGTH);
    const lastsMs = plan.lastsMs * fastExp(plan.deviation * (z - 0.5 * plan.deviation));
    this.#busyUntil[row] = startMs + lastsMs;
    this.#released.push({
      vm: this.#rows.vm[row]!,
      releaseMs,
      startMs,
      deadlineMs: releaseMs + plan.deadlineMs,
      work: (cores * lastsMs) / SECOND,
      cores,
    });
    this.#next[row] = k + 1;
    this.#release[row] = this.#releaseOf(row, k + 1, plan);
  }

  #overlap(row: number, begin: number, end: number): number {
    return Math.max(0, Math.min(this.#busyUntil[row]!, end) - Math.max(this.#busyFrom[row]!, begin));
  }

  #releaseOf(row: number, k: number, { everyMs, atMs, jitterMs }: Schedule): number {
    return GENERATED_EPOCH + k * everyMs + atMs + jitterMs * uniformOf(this.#keyOf(row, k), JITTER);
  }

  #keyOf(row: number, k: number): number {
    return mix(this.#rows.key[row]! ^ mix(k));
  }
}

/** Users whose day is late also schedule late, to the half hour. */
function schedule(jobs: JobsConfig, phaseMs: number): Schedule {
  const half = HOUR / 2;
  return {
    everyMs: parseDuration(jobs.every),
    atMs: parseDuration(jobs.at) + half * Math.round(phaseMs / half),
    jitterMs: parseDuration(jobs.jitter),
    lastsMs: parseDuration(jobs.lasts),
    deviation: jobs.deviation,
    cores: jobs.cores,
    deadlineMs: parseDuration(jobs.deadline),
  };
}
