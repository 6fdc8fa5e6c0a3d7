import { fileURLToPath } from 'node:url';
import { measure } from '../../sim/gate/figures.ts';
import { failed, judge, toBaseline } from '../../sim/gate/judge.ts';
import { loadBench } from '../../sim/gate/spec.ts';
import { type BenchRow, bestCpuSeconds } from './row.ts';

const TRIES = 20;

/**
 * This project's own gate, timing and all: 20 runs of it with nothing changed, and 20 with prices 3 % higher, against
 * one baseline made before. The references are what ought to come of them.
 */
export async function gateBench(): Promise<BenchRow[]> {
  const spec = loadBench(fileURLToPath(new URL('../../../scenarios/gate.yaml', import.meta.url)));
  const baseline = toBaseline(spec.value, await measure(spec), []);
  const costs = Object.keys(baseline.measures).filter((key) => key.endsWith('/cost_per_vm_day'));
  // Costs that are 3 % above a baseline: the baseline is that much below them.
  const dearer = structuredClone(baseline);
  for (const key of costs) dearer.measures[key]!.value = dearer.measures[key]!.value! / 1.03;
  let alarms = 0;
  let caught = 0;
  let slowest = 0;
  const seconds = await bestCpuSeconds(1, async () => {
    for (let i = 0; i < TRIES; i++) {
      const figures = await measure(spec);
      const findings = await judge(baseline, figures);
      alarms += failed(findings).length;
      for (const { measure: name, baseline: value, current } of findings) {
        if (name === 'time') slowest = Math.max(slowest, current! / value!);
      }
      const found = failed(await judge(dearer, figures));
      if (costs.every((cost) => found.some(({ key }) => `${key}/cost_per_vm_day` === cost))) caught++;
    }
  });
  return [
    {
      name: 'gate, alarms in 20 unchanged runs',
      value: alarms,
      reference: 1,
      unit: 'alarms',
      against: 'one',
    },
    {
      name: 'gate, runs of 20 where all costs are caught',
      value: caught,
      reference: TRIES,
      unit: 'runs',
      against: 'all',
    },
    {
      name: 'gate, largest time of the unchanged',
      value: slowest,
      reference: 1,
      unit: 'of baseline',
      against: 'baseline',
    },
    { name: 'gate, a run', value: seconds / TRIES, reference: 1, unit: 'CPU s', against: 'a second' },
  ];
}
