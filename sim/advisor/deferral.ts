import type { ChangeOf } from '../../core/cost/change.ts';
import { toVector } from '../../core/cost/change.ts';
import { HOUR } from '../../core/duration.ts';
import { CPU, DISK_IO, MEMORY, NETWORK, R, type ResourceVector } from '../../core/model.ts';
import type { BatchJob, Workload } from '../workload/types.ts';

/** Memory this much above the base is still held for work that has been done. */
const TAIL = 1.1;
const NOTHING = 1e-9;

export interface Deferral {
  /** Hours of the day in which deferred work runs. */
  readonly allowed: readonly boolean[];
  readonly base: ResourceVector;
  /** What work that waited takes at most above the base. */
  readonly most: ResourceVector;
  /** Work may be done so much later, ms, where no job says; 0: only jobs wait. */
  readonly withinMs: number;
}

/** Plans by VM id of what the changes defer. @param withinMs by application */
export function deferrals(
  changes: readonly ChangeOf<'shift'>[],
  withinMs: (application: string) => number,
): Map<string, Deferral> {
  const plans = new Map<string, Deferral>();
  for (const { application, hours, vms } of changes) {
    const allowed = Array.from({ length: 24 }, (_, hour) => hours.includes(hour));
    for (const [vmId, { base, most }] of Object.entries(vms)) {
      plans.set(vmId, {
        allowed,
        base: toVector(base),
        most: toVector(most),
        withinMs: withinMs(application),
      });
    }
  }
  return plans;
}

interface Job {
  readonly job: BatchJob;
  readonly plannedMs: number;
  /** Pieces of work that wait. */
  waiting: number;
  /** When its last piece was done, where one of them waited. */
  doneMs: number;
}

/** The work of one interval: what a VM would have done above its base, and what went with it. */
interface Piece {
  readonly work: number;
  left: number;
  readonly memory: number;
  readonly diskIo: number;
  readonly network: number;
  /** Must be done by then; Infinity for memory that is held and no work. */
  readonly latestMs: number;
  readonly jobs: readonly Job[];
  readonly tick: number;
}

/**
 * The deferrable work of one VM, in order. Work above the base waits for the allowed hours, then runs on at most
 * `cores`; disk, network and memory go with it. It never waits so long that what is queued could not be done in time on
 * those cores, so a deadline that could be met still is; work that is late already runs at once.
 */
export class DeferredWork {
  readonly #plan: Deferral;
  readonly #epochMs: number;
  readonly #stepMs: number;
  #queue: Piece[] = [];
  #jobs: Job[] = [];
  #hasJobs = false;

  constructor(plan: Deferral, epochMs: number, stepMs: number) {
    this.#plan = plan;
    this.#epochMs = epochMs;
    this.#stepMs = stepMs;
  }

  release(job: BatchJob): void {
    this.#hasJobs = true;
    const plannedMs = job.endMs ?? job.startMs + (job.work / job.cores) * 1000;
    this.#jobs.push({ job, plannedMs, waiting: 0, doneMs: 0 });
  }

  /** Replaces the demand of interval t in out[at .. at + R). Call once for every t. */
  apply(t: number, out: Float64Array, at: number): void {
    const { base } = this.#plan;
    const end = this.#epochMs + (t + 1) * this.#stepMs;
    const seconds = this.#stepMs / 1000;
    const excess = Math.max(0, out[at + CPU]! - base[CPU]);
    const jobs = this.#jobs.filter(
      ({ job, plannedMs }) => job.startMs < end && plannedMs > end - this.#stepMs,
    );
    const latestMs = this.#latest(end, jobs);
    const isWork = excess > NOTHING && latestMs > Number.NEGATIVE_INFINITY;
    const isTail = !isWork && this.#queue.length > 0 && out[at + MEMORY]! > TAIL * base[MEMORY];
    if (!isWork && !isTail && this.#queue.length === 0) return;
    if (isWork || isTail)
      this.#push(t, out, at, isWork ? excess : 0, isWork ? latestMs : Infinity, isWork ? jobs : []);
    const from = this.#queue[0]?.tick ?? t;
    const done = this.#run(t, end, seconds);
    // What is neither deferred nor done now stays where it was: noise between jobs.
    out[at + CPU] = (isWork ? base[CPU] : out[at + CPU]!) + done.work / seconds;
    if (isWork || isTail) {
      for (const r of [DISK_IO, NETWORK]) out[at + r] = Math.min(out[at + r]!, base[r]!);
      if (from < t || !done.touched) out[at + MEMORY] = Math.min(out[at + MEMORY]!, base[MEMORY]);
    }
    out[at + DISK_IO] = out[at + DISK_IO]! + done.diskIo / seconds;
    out[at + NETWORK] = out[at + NETWORK]! + done.network / seconds;
    out[at + MEMORY] = Math.max(out[at + MEMORY]!, done.memory);
  }

  /** Jobs that were finished, or failed to be, in the interval that ends at `end`. */
  closed(end: number): BatchJob[] {
    const closed: BatchJob[] = [];
    this.#jobs = this.#jobs.filter((entry) => {
      const { job, plannedMs, waiting, doneMs } = entry;
      const done = waiting === 0 && plannedMs <= end;
      if (!done && job.deadlineMs > end) return true;
      closed.push({ ...job, endMs: done ? Math.max(plannedMs, doneMs) : Number.POSITIVE_INFINITY });
      return false;
    });
    return closed;
  }

  #latest(end: number, jobs: readonly Job[]): number {
    if (!this.#hasJobs) {
      return this.#plan.withinMs > 0 ? end + this.#plan.withinMs : Number.NEGATIVE_INFINITY;
    }
    if (jobs.length === 0) return Number.NEGATIVE_INFINITY;
    const deadline = Math.min(...jobs.map(({ job }) => job.deadlineMs));
    // Done by the last boundary before it.
    return deadline - ((((deadline - this.#epochMs) % this.#stepMs) + this.#stepMs) % this.#stepMs);
  }

  #push(t: number, out: Float64Array, at: number, excess: number, latestMs: number, jobs: Job[]): void {
    const seconds = this.#stepMs / 1000;
    const over = (r: number) => Math.max(0, out[at + r]! - this.#plan.base[r]!) * seconds;
    for (const job of jobs) job.waiting++;
    this.#queue.push({
      work: excess * seconds,
      left: excess * seconds,
      memory: out[at + MEMORY]!,
      diskIo: over(DISK_IO),
      network: over(NETWORK),
      latestMs,
      jobs,
      tick: t,
    });
  }

  /** Work that must be done in the interval that ends at `end` if all is to be in time on the cores there are, core-s. */
  #required(end: number): number {
    const cores = this.#plan.most[CPU];
    let sum = 0;
    let required = 0;
    for (const { left, latestMs } of this.#queue) {
      sum += left;
      required = Math.max(required, sum - (cores * Math.max(0, latestMs - end)) / 1000);
    }
    return required;
  }

  #run(t: number, end: number, seconds: number) {
    const { allowed, most } = this.#plan;
    const isAllowed = allowed[Math.floor((end - this.#stepMs) / HOUR) % 24]!;
    const done = { work: 0, diskIo: 0, network: 0, memory: 0, touched: false };
    const required = this.#required(end);
    const budget = isAllowed ? Math.max(required, most[CPU] * seconds) : required;
    while (this.#queue.length > 0) {
      const piece = this.#queue[0]!;
      // Memory held after work that was moved: one interval of it at a time, after the work.
      if (piece.work === 0 && (done.touched || !isAllowed)) break;
      let part = Math.min(budget - done.work, piece.left);
      if (done.work >= required && done.touched) {
        const room = (r: 2 | 3, used: number, whole: number) =>
          whole > 0 ? (Math.max(0, most[r] * seconds - used) / whole) * piece.work : Infinity;
        part = Math.min(
          part,
          room(DISK_IO, done.diskIo, piece.diskIo),
          room(NETWORK, done.network, piece.network),
        );
      }
      if (piece.work > 0 && part <= NOTHING * piece.work) break;
      const share = piece.work > 0 ? part / piece.work : 1;
      piece.left -= part;
      done.work += part;
      done.diskIo += share * piece.diskIo;
      done.network += share * piece.network;
      done.memory = Math.max(done.memory, piece.memory);
      done.touched = true;
      if (piece.left > NOTHING * piece.work) break;
      this.#queue.shift();
      for (const job of piece.jobs) {
        job.waiting--;
        if (piece.tick < t) job.doneMs = Math.max(job.doneMs, end);
      }
    }
    return done;
  }
}

/** A workload whose deferrable work runs when the plans say. */
export function deferWork(workload: Workload, plans: ReadonlyMap<string, Deferral>): Workload {
  const { epochMs, stepMs } = workload;
  return {
    name: workload.name,
    epochMs,
    stepMs,
    intervals: workload.intervals,
    open() {
      const stream = workload.open();
      const byVm = new Map<number, DeferredWork>();
      return {
        arrivals(t) {
          const arrivals = stream.arrivals(t);
          for (const { vm, spec } of arrivals) {
            const plan = plans.get(spec.vmId);
            if (plan) byVm.set(vm, new DeferredWork(plan, epochMs, stepMs));
          }
          for (const job of stream.jobs?.(t) ?? []) byVm.get(job.vm)?.release(job);
          return arrivals;
        },
        demand(t, count, vm, slot, out) {
          stream.demand(t, count, vm, slot, out);
          for (let k = 0; k < count; k++) byVm.get(vm[k]!)?.apply(t, out, slot[k]! * R);
        },
        jobs(t) {
          const others = (stream.jobs?.(t) ?? []).filter(({ vm }) => !byVm.has(vm));
          const end = epochMs + (t + 1) * stepMs;
          return [...others, ...[...byVm.values()].flatMap((work) => work.closed(end))];
        },
      };
    },
  };
}
