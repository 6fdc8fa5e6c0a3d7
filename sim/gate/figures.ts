import { join } from 'node:path';
import { ForesizeError } from '../../core/errors.ts';
import { openExperiment, runPolicy } from '../experiment.ts';
import { flatRun } from '../flat-measures.ts';
import { loadScenario } from '../scenario.ts';
import type { Spec } from '../sweep/spec.ts';
import { GATED } from './measures.ts';
import type { BenchSpec } from './spec.ts';
import { Stopwatch } from './timing.ts';

/** One policy of one case, measured. */
export interface Figures {
  /** `case/policy`. */
  readonly key: string;
  readonly backend: string;
  /** By the names of `GATED`; null where a resource is not managed. */
  readonly measures: Readonly<Record<string, number | null>>;
  /** CPU time over that of the reference loop; undefined where timing is off. */
  readonly ratio: number | undefined;
  /** Measures the time further and gives the ratio by then. */
  again(): Promise<number | undefined>;
}

/** Runs every case, one policy after the other. */
export async function measure(
  spec: Spec<BenchSpec>,
  options: { onProgress?: (done: number, total: number, key: string) => void; signal?: AbortSignal } = {},
): Promise<Figures[]> {
  const jobs = Object.entries(spec.value.cases).flatMap(([name, { scenario, set, policies }]) => {
    const sets = Object.entries(set).map(([path, value]) => `${path}=${JSON.stringify(value)}`);
    const loaded = loadScenario(join(spec.baseDir, scenario), [...sets, 'record.vms=0']);
    const known = Object.keys(loaded.scenario.policies);
    for (const policy of policies ?? []) {
      if (known.includes(policy)) continue;
      throw new ForesizeError({
        code: 'BENCH_POLICY',
        what: `no policy is named '${policy}'; known: ${known.join(', ')}`,
        where: spec.place(['cases', name, 'policies']),
        remedy: 'correct the name, or add the policy under set',
      });
    }
    return (policies ?? known).map((policy) => ({ name, loaded, policy }));
  });
  const { timing } = spec.value;
  const figures: Figures[] = [];
  for (const [i, { name, loaded, policy }] of jobs.entries()) {
    const key = `${name}/${policy}`;
    options.onProgress?.(i, jobs.length, key);
    const experiment = await openExperiment(loaded, { ...(options.signal && { signal: options.signal }) });
    const run = () => runPolicy(experiment, policy, { signal: options.signal });
    // The first run also warms up the compiler; it is not timed.
    const { result } = await run();
    const flat = flatRun(result);
    const stopwatch = new Stopwatch();
    const again = async () => {
      if (timing === false) return undefined;
      await stopwatch.more(timing.repeats, run);
      return stopwatch.ratio;
    };
    figures.push({
      key,
      backend: result.backend,
      measures: Object.fromEntries(Object.keys(GATED).map((measure) => [measure, flat[measure] ?? null])),
      ratio: await again(),
      again,
    });
  }
  options.onProgress?.(jobs.length, jobs.length, '');
  return figures;
}
