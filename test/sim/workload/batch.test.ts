import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CPU } from '../../../core/model.ts';
import { GENERATED_EPOCH } from '../../../sim/workload/grid.ts';
import type { BatchJob, Workload } from '../../../sim/workload/types.ts';
import { demandAt, generated, mean } from './streams.ts';

const HOUR = 3_600_000;
const STEP = 300_000;

/** CPU of VM 0 and the jobs, as the workload is run. */
function run(workload: Workload): { cpu: number[]; jobs: BatchJob[][] } {
  const stream = workload.open();
  const cpu: number[] = [];
  const jobs: BatchJob[][] = [];
  for (let t = 0; t < workload.intervals; t++) {
    stream.arrivals(t);
    cpu.push(demandAt(stream, t, [0])[CPU]!);
    jobs.push([...stream.jobs!(t)]);
  }
  return { cpu, jobs };
}

describe('batch jobs', () => {
  it('are released on schedule and keep their cores busy from start to end', async () => {
    const jobs = {
      every: '1d',
      at: '2h',
      jitter: '0s',
      lasts: '52m',
      deviation: 0,
      cores: 0.5,
      deadline: '3h',
    };
    const { cpu, jobs: released } = run(await generated([{ jobs, level: 0 }], 2 * 288));
    expect(released.flat()).toHaveLength(2);
    const [first] = released[24]!; // 02:00
    expect(first).toEqual({
      vm: 0,
      releaseMs: GENERATED_EPOCH + 2 * HOUR,
      startMs: GENERATED_EPOCH + 2 * HOUR,
      deadlineMs: GENERATED_EPOCH + 5 * HOUR,
      work: 2 * 52 * 60, // 2 of 4 cores for 52 minutes
      cores: 2,
    });
    // Ten whole intervals, and 2 minutes of the eleventh.
    expect(cpu.slice(24, 36)).toEqual([...new Array(10).fill(2), 0.8, 0]);
    expect(cpu[23]).toBe(0);
  });

  it('run one after another', async () => {
    const jobs = {
      every: '1h',
      at: '0s',
      jitter: '0s',
      lasts: '90m',
      deviation: 0,
      cores: 1,
      deadline: '3h',
    };
    const { jobs: released, cpu } = run(await generated([{ jobs, level: 0 }], 48));
    expect(released.flat().map((job) => (job.startMs - GENERATED_EPOCH) / HOUR)).toEqual([0, 1.5, 3, 4.5]);
    expect(new Set(cpu)).toEqual(new Set([4]));
  });

  it('as many as the schedule says, each as long as its distribution says', async () => {
    const jobs = {
      every: '2h',
      at: '30m',
      jitter: '1h',
      lasts: '20m',
      deviation: 0.5,
      cores: 0.5,
      deadline: '1h',
    };
    const { jobs: released } = run(await generated([{ jobs, vmsPerUser: 20, level: 0 }], 30 * 288));
    const all = released.flat();
    // 30 days of 12 for each of 20 VMs; 0.5 h + [0, 1) h after the even hour, so none is cut off at either end.
    expect(all).toHaveLength(20 * 360);
    const minutes = all.map((job) => job.work / job.cores / 60);
    expect(mean(minutes)).toBeCloseTo(20, 0); // s.e. 20 x 0.53 / sqrt(7200) = 0.13
    const late = all.map((job) => (((job.releaseMs - GENERATED_EPOCH) / HOUR) % 2) - 0.5);
    expect(Math.min(...late)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...late)).toBeLessThan(1);
    expect(mean(late)).toBeCloseTo(0.5, 1);
  });

  it('demand adds up to the work, whatever the schedule', async () => {
    const minutes = (from: number, to: number) => fc.integer({ min: from, max: to });
    await fc.assert(
      fc.asyncProperty(
        minutes(7, 300),
        minutes(1, 60),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(100),
        async (every, lasts, deviation, seed) => {
          const jobs = {
            every: `${every}m`,
            at: '0s',
            jitter: `${every}m`,
            lasts: `${lasts}m`,
            deviation,
            cores: 0.75,
            deadline: '1h',
          };
          const { cpu, jobs: released } = run(await generated([{ jobs, level: 0 }], 288, {}, seed));
          const end = GENERATED_EPOCH + 288 * STEP;
          const work = released.flat().reduce((sum, job) => {
            const runs = Math.min(end, job.startMs + (job.work / job.cores) * 1000) - job.startMs;
            return sum + Math.max(0, runs / 1000) * job.cores;
          }, 0);
          const demand = cpu.reduce((sum, x) => sum + x * 300, 0);
          expect(demand).toBeCloseTo(work, 4);
          released.forEach((jobs, t) => {
            for (const job of jobs) {
              expect(job.releaseMs).toBeGreaterThanOrEqual(GENERATED_EPOCH + t * STEP);
              expect(job.releaseMs).toBeLessThan(GENERATED_EPOCH + (t + 1) * STEP);
              expect(job.startMs).toBeGreaterThanOrEqual(job.releaseMs);
            }
          });
        },
      ),
      { numRuns: 30 },
    );
  });
});
