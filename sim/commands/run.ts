import { createWriteStream } from 'node:fs';
import type { CommandModule } from 'yargs';
import { canonicalJson } from '../canonical-json.ts';
import { executeScenario } from '../execute.ts';
import { terminalReport } from '../report/terminal.ts';
import { loadScenario } from '../scenario.ts';
import { Bars, interruptible, overrides, print, remark, scenarioOptions } from './console.ts';

interface Args {
  scenario: string;
  policy?: string | undefined;
  decisions?: string | undefined;
  set: string[];
  seed?: number | undefined;
  out: string;
  json: boolean;
  quiet: boolean;
}

/** `foresize run SCENARIO`: one policy, its measures and the hash of its decision log. */
export const runCommand: CommandModule<object, Args> = {
  command: 'run <scenario>',
  describe: 'Simulate one policy on a scenario',
  builder: (yargs) =>
    yargs
      .positional('scenario', { type: 'string', demandOption: true, describe: 'Scenario file (YAML).' })
      .options(scenarioOptions)
      .option('policy', { type: 'string', describe: "Policy to run instead of the scenario's own." })
      .option('decisions', {
        type: 'string',
        describe: 'Also write the decision log to this file.',
      }) as never,
  handler: async (args) => {
    const loaded = loadScenario(args.scenario, [
      ...overrides(args),
      ...(args.policy === undefined ? [] : [`policy=${args.policy}`]),
    ]);
    const bars = new Bars(args.quiet);
    const bar = bars.add(loaded.scenario.policy);
    const { signal, release } = interruptible();
    const log = args.decisions === undefined ? undefined : createWriteStream(args.decisions);
    try {
      const done = await executeScenario(loaded, loaded.scenario.policy, args.out, {
        onProgress: bar,
        signal,
        onDecisions: log && ((bytes) => log.write(Buffer.from(bytes))),
      });
      bars.stop();
      if (args.json) print(canonicalJson(done.result));
      else print(terminalReport(done.result, { color: process.stdout.isTTY === true }));
      remark(`${done.reused ? 'already run' : 'run files'}: ${done.folder}`, args.quiet);
    } finally {
      bars.stop();
      release();
      log?.end();
    }
  },
};
