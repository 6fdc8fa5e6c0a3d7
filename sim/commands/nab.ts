import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { ForesizeError } from '../../core/errors.ts';
import { type NabCorpus, readCorpus, readResults } from '../nab/corpus.ts';
import { detect } from '../nab/detect.ts';
import { nabReport, terminalNab } from '../nab/report.ts';
import { Bars, commonOptions, print, remark } from './console.ts';

interface Args {
  data?: string | undefined;
  rescore?: string | undefined;
  detector?: string | undefined;
  profile?: string | undefined;
  series: boolean;
  json: boolean;
  quiet: boolean;
}

const options = {
  ...commonOptions,
  data: {
    type: 'string',
    describe:
      'Copy of NAB: data/, labels/, config/. Default: $FORESIZE_TRACES/nab, else ../shared/traces/nab.',
  },
  rescore: {
    type: 'string',
    describe: 'Score stored detector outputs in this folder instead of running the detector.',
  },
  detector: { type: 'string', describe: 'Which of the stored outputs; all by default.' },
  profile: { type: 'string', describe: 'Only this cost profile; all by default.' },
  series: { type: 'boolean', default: false, describe: 'A line for each series, too.' },
} as const;

/** `foresize nab`: the anomaly detector on the Numenta Anomaly Benchmark, by NAB's own scoring. */
export const nabCommand: CommandModule<object, Args> = {
  command: 'nab',
  describe: 'Score the anomaly detector on the Numenta Anomaly Benchmark, or rescore stored outputs',
  builder: (yargs) => yargs.options(options) as never,
  handler: (args) => {
    const corpus = readCorpus(args.data ?? defaultData());
    const profiles = chosenProfiles(corpus, args.profile);
    const outputs =
      args.rescore === undefined ? [run(corpus, args.quiet)] : stored(corpus, args.rescore, args.detector);
    const reports = outputs.map(({ name, scores }) => nabReport(name, corpus, scores, profiles));
    print(
      args.json
        ? JSON.stringify({ corpus: corpus.reference.corpus, reports })
        : terminalNab(reports, corpus, profiles, args.series),
    );
  },
};

interface Output {
  readonly name: string;
  readonly scores: readonly Float64Array[];
}

function defaultData(): string {
  const traces = process.env['FORESIZE_TRACES'];
  return join(traces ?? join('..', 'shared', 'traces'), 'nab');
}

function chosenProfiles(corpus: NabCorpus, profile: string | undefined): string[] {
  const all = [...corpus.profiles.keys()];
  if (profile === undefined) return all;
  if (!corpus.profiles.has(profile)) {
    throw new ForesizeError({
      code: 'NAB_NO_PROFILE',
      what: `there is no cost profile ${profile}`,
      where: '--profile',
      remedy: `one of ${all.join(', ')}`,
    });
  }
  return [profile];
}

function run(corpus: NabCorpus, quiet: boolean): Output {
  const bars = new Bars(quiet);
  const move = bars.add('detecting');
  const total = corpus.series.reduce((n, one) => n + one.values.length, 0);
  let done = 0;
  const started = performance.now();
  const scores = corpus.series.map((series) => {
    const output = detect(series);
    done += output.length;
    move(done, total);
    return output;
  });
  bars.stop();
  const each = ((performance.now() - started) * 1e6) / Math.max(1, total);
  remark(`${corpus.series.length} series, ${total} rows, ${each.toFixed(0)} ns a row`, quiet);
  return { name: 'foresize', scores };
}

/** `dir` may be one detector's folder, or hold one folder a detector, as NAB's own `results` does. */
function stored(corpus: NabCorpus, dir: string, detector: string | undefined): Output[] {
  if (!existsSync(dir)) {
    throw new ForesizeError({
      code: 'NAB_NO_RESULTS',
      what: 'there are no stored outputs here',
      where: dir,
      remedy: 'give --rescore the folder results/ of a copy of NAB',
    });
  }
  if (detector !== undefined) {
    const own = join(dir, detector);
    return [{ name: detector, scores: readResults(existsSync(own) ? own : dir, detector, corpus) }];
  }
  const names = readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return names.map((name) => ({ name, scores: readResults(join(dir, name), name, corpus) }));
}
