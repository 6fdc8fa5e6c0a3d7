import type { CommandModule } from 'yargs';
import { runStudy } from '../cluster/consolidation/study.ts';
import { commonOptions, print } from './console.ts';

/** `foresize consolidate STUDY`: energy and service of consolidation policies on hosts, as CloudSim's power package. */
export const consolidateCommand: CommandModule<object, { study: string; set: string[]; json: boolean }> = {
  command: 'consolidate <study>',
  describe: 'Compare policies of dynamic VM consolidation: energy, migrations, SLATAH, PDM',
  builder: (yargs) =>
    yargs
      .positional('study', { type: 'string', demandOption: true, describe: 'Study file (YAML).' })
      .options({
        ...commonOptions,
        set: { type: 'string', array: true, default: [], describe: 'Override a field: --set a.b=c.' },
      }) as never,
  handler: async (args) => {
    const { study, results } = await runStudy(args.study, args.set);
    if (args.json) {
      print(JSON.stringify({ name: study.name, results }));
      return;
    }
    const rows = Object.entries(results).map(([name, r]) => [
      name,
      r.energyKwh.toFixed(2),
      String(r.migrations),
      percent(r.slatah, 2),
      percent(r.pdm, 3),
      percent(r.slav, 5),
    ]);
    print(`${study.name}\n`);
    print(table([['policy', 'energy kWh', 'migrations', 'SLATAH', 'PDM', 'SLAV'], ...rows]));
  },
};

function percent(share: number, digits: number): string {
  return `${(share * 100).toFixed(digits)} %`;
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)));
  return rows
    .map((row) =>
      row.map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join('  '),
    )
    .join('\n');
}
