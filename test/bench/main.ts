import { lstmBench } from './lstm.ts';
import { prophetBench } from './prophet.ts';
import type { BenchRow } from './row.ts';
import { throughput } from './throughput.ts';

/** `npm run bench`: every figure beside its reference from the same process, and their ratio. */
const suites: readonly (() => Promise<BenchRow[]>)[] = [throughput, prophetBench, lstmBench];

const digits = (x: number) => x.toPrecision(3);
process.stdout.write(`Node ${process.version}, ${process.arch}; best of a few runs by CPU time\n`);
for (const suite of suites) {
  for (const { name, value, reference, unit, against } of await suite()) {
    process.stdout.write(
      `${name.padEnd(44)} ${digits(value).padStart(8)} ${unit.padEnd(14)} ${against}: ${digits(reference)}  ratio ${digits(value / reference)}\n`,
    );
  }
}
