import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandModule } from 'yargs';
import { ForesizeError } from '../../core/errors.ts';
import { readAdvice } from '../advisor/run-source.ts';
import { toComparison } from '../comparison.ts';
import { writeReports } from '../report/write.ts';
import { readRun } from '../run-folder.ts';
import { parseScenario } from '../scenario.ts';
import { commonOptions, print } from './console.ts';

/** `foresize report RUN...`: reports of runs that were done before, alone or compared. */
export const reportCommand: CommandModule<
  object,
  { runs: string[]; out?: string | undefined; json: boolean }
> = {
  command: 'report <runs..>',
  describe: 'Write the HTML, Markdown and JSON report of one or more run folders',
  builder: (yargs) =>
    yargs
      .positional('runs', {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'Run folders (out/<id>).',
      })
      .options(commonOptions)
      .option('out', {
        type: 'string',
        describe: 'Folder for the report; beside the first run when left out.',
      }) as never,
  handler: async (args) => {
    const results = args.runs.map((folder) => {
      const id = folder.replace(/\/+$/, '').split('/').at(-1)!;
      const result = readRun(dirname(folder.replace(/\/+$/, '')), id);
      if (result) return result;
      throw new ForesizeError({
        code: 'RUN_UNREADABLE',
        what: 'no complete run is here',
        where: folder,
        remedy: 'name a folder out/<id> that `foresize run` or `foresize compare` wrote',
      });
    });
    const first = args.runs[0]!.replace(/\/+$/, '');
    const scenario = parseScenario(
      readFileSync(join(first, 'scenario.yaml'), 'utf8'),
      join(first, 'scenario.yaml'),
    );
    const names = results.map((run) => run.policy);
    const baseline = scenario.compare.baseline;
    const { baseline: _, ...compare } = scenario.compare;
    const comparison = toComparison(
      {
        ...scenario,
        compare: { ...compare, policies: names, ...(baseline && names.includes(baseline) && { baseline }) },
      },
      results,
    );
    const files = await writeReports(
      comparison,
      args.out ?? join(dirname(first), `compare-${comparison.id}`),
      readAdvice(first),
    );
    if (args.json) print(JSON.stringify(files));
    else print(`Report: ${files.html}\n        ${files.markdown}\n        ${files.json}`);
  },
};
