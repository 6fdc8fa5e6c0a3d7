import { SweepFolder } from '../../../sim/sweep/folder.ts';
import { localEngine } from '../../../sim/sweep/local-engine.ts';
import { runSweep } from '../../../sim/sweep/run-sweep.ts';
import type { Bench } from '../sweep/fixture.ts';

/** A swept folder `out`: threshold at two levels, static once. */
export async function smallSweep(here: Bench): Promise<string> {
  const sweep = here.sweep({
    axes: { 'policies.threshold.up': [1.1, 1.3], policy: ['threshold', 'static'] },
  });
  const folder = await SweepFolder.take(here.path('out'), sweep.plan, false);
  await runSweep(sweep, folder, localEngine(1));
  folder.release();
  return here.path('out');
}
