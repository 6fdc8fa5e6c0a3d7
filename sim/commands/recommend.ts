import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { ADVICE_KINDS } from '../../core/cost/params.ts';
import type { Advice } from '../../core/cost/recommendation.ts';
import { parseDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';
import { type HistoryColumns, recommendFromHistory } from '../advisor/from-history.ts';
import { type AdviseOptions, advise } from '../advisor/recommend.ts';
import { applyAdvice, experimentOfRun, openRun, readAdvice, writeAdvice } from '../advisor/run-source.ts';
import { adviceText } from '../advisor/text.ts';
import { readTicksHistory } from '../advisor/ticks-history.ts';
import { htmlReport } from '../report/html.ts';
import { loadScenario } from '../scenario.ts';
import { Bars, commonOptions, interruptible, print, remark } from './console.ts';

/** Reads the history of a daemon's journal; undefined where the path is none. */
export type JournalReader = (path: string) => Promise<HistoryColumns | undefined>;

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

export const recommendCommand = recommendCommandWith();

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
  const columns = await historyAt(args, readJournal);
  if (columns) {
    const { scenario } = loadScenario(needScenario(args), sets);
    return { advice: await recommendFromHistory(columns, scenario, options), files: [] };
  }
  const source = openRun(args.source, args.base, sets);
  const advice = await advise(await experimentOfRun(source), { ...options, run: source.result.id });
  const page = join(source.folder, 'advice.html');
  const files = [writeAdvice(source.folder, advice), page];
  writeFileSync(page, htmlReport(source.result, advice));
  return { advice, files };
}

/** A recorded history, where the source is one and no run folder. */
async function historyAt(
  args: Args,
  readJournal: JournalReader | undefined,
): Promise<HistoryColumns | undefined> {
  const isFile = statSync(args.source, { throwIfNoEntry: false })?.isFile() ?? false;
  if (!isFile || !args.source.endsWith('.parquet')) return readJournal?.(args.source);
  const { scenario } = loadScenario(needScenario(args), args.set);
  return readTicksHistory(args.source, parseDuration(scenario.tick, 'tick'));
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
