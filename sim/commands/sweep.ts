import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { parseDuration } from '../../core/duration.ts';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import type { Engine } from '../sweep/engine.ts';
import { estimate } from '../sweep/estimate.ts';
import { SweepFolder } from '../sweep/folder.ts';
import { localEngine } from '../sweep/local-engine.ts';
import { mergeShards } from '../sweep/merge.ts';
import { Sweep } from '../sweep/plan.ts';
import { querySweep } from '../sweep/query.ts';
import { connectQueue } from '../sweep/queue/connection.ts';
import { replyQueue } from '../sweep/queue/messages.ts';
import { queueEngine } from '../sweep/queue/queue-engine.ts';
import { runSweep, type SweepProgress } from '../sweep/run-sweep.ts';
import { inShard, parseShard, type Shard, shardFolder } from '../sweep/shard.ts';
import { loadSweep } from '../sweep/spec.ts';
import { csv, spanText, textTable } from '../sweep/text.ts';
import { commonOptions, interruptible, print, remark } from './console.ts';
import { SweepBar } from './sweep-bar.ts';
import { sweepCompareCommand } from './sweep-compare.ts';
import { sweepExportCommand } from './sweep-export.ts';
import { atLeastOne, fileName, queueOptions } from './sweep-options.ts';

interface RunArgs {
  spec: string;
  out?: string | undefined;
  threads: number;
  queue?: string | undefined;
  queueTimeout: string;
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
      .options(queueOptions)
      .conflicts('queue', 'shard')
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
    if (args.retry && !args.resume) {
      throw new ForesizeError({
        code: 'USAGE',
        what: '--retry runs again what failed in a sweep that was begun, and nothing was said to be gone on with',
        where: '--retry',
        remedy: 'add --resume',
      });
    }
    const threads = atLeastOne(args.threads, '--threads');
    const patienceMs = parseDuration(args.queueTimeout, '--queue-timeout');
    const sweep = new Sweep(loadSweep(args.spec));
    const shard = args.shard === undefined ? undefined : parseShard(args.shard, process.env);
    const { signal, release } = interruptible();
    const connection = args.queue === undefined || args.dryRun ? undefined : await connectQueue(args.queue);
    try {
      if (args.dryRun) {
        await dryRun(sweep, shard, threads, args.json, signal);
        return;
      }
      const base = args.out ?? join('out', fileName(sweep.plan.name));
      const path = shard ? join(base, shardFolder(shard)) : base;
      const engine = connection
        ? queueEngine(connection, { reply: replyQueue(sweep.plan.id, path), patienceMs })
        : localEngine(threads);
      await runIn(path, sweep, engine, shard, args, signal);
    } finally {
      release();
      await connection?.close();
    }
  },
};

async function runIn(
  path: string,
  sweep: Sweep,
  engine: Engine,
  shard: Shard | undefined,
  args: RunArgs,
  signal: AbortSignal,
): Promise<void> {
  const folder = await SweepFolder.take(path, sweep.plan, args.resume);
  const bar = new SweepBar(args.quiet);
  try {
    const end = await runSweep(sweep, folder, engine, {
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
}

async function dryRun(
  sweep: Sweep,
  shard: Shard | undefined,
  threads: number,
  json: boolean,
  signal: AbortSignal,
): Promise<void> {
  const runs = sweep.runs().filter((_, position) => inShard(shard, position));
  const time = await estimate(sweep, runs, threads, signal);
  const { id, name, points } = sweep.plan;
  if (json) {
    const counts = { points: points.length, runs: runs.length, workloads: sweep.workloads, threads };
    print(JSON.stringify({ sweep: id, name, ...counts, ...time }));
    return;
  }
  print(
    [
      `${name}: ${points.length} points, ${runs.length} runs to do, ${sweep.workloads} workloads`,
      `about ${spanText(time.totalSeconds)} on ${threads} threads, ${time.runSeconds.toPrecision(2)} s a run (tried ${time.sampled} for ${time.sampledSeconds.toFixed(1)} s)`,
    ].join('\n'),
  );
}

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
  builder: (yargs) =>
    yargs.command([run, query, sweepCompareCommand, merge, sweepExportCommand] as unknown as CommandModule[]),
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
