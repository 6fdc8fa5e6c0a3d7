import type { CommandModule } from 'yargs';
import { openExperiment } from '../experiment.ts';
import { gatesJsonSchema } from '../promote/gates-spec.ts';
import { loadScenario, scenarioJsonSchema } from '../scenario.ts';
import { commonOptions, overrides, print, scenarioOptions } from './console.ts';

/** `foresize validate SCENARIO`: every problem at once, or what the scenario comes to. */
export const validateCommand: CommandModule<
  object,
  { scenario: string; set: string[]; seed?: number | undefined; json: boolean }
> = {
  command: 'validate <scenario>',
  describe: 'Check a scenario and its workload without running it',
  builder: (yargs) =>
    yargs.positional('scenario', { type: 'string', demandOption: true }).options(scenarioOptions) as never,
  handler: async (args) => {
    const loaded = loadScenario(args.scenario, overrides(args));
    const { workload, warmupTicks } = await openExperiment(loaded);
    const facts = {
      name: loaded.scenario.name,
      policies: Object.keys(loaded.scenario.policies),
      ticks: workload.intervals,
      warmupTicks,
      vmsAtStart: workload.open().arrivals(0).length,
    };
    if (args.json) print(JSON.stringify(facts));
    else {
      print(
        `${args.scenario} is valid: ${facts.vmsAtStart} VMs at the start, ${facts.ticks} ticks of ${loaded.scenario.tick} (${facts.warmupTicks} warm-up), policies ${facts.policies.join(', ')}`,
      );
    }
  },
};

const SCHEMAS = { scenario: scenarioJsonSchema, gates: gatesJsonSchema } as const;

/** `foresize schema [OF]`: the JSON Schema of scenario or gates files, for editors. */
export const schemaCommand: CommandModule<object, { of: keyof typeof SCHEMAS; json: boolean }> = {
  command: 'schema [of]',
  describe: 'Print the JSON Schema of scenario files, or of gates files for promote',
  builder: (yargs) =>
    yargs
      .positional('of', { choices: Object.keys(SCHEMAS), default: 'scenario', describe: 'Kind of file.' })
      .options(commonOptions) as never,
  handler: ({ of }) => print(JSON.stringify(SCHEMAS[of](), null, 2)),
};
