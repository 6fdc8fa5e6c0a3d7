import { appendFileSync, existsSync } from 'node:fs';
import type { CommandModule } from 'yargs';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { codeVersion } from '../code-version.ts';
import { baselineFile, readBaseline, writeBaseline, writeFile } from '../gate/baseline.ts';
import { type Figures, measure } from '../gate/figures.ts';
import { failed, judge, toBaseline } from '../gate/judge.ts';
import { annotations, githubBenchmark, junit, sentence, summary } from '../gate/reports.ts';
import { type BenchSpec, loadBench } from '../gate/spec.ts';
import type { Spec } from '../sweep/spec.ts';
import { Bars, commonOptions, interruptible, print, remark } from './console.ts';

interface Common {
  spec: string;
  baseline?: string | undefined;
  json: boolean;
  quiet: boolean;
}

const spec = {
  type: 'string',
  default: 'bench.yaml',
  describe: 'Gate file (YAML); its baseline is beside it.',
} as const;
const baseline = {
  type: 'string',
  describe: 'Baseline to compare with, instead of the one beside the file.',
} as const;

const check: CommandModule<
  object,
  Common & { junit?: string | undefined; githubBenchmark?: string | undefined }
> = {
  command: ['check [spec]', '$0 [spec]'],
  describe: 'Compare with the baseline; exit code 3 when something is worse',
  builder: (yargs) =>
    yargs
      .positional('spec', spec)
      .options(commonOptions)
      .option('baseline', baseline)
      .option('junit', { type: 'string', describe: 'Also write JUnit XML to this file.' })
      .option('github-benchmark', {
        type: 'string',
        describe: 'Also write JSON for github-action-benchmark (customSmallerIsBetter) to this file.',
      }) as never,
  handler: async (args) => {
    const loaded = loadBench(args.spec);
    const expected = readBaseline(args.baseline ?? baselineFile(args.spec));
    const findings = await judge(expected, await measured(loaded, args.quiet));
    const bad = failed(findings);
    const { name } = loaded.value;
    if (args.json) print(JSON.stringify({ name, passed: bad.length === 0, findings }));
    else {
      for (const finding of findings) if (finding.verdict !== 'same') print(sentence(finding));
      print(
        `${name}: ${bad.length === 0 ? 'passed' : `${bad.length} regressions`}, ${findings.length} figures compared`,
      );
    }
    if (args.junit !== undefined) writeReport(args.junit, junit(name, findings));
    if (args.githubBenchmark !== undefined) writeReport(args.githubBenchmark, githubBenchmark(findings));
    if (process.env['GITHUB_ACTIONS'] === 'true' && !args.json) {
      const text = annotations(args.spec, findings);
      if (text !== '') print(text);
    }
    const stepSummary = process.env['GITHUB_STEP_SUMMARY'];
    if (stepSummary) appendFileSync(stepSummary, summary(name, findings));
    if (bad.length === 0) return;
    remark(
      'if this is intended: foresize bench update SPEC --reason "why", and commit the baseline',
      args.quiet,
    );
    process.exitCode = EXIT.gate;
  },
};

const update: CommandModule<object, Common & { reason: string }> = {
  command: 'update [spec]',
  describe: 'Measure, and make it the baseline',
  builder: (yargs) =>
    yargs.positional('spec', spec).options(commonOptions).option('baseline', baseline).option('reason', {
      type: 'string',
      demandOption: true,
      requiresArg: true,
      describe: 'Why figures are now as they are; kept in the baseline.',
    }) as never,
  handler: async (args) => {
    const loaded = loadBench(args.spec);
    if (args.reason.trim() === '') {
      throw new ForesizeError({
        code: 'BENCH_NO_REASON',
        what: 'the reason is empty',
        where: '--reason',
        remedy: 'say why the baseline changes: whoever reads the diff will ask',
      });
    }
    const file = args.baseline ?? baselineFile(args.spec);
    const earlier = existsSync(file) ? readBaseline(file).history : [];
    const made = { at: new Date().toISOString(), version: codeVersion(), reason: args.reason };
    const figures = await measured(loaded, args.quiet);
    writeBaseline(file, toBaseline(loaded.value, figures, [...earlier, made]));
    if (args.json) print(JSON.stringify({ baseline: file, runs: figures.length }));
    else print(`${file}: ${figures.length} runs`);
  },
};

/** `foresize bench`: the gate of a CI. */
export const benchCommand: CommandModule = {
  command: 'bench <verb>',
  describe: 'Hold measures and speed of policies against a committed baseline',
  builder: (yargs) => yargs.command([check, update] as unknown as CommandModule[]),
  handler: () => {},
};

async function measured(loaded: Spec<BenchSpec>, quiet: boolean): Promise<Figures[]> {
  const bars = new Bars(quiet);
  const bar = bars.add('bench');
  const { signal, release } = interruptible();
  try {
    return await measure(loaded, { onProgress: bar, signal });
  } finally {
    bars.stop();
    release();
  }
}

function writeReport(file: string, text: string): void {
  writeFile(file, text, 'report', 'name a file in a folder that exists');
}
