import { lstmBench } from './lstm.ts';
import { prophetBench } from './prophet.ts';
import type { BenchRow } from './row.ts';
import { sweeps } from './sweep.ts';
import { throughput } from './throughput.ts';

/** `npm run bench`: every figure beside its reference from the same process, and their ratio. */
const suites: readonly (() => Promise<BenchRow[]>)[] = [throughput, prophetBench, lstmBench, sweeps];

const print = (line: string) => process.stdout.write(`${line}\n`);
const digits = (x: number) => x.toPrecision(3);

print(`Node ${process.version}, ${process.arch}; best of a few runs by CPU time`);
for (const suite of suites) {
  for (const { name, value, reference, unit, against } of await suite()) {
    print(
      `${name.padEnd(44)} ${digits(value).padStart(8)} ${unit.padEnd(14)} ${against}: ${digits(reference)}  ratio ${digits(value / reference)}`,
    );
  }
}
