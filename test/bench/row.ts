/** One line of `npm run bench`: a figure beside the reference that was measured in the same process. */
export interface BenchRow {
  readonly name: string;
  readonly value: number;
  readonly reference: number;
  readonly unit: string;
  /** What the reference is. */
  readonly against: string;
}

/** Best of `runs` in seconds of this process's CPU time on all threads: other load on the machine counts little. */
export async function bestCpuSeconds(runs: number, work: () => unknown): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let i = 0; i < runs; i++) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 1e6);
  }
  return best;
}
