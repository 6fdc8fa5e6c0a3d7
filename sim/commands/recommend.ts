import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { CommandModule } from 'yargs';
import type { ControllerConfig } from '../../core/config.ts';
import { ADVICE_KINDS } from '../../core/cost/params.ts';
import type { Advice } from '../../core/cost/recommendation.ts';
import { formatDuration, parseDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';
import { type HistoryColumns, recommendFromHistory } from '../advisor/from-history.ts';
import { type AdviseOptions, advise } from '../advisor/recommend.ts';
import { applyAdvice, experimentOfRun, openRun, readAdvice, writeAdvice } from '../advisor/run-source.ts';
import { adviceText } from '../advisor/text.ts';
import { readTicksHistory } from '../advisor/ticks-history.ts';
import { htmlReport } from '../report/html.ts';
import { API_VERSION, loadScenario, parseScenario, type Scenario } from '../scenario.ts';
import { Bars, commonOptions, interruptible, print, remark } from './console.ts';

/** What a daemon's journal saw, and the configuration that decided there. */
export interface JournalHistory {
  readonly columns: HistoryColumns;
  readonly controller: ControllerConfig;
}

/** Reads a daemon's journal; undefined where the path is none. */
export type JournalReader = (path: string) => Promise<JournalHistory | undefined>;

interface Args {
  source: string;
  scenario?: string | undefined;
  base: string;
  kinds?: string[] | undefined;
  set: string[];
  withheld: boolean;
  json: boolean;
  quiet: boolean;
}

interface ApplyArgs {
  run: string;
  ids?: string | undefined;
  out: string;
  base: string;
  quiet: boolean;
}

const base = {
  type: 'string',
  default: '.',
  describe: "Folder that relative paths of the run's scenario start from.",
} as const;

/**
 * `foresize recommend RUN|JOURNAL`: where the fleet could cost less, each replayed on the recorded inputs.
 * @param readJournal how the composition root reads what only the live side can
 */
export function recommendCommandWith(readJournal?: JournalReader): CommandModule {
  return {
    command: 'recommend',
    describe: 'Find ways to spend less, each replayed on the recorded history',
    builder: (yargs) =>
      yargs
        .command(applyCommand as unknown as CommandModule)
        .command(giveCommand(readJournal) as unknown as CommandModule),
    handler: () => {},
  };
}

function giveCommand(readJournal: JournalReader | undefined): CommandModule<object, Args> {
  return {
    command: '$0 <source>',
    describe: 'Recommend, for a run folder, a journal, or the ticks.parquet of a run',
    builder: (yargs) =>
      yargs
        .positional('source', { type: 'string', demandOption: true, describe: 'Run folder or journal.' })
        .options({
          ...commonOptions,
          base,
          scenario: {
            type: 'string',
            describe: 'For a history without one: the scenario whose prices, policies and tolerances hold.',
          },
          kinds: {
            type: 'string',
            array: true,
            choices: ADVICE_KINDS,
            describe: 'Only advice of these kinds.',
          },
          set: {
            type: 'string',
            array: true,
            default: [] as string[],
            describe: 'Override a field of the scenario: --set advisor.margin=0.2 (repeatable).',
          },
          withheld: { type: 'boolean', default: false, describe: 'Also tell what is withheld, and why.' },
        }) as never,
    handler: async (args) => {
      const bars = new Bars(args.quiet);
      const bar = bars.add('replays');
      const { signal, release } = interruptible();
      try {
        const options = { signal, onReplay: (done: number, total: number) => bar(done, total) };
        const { advice, files } = await recommend(args, readJournal, options);
        bars.stop();
        if (args.json) print(JSON.stringify(advice, null, 2));
        else print(adviceText(advice, args.withheld));
        for (const file of files) remark(`written: ${file}`, args.quiet);
      } finally {
        bars.stop();
        release();
      }
    },
  };
}

async function recommend(
  args: Args,
  readJournal: JournalReader | undefined,
  options: AdviseOptions,
): Promise<{ advice: Advice; files: string[] }> {
  const sets = [...args.set, ...(args.kinds ? [`advisor.kinds=[${args.kinds.join(',')}]`] : [])];
  if (isTicks(args.source)) {
    const { scenario } = loadScenario(needScenario(args), sets);
    const columns = await readTicksHistory(args.source, parseDuration(scenario.tick, 'tick'));
    return { advice: await recommendFromHistory(columns, scenario, options), files: [] };
  }
  const journal = await readJournal?.(args.source);
  if (journal) {
    const scenario =
      args.scenario === undefined ? scenarioOf(journal, sets) : loadScenario(args.scenario, sets).scenario;
    const advice = await recommendFromHistory(journal.columns, scenario, options);
    // The daemon shows it from there.
    return { advice, files: [writeAdvice(args.source, advice)] };
  }
  const source = openRun(args.source, args.base, sets);
  const advice = await advise(await experimentOfRun(source), { ...options, run: source.result.id });
  const page = join(source.folder, 'advice.html');
  const files = [writeAdvice(source.folder, advice), page];
  writeFileSync(page, htmlReport(source.result, advice));
  return { advice, files };
}

function isTicks(source: string): boolean {
  return source.endsWith('.parquet') && (statSync(source, { throwIfNoEntry: false })?.isFile() ?? false);
}

/** What decides in the daemon, with its prices, as a scenario; the workload is the history. */
function scenarioOf({ controller, columns }: JournalHistory, sets: readonly string[]): Scenario {
  const text = stringify({
    apiVersion: API_VERSION,
    name: 'journal',
    tick: formatDuration(columns.stepMs),
    workload: { source: 'generated', applications: [{ id: 'history' }] },
    ...controller,
  });
  return parseScenario(text, 'journal', sets);
}

function needScenario({ scenario, source }: Args): string {
  if (scenario !== undefined) return scenario;
  throw new ForesizeError({
    code: 'ADVICE_NO_SCENARIO',
    what: 'a history alone does not say what things cost and who may wait',
    where: source,
    remedy: 'name the scenario whose prices, policies and tolerances hold with --scenario FILE',
  });
}

/** `foresize recommend apply RUN --ids a,b --out changed.yaml`. */
const applyCommand: CommandModule<object, ApplyArgs> = {
  command: 'apply <run>',
  describe: 'Write the scenario of a run with recommendations in force',
  builder: (yargs) =>
    yargs
      .positional('run', { type: 'string', demandOption: true, describe: 'Run folder with advice.' })
      .options({
        quiet: commonOptions.quiet,
        base,
        ids: {
          type: 'string',
          describe: 'Ids, separated by commas; those of the combined replay if left out.',
        },
        out: { type: 'string', demandOption: true, describe: 'Scenario file to write.' },
      }) as never,
  handler: (args) => {
    const source = openRun(args.run, args.base);
    const advice = readAdvice(source.folder);
    if (!advice) {
      throw new ForesizeError({
        code: 'ADVICE_MISSING',
        what: 'no advice has been given on this run',
        where: args.run,
        remedy: `run \`foresize recommend ${args.run}\` first`,
      });
    }
    const ids = args.ids?.split(',').filter((id) => id !== '') ?? advice.combined?.ids ?? [];
    if (ids.length === 0) {
      throw new ForesizeError({
        code: 'ADVICE_NONE',
        what: 'there is no recommendation to apply',
        where: args.run,
        remedy: '`foresize recommend RUN --withheld` says what was looked into',
      });
    }
    writeFileSync(args.out, applyAdvice(source, advice, ids));
    remark(`written: ${args.out}; try it with \`foresize run ${args.out}\``, args.quiet);
  },
};
