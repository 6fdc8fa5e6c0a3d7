import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lastValueParams } from '../../../../core/forecast/last-value.ts';
import { lstmParams } from '../../../../core/forecast/lstm/params.ts';
import { seasonalNaiveParams } from '../../../../core/forecast/seasonal-naive.ts';
import { backtest } from '../../../../sim/backtest/backtest.ts';
import { pairAccuracies } from '../../../../sim/backtest/paired-accuracy.ts';
import { parseScenario } from '../../../../sim/scenario.ts';
import { loadTrace } from '../../../../sim/trace/load.ts';
import { openWorkload } from '../../../../sim/workload/open.ts';
import { tracesDir } from '../../../support.ts';

const dir = tracesDir();

/** The figures of docs/lstm.md: all VMs of each source, its whole length after a week, some two minutes each. */
for (const [trace, resources] of [
  ['azure-v1', ['cpu']],
  ['bitbrains-rnd', ['cpu', 'memory', 'diskIo', 'network']],
] as const) {
  it.skipIf(!dir)(
    `beats last-value and seasonal-naive in pinball loss at .9 and .95 on ${trace}`,
    { timeout: 1_200_000 },
    async () => {
      const path = join(dir!, trace);
      const scenario = {
        apiVersion: 'foresize/v1',
        name: 'trace',
        workload: { source: 'trace', path },
        policy: 'static',
        policies: { static: { kind: 'static' } },
      };
      const workload = await openWorkload(parseScenario(JSON.stringify(scenario), trace).workload, {
        seed: 1,
        stepMs: 300_000,
        intervals: undefined,
        baseDir: dir!,
        loadTrace,
      });
      const options = { horizon: 12, warmup: 7 * 288, every: 37, seed: 1 };
      const run = async (config: Parameters<typeof backtest>[1]['config']) =>
        (await backtest(workload, { name: config.model, config }, options)).accuracy;
      const accuracies = [
        await run({ ...lastValueParams.parse({}), model: 'last-value' }),
        await run({ ...seasonalNaiveParams.parse({}), model: 'seasonal-naive' }),
        await run({ ...lstmParams.parse({}), model: 'lstm' }),
      ];
      const differences = pairAccuracies(accuracies, ['last-value', 'seasonal-naive'], {
        level: 0.95,
        resamples: 500,
        seed: 1,
      }).filter((d) => d.model === 'lstm' && ['pinball.0.9', 'pinball.0.95'].includes(d.measure));
      expect(differences).toHaveLength(4 * resources.length);
      for (const d of differences) {
        expect(d.difference, `${d.resource} ${d.measure} against ${d.reference}`).toBeLessThan(0);
      }
      for (const resource of resources) {
        const rows = accuracies[2]!.rows[resource]!;
        const points = rows.reduce((sum, row) => sum + row.points, 0);
        const covered = rows.reduce((sum, row) => sum + row.covered[2]!, 0);
        expect(covered / points, `${resource}: coverage of .9`).toBeGreaterThan(0.88);
        expect(covered / points, `${resource}: coverage of .9`).toBeLessThan(0.92);
      }
    },
  );
}
