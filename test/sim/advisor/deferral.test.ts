import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Deferral, DeferredWork } from '../../../sim/advisor/deferral.ts';
import type { BatchJob } from '../../../sim/workload/types.ts';

const HOUR = 3_600_000;
/** Ticks of an hour from midnight; work runs in the hours named, on 2 cores above a base of 1. */
const plan = (hours: readonly number[], withinHours: number): Deferral => ({
  allowed: Array.from({ length: 24 }, (_, h) => hours.includes(h)),
  base: [1, 100, 10, 10],
  most: [2, 500, 100, 100],
  withinMs: withinHours * HOUR,
});

/** Runs a demand of cores (base 1 included) through a plan; memory is 100 at rest and 300 with work. */
function run(work: DeferredWork, cores: readonly number[], jobs: readonly BatchJob[] = []) {
  const out = { cpu: [] as number[], memory: [] as number[], closed: [] as BatchJob[] };
  cores.forEach((c, t) => {
    for (const job of jobs) if (Math.floor(job.releaseMs / HOUR) === t) work.release(job);
    const row = Float64Array.of(c, c > 1 ? 300 : 100, 10 * c, 10 * c);
    work.apply(t, row, 0);
    out.cpu.push(row[0]!);
    out.memory.push(row[1]!);
    out.closed.push(...work.closed((t + 1) * HOUR));
  });
  return out;
}

describe('deferred work', () => {
  it('waits for its hours, then runs on the cores it has, with its memory', () => {
    // 2 + 1 core-hours above the base at 0:00 and 1:00 run at 3:00 and 4:00, on two cores.
    const out = run(new DeferredWork(plan([3, 4], 12), 0, HOUR), [3, 2, 1, 1, 1, 1]);
    expect(out.cpu).toEqual([1, 1, 1, 3, 2, 1]);
    expect(out.memory).toEqual([100, 100, 100, 300, 300, 100]);
  });

  it('runs just in time where its hours come too late', () => {
    // Two core-hours at 0:00, to be done within 3 h of the end of it: by 4:00, so in the hour from 3:00.
    const out = run(new DeferredWork(plan([8], 3), 0, HOUR), [3, 1, 1, 1, 1, 1]);
    expect(out.cpu).toEqual([1, 1, 1, 3, 1, 1]);
  });

  const job = (deadlineHour: number): BatchJob => ({
    vm: 0,
    releaseMs: 0,
    startMs: 0,
    deadlineMs: deadlineHour * HOUR,
    work: 2 * 3600,
    cores: 2,
  });

  it('keeps the deadline of its job, and tells when it is done', () => {
    const out = run(new DeferredWork(plan([3], 0), 0, HOUR), [3, 1, 1, 1, 1], [job(5)]);
    expect(out.cpu).toEqual([1, 1, 1, 3, 1]);
    expect(out.closed.map(({ endMs }) => endMs)).toEqual([4 * HOUR]);
  });

  it('does not wait when the deadline is past already', () => {
    const out = run(new DeferredWork(plan([3], 0), 0, HOUR), [3, 1, 1, 1], [job(-1)]);
    expect(out.cpu).toEqual([3, 1, 1, 1]);
    expect(out.closed).toHaveLength(1);
  });

  it('leaves noise between jobs where it is', () => {
    const out = run(new DeferredWork(plan([3], 0), 0, HOUR), [3, 1.5, 1, 1, 1], [job(5)]);
    expect(out.cpu).toEqual([1, 1.5, 1, 3, 1]);
  });

  it('is all done, none before it came, and in time', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 60 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 1, max: 20 }),
        (excess, hours, within) => {
          const cores = [...excess.map((x) => 1 + x), ...new Array<number>(within + 1).fill(1)];
          const { cpu } = run(new DeferredWork(plan(hours, within), 0, HOUR), cores);
          let came = 0;
          let done = 0;
          const cameBy: number[] = [];
          cpu.forEach((c, t) => {
            came += cores[t]! - 1;
            done += c - 1;
            cameBy.push(came);
            expect(c).toBeLessThanOrEqual(3 + 1e-9);
            expect(done).toBeLessThanOrEqual(came + 1e-9);
            // What came by the end of tick t - within is done by the end of tick t.
            if (t >= within) expect(done).toBeGreaterThanOrEqual(cameBy[t - within]! - 1e-9);
          });
          expect(done).toBeCloseTo(came, 9);
        },
      ),
    );
  });
});
