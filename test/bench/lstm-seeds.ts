import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { type ForecastConfig, forecastSchema } from '../../core/config.ts';
import type { Resource } from '../../core/model.ts';
import type { ModelAccuracy } from '../../sim/backtest/accuracy.ts';
import { QUANTILES } from '../../sim/backtest/accuracy.ts';
import { backtest } from '../../sim/backtest/backtest.ts';
import { pairAccuracies } from '../../sim/backtest/paired-accuracy.ts';
import { parseScenario } from '../../sim/scenario.ts';
import { loadTrace } from '../../sim/trace/load.ts';
import { openWorkload } from '../../sim/workload/open.ts';
import type { Workload } from '../../sim/workload/types.ts';
import { tracesDir } from '../support.ts';

/**
 * `node dist/test/bench/lstm-seeds.js [TRACE] [SEEDS]`: the LSTM on the half of a trace's VMs whose id's SHA-256 begins
 * with an odd byte, for each seed the paired difference to last-value and seasonal-naive and the coverage, and the span
 * over seeds. The figures of docs/lstm.md.
 */
const [trace = 'azure-v1', seeds = '5'] = process.argv.slice(2);
const REFERENCES = ['last-value', 'seasonal-naive'] as const;
const TAUS = [0.9, 0.95] as const;

const print = (line: string) => process.stdout.write(`${line}\n`);
const signed = (x: number) => `${x < 0 ? '' : '+'}${x.toFixed(3)}`;
const config = (model: string): ForecastConfig => forecastSchema.parse({ model });

/** Only the VMs that are held out. */
function heldOut(workload: Workload): Workload {
  const isHeldOut = (vmId: string) => createHash('sha256').update(vmId).digest()[0]! % 2 === 1;
  return {
    ...workload,
    open() {
      const stream = workload.open();
      return {
        arrivals: (t) => stream.arrivals(t).filter(({ spec }) => isHeldOut(spec.vmId)),
        demand: (...to) => stream.demand(...to),
      };
    },
  };
}

async function open(dir: string): Promise<Workload> {
  const scenario = {
    apiVersion: 'foresize/v1',
    name: 'trace',
    workload: { source: 'trace', path: join(dir, trace) },
    policy: 'static',
    policies: { static: { kind: 'static' } },
  };
  const { workload } = parseScenario(JSON.stringify(scenario), trace);
  const options = { seed: 1, stepMs: 300_000, intervals: undefined, baseDir: dir, loadTrace };
  return heldOut(await openWorkload(workload, options));
}

async function accuracyOf(workload: Workload, model: string, seed: number): Promise<ModelAccuracy> {
  const options = { horizon: 12, warmup: 7 * 288, every: 37, seed };
  return (await backtest(workload, { name: model, config: config(model) }, options)).accuracy;
}

function coverage({ rows }: ModelAccuracy, resource: Resource, tau: (typeof TAUS)[number]): number {
  const q = QUANTILES.indexOf(tau);
  const all = rows[resource]!;
  const points = all.reduce((sum, row) => sum + row.points, 0);
  return all.reduce((sum, row) => sum + row.covered[q]!, 0) / points;
}

const dir = tracesDir();
if (!dir) throw new Error('FORESIZE_TRACES names no folder of traces');
const workload = await open(dir);
const references = await Promise.all(REFERENCES.map((model) => accuracyOf(workload, model, 1)));
const spans = new Map<string, number[]>();
for (let seed = 1; seed <= Number(seeds); seed++) {
  const lstm = await accuracyOf(workload, 'lstm', seed);
  const differences = pairAccuracies([...references, lstm], REFERENCES, {
    level: 0.95,
    resamples: 2000,
    seed: 1,
  });
  for (const { model, reference, resource, measure, difference, relative, low, high, vms } of differences) {
    const tau = TAUS.find((t) => measure === `pinball.${t}`);
    if (model !== 'lstm' || tau === undefined) continue;
    const name = `${trace} ${resource} .${String(tau).slice(2)} against ${reference}`;
    const span = spans.get(name) ?? [];
    span.push(100 * relative);
    spans.set(name, span);
    print(
      `seed ${seed}, ${vms} VMs, ${name}: ${(100 * relative).toFixed(1)} %, ${signed(difference)} [${signed(low!)}, ${signed(high!)}], coverage ${coverage(lstm, resource, tau).toFixed(3)}`,
    );
  }
}
for (const [name, values] of spans) {
  print(`${name}: ${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)} % over seeds`);
}
