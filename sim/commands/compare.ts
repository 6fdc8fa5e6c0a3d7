import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { canonicalJson } from '../canonical-json.ts';
import { baselineOf, comparedPolicies, toComparison } from '../comparison.ts';
import { terminalReport } from '../report/terminal.ts';
import { writeReports } from '../report/write.ts';
import { runAll } from '../run-all.ts';
import { loadScenario } from '../scenario.ts';
import { Bars, interruptible, overrides, print, remark, scenarioOptions } from './console.ts';
import { DEFAULTS, printSweepComparison } from './sweep-compare.ts';

interface Args {
  scenario: string;
  threads?: number | undefined;
  set: string[];
  seed?: number | undefined;
  out: string;
  json: boolean;
  quiet: boolean;
}

/**
 * `foresize compare SCENARIO`: every policy on the same inputs, paired, with an HTML report.
 * `foresize compare FOLDER`: the configurations of a sweep, as `foresize sweep compare` with its defaults.
 */
export const compareCommand: CommandModule<object, Args> = {
  command: 'compare <scenario>',
  describe: 'Compare the policies of a scenario on the same inputs',
  builder: (yargs) =>
    yargs
      .positional('scenario', {
        type: 'string',
        demandOption: true,
        describe: 'Scenario file (YAML), or the folder of a sweep.',
      })
      .options(scenarioOptions)
      .option('threads', {
        type: 'number',
        describe: 'Worker threads; as many as cores when left out.',
      }) as never,
  handler: async (args) => {
    if (existsSync(join(args.scenario, 'plan.json'))) {
      printSweepComparison({ ...DEFAULTS, folder: args.scenario, json: args.json, quiet: args.quiet });
      return;
    }
    const sets = overrides(args);
    const { scenario } = loadScenario(args.scenario, sets);
    baselineOf(scenario);
    const policies = comparedPolicies(scenario);
    const bars = new Bars(args.quiet);
    const move = policies.map((policy) => bars.add(policy));
    const { signal, release } = interruptible();
    try {
      mkdirSync(args.out, { recursive: true });
      const done = await runAll(
        policies.map((policy) => ({ file: args.scenario, sets, policy, out: args.out })),
        {
          ...(args.threads !== undefined && { threads: args.threads }),
          onProgress: (task, { done, total }) => move[task]!(done, total),
          signal,
        },
      );
      bars.stop();
      const comparison = toComparison(
        scenario,
        done.map((run) => run.result),
      );
      const files = await writeReports(comparison, join(args.out, `compare-${comparison.id}`));
      if (args.json) print(canonicalJson(comparison));
      else {
        print(terminalReport(comparison, { color: process.stdout.isTTY === true }));
        print(`\nReport: ${files.html}`);
      }
      const reused = done.filter((run) => run.reused).length;
      if (reused > 0) remark(`${reused} of ${done.length} runs were done before and used again`, args.quiet);
    } finally {
      bars.stop();
      release();
    }
  },
};
