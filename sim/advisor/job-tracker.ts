import type { Fleet } from '../../core/fleet.ts';
import type { Disturbances } from '../../core/interval.ts';
import { CPU, grown, type PerSlot, R } from '../../core/model.ts';
import type { BatchJob } from '../workload/types.ts';

/** What became of the jobs whose deadline lay in the scored time. */
export interface JobMeasures {
  jobs: number;
  /** Not done by their deadline, though they could have been. */
  missed: number;
  /** Late even if nothing had held them back: released too late, or behind too much work of their own VM. */
  impossible: number;
}

interface Pending {
  readonly job: BatchJob;
  readonly endMs: number;
  /** CPU work the VM must have served for the job to be done, core-s; NaN until its planned end has come. */
  target: number;
}

const SECOND = 1000;
const NOBODY: ReadonlySet<number> = new Set();

/**
 * Follows jobs to their end. A VM serves its work in order, so a job is done when the VM has served as much as it was
 * to have done by the job's planned end. Within an interval demand and service are taken as even.
 */
export class JobTracker implements PerSlot {
  readonly #fleet: Fleet;
  readonly #stepMs: number;
  readonly #from: number;
  readonly #until: number;
  readonly #measures: JobMeasures = { jobs: 0, missed: 0, impossible: 0 };
  /** Cumulative work wanted and served, core-s, by slot. */
  #wanted = new Float64Array(0);
  #served = new Float64Array(0);
  /** What must be served beyond the demand: work that was lost and is done again, checkpoints. */
  #extra = new Float64Array(0);
  readonly #pending = new Map<number, Pending[]>();

  /** Counts jobs with deadlines after `from` and up to `until`, ms. */
  constructor(fleet: Fleet, stepMs: number, from: number, until: number) {
    this.#fleet = fleet;
    this.#stepMs = stepMs;
    this.#from = from;
    this.#until = until;
  }

  grow(capacity: number): void {
    this.#wanted = grown(this.#wanted, capacity);
    this.#served = grown(this.#served, capacity);
    this.#extra = grown(this.#extra, capacity);
  }

  admit(slot: number): void {
    this.#wanted[slot] = 0;
    this.#served[slot] = 0;
    this.#extra[slot] = 0;
    this.#pending.delete(slot);
  }

  announce(job: BatchJob, slot: number): void {
    const planned = job.startMs + (job.work / job.cores) * SECOND;
    const pending = { job, endMs: job.endMs ?? planned, target: Number.NaN };
    const list = this.#pending.get(slot);
    if (list) list.push(pending);
    else this.#pending.set(slot, [pending]);
  }

  /** More work for the VM: `coreS` that are done again or on top. */
  burden(slot: number, coreS: number): void {
    this.#extra[slot] = this.#extra[slot]! + coreS;
  }

  /**
   * Takes in the interval that ended at `at`.
   * @param demand as the workload had it, slot x R
   * @param disturbed tells of work given up: a job that loses work is not done
   */
  observe(at: number, demand: Float64Array, usage: Float64Array, disturbed: Disturbances): void {
    const seconds = this.#stepMs / SECOND;
    const losing = this.#pending.size > 0 ? losers(disturbed) : NOBODY;
    for (const slot of this.#fleet.slots) {
      const i = slot * R + CPU;
      const wanted = this.#wanted[slot]!;
      const served = this.#served[slot]!;
      const rate = usage[i]!;
      this.#wanted[slot] = wanted + demand[i]! * seconds;
      this.#served[slot] = served + rate * seconds;
      const list = this.#pending.size > 0 ? this.#pending.get(slot) : undefined;
      if (!list) continue;
      const lost = losing.has(i);
      const left = list.filter((pending) => {
        if (Number.isNaN(pending.target)) {
          if (pending.endMs > at && pending.job.deadlineMs > at) return true;
          const into = Math.max(0, seconds - (at - pending.endMs) / SECOND);
          pending.target = pending.endMs > at ? Number.POSITIVE_INFINITY : wanted + demand[i]! * into;
        }
        if (lost && pending.job.startMs < at) pending.target = Number.POSITIVE_INFINITY;
        const short = pending.target + this.#extra[slot]! - served;
        const done = short <= rate * seconds * (1 + 1e-9) + 1e-6;
        const begin = at - this.#stepMs;
        const doneAt = done ? Math.max(pending.endMs, begin + (rate > 0 ? (short / rate) * SECOND : 0)) : at;
        if (!done && pending.job.deadlineMs > at) return true;
        this.#close(pending.job, done ? doneAt : Number.POSITIVE_INFINITY);
        return false;
      });
      if (left.length > 0) this.#pending.set(slot, left);
      else this.#pending.delete(slot);
    }
  }

  measures(): JobMeasures {
    return this.#measures;
  }

  #close(job: BatchJob, doneAt: number): void {
    if (job.deadlineMs <= this.#from || job.deadlineMs > this.#until) return;
    this.#measures.jobs++;
    if (job.startMs + (job.work / job.cores) * SECOND > job.deadlineMs) this.#measures.impossible++;
    else if (doneAt > job.deadlineMs + SECOND) this.#measures.missed++;
  }
}

/** Indices at which work was given up. */
function losers({ count, index, dropped }: Disturbances): ReadonlySet<number> {
  const set = new Set<number>();
  for (let k = 0; k < count; k++) if (dropped[k]! > 0) set.add(index[k]!);
  return set;
}
