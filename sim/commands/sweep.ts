import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import { estimate } from '../sweep/estimate.ts';
import { SweepFolder } from '../sweep/folder.ts';
import { localEngine } from '../sweep/local-engine.ts';
import { mergeShards } from '../sweep/merge.ts';
import { Sweep } from '../sweep/plan.ts';
import { querySweep } from '../sweep/query.ts';
import { runSweep, type SweepProgress } from '../sweep/run-sweep.ts';
import { inShard, parseShard, shardFolder } from '../sweep/shard.ts';
import { loadSweep } from '../sweep/spec.ts';
import { csv, spanText, textTable } from '../sweep/text.ts';
import { commonOptions, interruptible, print, remark } from './console.ts';
import { SweepBar } from './sweep-bar.ts';

interface RunArgs {
  spec: string;
  out?: string | undefined;
  threads: number;
  shard?: string | undefined;
  dryRun: boolean;
  resume: boolean;
  retry: boolean;
  json: boolean;
  quiet: boolean;
}

const run: CommandModule<object, RunArgs> = {
  command: ['run <spec>', '$0 <spec>'],
  describe: 'Run every point of a sweep',
  builder: (yargs) =>
    yargs
      .positional('spec', { type: 'string', demandOption: true, describe: 'Sweep file (YAML).' })
      .options(commonOptions)
      .option('out', { type: 'string', describe: 'Folder of the sweep; out/NAME when left out.' })
      .option('threads', {
        type: 'number',
        default: availableParallelism(),
        describe: 'Worker threads on this machine.',
      })
      .option('shard', {
        type: 'string',
        describe: 'Run one part of several: 2/8, or auto/8 in a Slurm array or Kubernetes Indexed Job.',
      })
      .option('dry-run', {
        type: 'boolean',
        default: false,
        describe: 'Only check, count, and estimate the time from a few short tries.',
      })
      .option('resume', {
        type: 'boolean',
        default: false,
        describe: 'Go on in a folder: run what is missing.',
      })
      .option('retry', {
        type: 'boolean',
        default: false,
        describe: 'With --resume: also run again what failed.',
      }) as never,
  handler: async (args) => {
    const threads = atLeastOne(args.threads, '--threads');
    const sweep = new Sweep(loadSweep(args.spec));
    const shard = args.shard === undefined ? undefined : parseShard(args.shard, process.env);
    const { signal, release } = interruptible();
    try {
      if (args.dryRun) {
        const runs = sweep.runs().filter((_, position) => inShard(shard, position));
        const time = await estimate(sweep, runs, threads, signal);
        const facts = {
          sweep: sweep.plan.id,
          points: sweep.plan.points.length,
          runs: runs.length,
          workloads: sweep.workloads,
          threads,
          ...time,
        };
        if (args.json) print(JSON.stringify(facts));
        else print(dryRunText(sweep.plan.name, facts));
        return;
      }
      const base = args.out ?? join('out', fileName(sweep.plan.name));
      const path = shard ? join(base, shardFolder(shard)) : base;
      const folder = await SweepFolder.take(path, sweep.plan, args.resume);
      const bar = new SweepBar(args.quiet);
      try {
        const end = await runSweep(sweep, folder, localEngine(threads), {
          shard,
          retry: args.retry,
          onProgress: (progress) => bar.show(progress),
          signal,
        });
        bar.stop();
        finish(end, path, args);
      } finally {
        bar.stop();
        folder.release();
      }
      if (signal.aborted) process.exitCode = EXIT.interrupted;
    } finally {
      release();
    }
  },
};

const query: CommandModule<
  object,
  { folder: string; sql: string; csv: boolean; json: boolean; quiet: boolean }
> = {
  command: 'query <folder> [sql]',
  describe: 'Ask SQL of a sweep: tables runs, groups, vm_days, failures',
  builder: (yargs) =>
    yargs
      .positional('folder', { type: 'string', demandOption: true })
      .positional('sql', { type: 'string', default: 'from runs' })
      .options(commonOptions)
      .option('csv', { type: 'boolean', default: false, describe: 'Print the result as CSV on stdout.' })
      .example(
        '$0 sweep query out/thresholds "select policy, avg(cost_per_vm_day) from runs group by policy"',
        '',
      ) as never,
  handler: async (args) => {
    const { columns, rows } = await querySweep(args.folder, args.sql);
    if (args.json) {
      print(
        JSON.stringify(rows.map((row) => Object.fromEntries(row.map((value, i) => [columns[i], value])))),
      );
    } else print(args.csv ? csv(columns, rows) : textTable(columns, rows));
  },
};

const merge: CommandModule<object, { folder: string; shards?: string[]; json: boolean; quiet: boolean }> = {
  command: 'merge <folder> [shards..]',
  describe: 'Bring the shards of a sweep together in its folder',
  builder: (yargs) =>
    yargs
      .positional('folder', { type: 'string', demandOption: true, describe: 'Folder of the sweep.' })
      .positional('shards', {
        type: 'string',
        array: true,
        describe: 'Folders of the shards; those below the folder when left out.',
      })
      .options(commonOptions) as never,
  handler: async (args) => {
    const merged = await mergeShards(args.folder, args.shards ?? []);
    if (args.json) print(JSON.stringify(merged));
    else {
      print(
        `${merged.finished} runs of ${merged.folders.length} folders are in ${args.folder}; ${merged.failed} failed, ${merged.missing} missing`,
      );
    }
    if (merged.failed + merged.missing > 0) process.exitCode = EXIT.runtime;
  },
};

/** `foresize sweep`: many runs of one scenario. */
export const sweepCommand: CommandModule = {
  command: 'sweep <verb>',
  describe: 'Run a scenario over many values of its fields, and ask of the results',
  builder: (yargs) => yargs.command([run, query, merge] as unknown as CommandModule[]),
  handler: () => {},
};

function finish(end: SweepProgress, path: string, { json, quiet }: RunArgs): void {
  const finished = end.done - end.failed;
  if (json) print(JSON.stringify({ folder: path, finished, failed: end.failed, total: end.total }));
  else print(`${finished} of ${end.total} runs are finished: ${path}`);
  if (end.failed === 0) return;
  remark(
    `${end.failed} runs failed; see: foresize sweep query ${path} "from failures"\nrun them again with --resume --retry`,
    quiet,
  );
  process.exitCode = EXIT.runtime;
}

interface DryRun {
  points: number;
  runs: number;
  workloads: number;
  threads: number;
  sampled: number;
  sampledSeconds: number;
  runSeconds: number;
  totalSeconds: number;
}

function dryRunText(name: string, facts: DryRun): string {
  return [
    `${name}: ${facts.points} points, ${facts.runs} runs to do, ${facts.workloads} workloads`,
    `about ${spanText(facts.totalSeconds)} on ${facts.threads} threads, ${facts.runSeconds.toPrecision(2)} s a run (tried ${facts.sampled} for ${facts.sampledSeconds.toFixed(1)} s)`,
  ].join('\n');
}

function fileName(name: string): string {
  return (
    name
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '') || 'sweep'
  );
}

export function atLeastOne(value: number, option: string): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new ForesizeError({
    code: 'USAGE',
    what: `${option} is ${value}`,
    where: option,
    remedy: 'give a whole number, 1 or more',
  });
}
