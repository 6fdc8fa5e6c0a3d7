import { decideBench } from './decide.ts';
import { gateBench } from './gate.ts';
import { growthBench } from './growth.ts';
import { lstmBench } from './lstm.ts';
import { prophetBench } from './prophet.ts';
import type { BenchRow } from './row.ts';
import { runsBench } from './runs.ts';
import { sweeps } from './sweep.ts';
import { throughput } from './throughput.ts';

/** What `npm run bench` measures, every figure beside its reference from the same process. */
const suites: Readonly<Record<string, () => Promise<BenchRow[]>>> = {
  throughput,
  decide: decideBench,
  prophet: prophetBench,
  lstm: lstmBench,
  sweep: sweeps,
};

/** What takes minutes and is measured when asked for: `npm run bench -- growth`. */
const onRequest: typeof suites = {
  growth: growthBench,
  runs: runsBench,
  gate: gateBench,
};

const print = (line: string) => process.stdout.write(`${line}\n`);
const digits = (x: number) => x.toPrecision(3);

const all = { ...suites, ...onRequest };
const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in all));
if (unknown.length > 0) {
  process.stderr.write(`no suite is named ${unknown.join(', ')}; there are ${Object.keys(all).join(', ')}\n`);
  process.exit(2);
}
print(`Node ${process.version}, ${process.arch}; best of a few runs by CPU time`);
for (const name of wanted.length > 0 ? wanted : Object.keys(suites)) {
  for (const { name: row, value, reference, unit, against } of await all[name]!()) {
    print(
      `${row.padEnd(44)} ${digits(value).padStart(8)} ${unit.padEnd(14)} ${against}: ${digits(reference)}  ratio ${digits(value / reference)}`,
    );
  }
}
