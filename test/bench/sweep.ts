import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openScenarioWorkload, runPolicy, toExperiment } from '../../sim/experiment.ts';
import { SweepFolder } from '../../sim/sweep/folder.ts';
import { localEngine } from '../../sim/sweep/local-engine.ts';
import { Sweep } from '../../sim/sweep/plan.ts';
import { runSweep } from '../../sim/sweep/run-sweep.ts';
import { loadSweep } from '../../sim/sweep/spec.ts';
import type { BenchRow } from './row.ts';

/** Long enough, half a minute on one thread, that starting the second thread and compiling its code does not decide. */
const RUNS = 48;
/** Starting threads and making tables costs about the same for few runs as for many: what a further run costs is the slope. */
const FEW = 4;

/** Generated demand of 36 VMs for three months: about a second a run. */
const SCENARIO = {
  apiVersion: 'foresize/v1',
  name: 'A second',
  tick: '5m',
  duration: '90d',
  warmup: '1d',
  workload: {
    source: 'generated',
    applications: [{ id: 'shop', archetype: 'web', users: 12, vmsPerUser: 3 }],
  },
  policies: { threshold: { kind: 'threshold' } },
  policy: 'threshold',
};

/** What a sweep adds to its runs in CPU time, and what a second thread gains in wall time. */
export async function sweeps(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), 'foresize-bench-'));
  try {
    writeFileSync(join(folder, 'scenario.yaml'), JSON.stringify(SCENARIO));
    const sweepOf = (runs: number): Sweep => {
      const axes = { seed: { from: 1, to: runs, steps: runs, integer: true } };
      const spec = { apiVersion: 'foresize/v1', name: 'bench', scenario: 'scenario.yaml', axes };
      const file = join(folder, `${runs}.yaml`);
      writeFileSync(file, JSON.stringify(spec));
      return new Sweep(loadSweep(file));
    };
    await bare(sweepOf(FEW));
    const alone = await bare(sweepOf(RUNS));
    const few = await swept(sweepOf(FEW), join(folder, 'few'), 1);
    const one = await swept(sweepOf(RUNS), join(folder, 'one'), 1);
    const two = await swept(sweepOf(RUNS), join(folder, 'two'), 2);
    return [
      {
        name: 'sweep, a further run',
        value: (one.cpu - few.cpu) / (RUNS - FEW),
        reference: alone.cpu / RUNS,
        unit: 'CPU s',
        against: 'the simulation alone',
      },
      {
        name: 'sweep, 2 threads',
        value: RUNS / two.wall,
        reference: RUNS / one.wall,
        unit: 'runs/s',
        against: '1 thread',
      },
      {
        // On a busy machine wall time says little: with no more CPU time than one, two threads on two free cores are twice as fast.
        name: 'sweep, CPU time a run on 2 threads',
        value: two.cpu / RUNS,
        reference: one.cpu / RUNS,
        unit: 'CPU s',
        against: '1 thread',
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Times {
  /** Seconds of this process on all threads. */
  readonly cpu: number;
  readonly wall: number;
}

async function timed(work: () => Promise<unknown>): Promise<Times> {
  const cpu = process.cpuUsage();
  const wall = performance.now();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  return { cpu: (user + system) / 1e6, wall: (performance.now() - wall) / 1000 };
}

function bare(sweep: Sweep): Promise<Times> {
  return timed(async () => {
    for (const point of sweep.runs()) {
      const task = sweep.task(point);
      const experiment = toExperiment(
        { scenario: task.scenario, file: '' },
        await openScenarioWorkload(task),
      );
      await runPolicy(experiment, task.scenario.policy);
    }
  });
}

function swept(sweep: Sweep, path: string, threads: number): Promise<Times> {
  return timed(async () => {
    const folder = await SweepFolder.take(path, sweep.plan, false);
    try {
      await runSweep(sweep, folder, localEngine(threads));
    } finally {
      folder.release();
    }
  });
}
