import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { CommandModule } from 'yargs';
import { parseDuration } from '../../core/duration.ts';
import { EXIT } from '../../core/errors.ts';
import { connectQueue } from '../sweep/queue/connection.ts';
import { taskQueue } from '../sweep/queue/messages.ts';
import { commonOptions, interruptible, print, remark } from './console.ts';
import { atLeastOne, queueTimeout } from './sweep-options.ts';

interface Args {
  queue: string;
  threads: number;
  baseDir?: string | undefined;
  idle?: string | undefined;
  silence: string;
  queueTimeout: string;
  json: boolean;
  quiet: boolean;
}

/** `foresize worker --queue URL`: runs points of sweeps that were started elsewhere with `--queue`. */
export const workerCommand: CommandModule<object, Args> = {
  command: 'worker',
  describe: 'Run points of sweeps from a queue, on as many machines as you like',
  builder: (yargs) =>
    yargs
      .options(commonOptions)
      .option('queue', {
        type: 'string',
        demandOption: true,
        describe: 'redis://HOST:6379 or postgresql://USER@HOST/DATABASE',
      })
      .option('threads', {
        type: 'number',
        default: availableParallelism(),
        describe: 'Runs at a time.',
      })
      .option('base-dir', {
        type: 'string',
        describe: 'Folder that paths in scenarios start from on this machine, when it is another one.',
      })
      .option('idle', { type: 'string', describe: 'End after so long without work, for example 5m.' })
      .option('silence', {
        type: 'string',
        default: '30s',
        describe: 'A worker that is silent for so long is dead, and its runs are given to others.',
      })
      .option('queue-timeout', queueTimeout) as never,
  handler: async (args) => {
    // BullMQ takes as long to load as all the rest: other verbs need not wait for it.
    const { serveQueue } = await import('../sweep/queue/queue-worker.ts');
    const { signal, release } = interruptible();
    const connection = await connectQueue(args.queue);
    remark(`taking runs from ${connection.shown}, queue ${taskQueue()}`, args.quiet);
    try {
      const done = await serveQueue(connection, {
        threads: atLeastOne(args.threads, '--threads'),
        baseDir: args.baseDir === undefined ? undefined : resolve(args.baseDir),
        silentMs: parseDuration(args.silence, '--silence'),
        patienceMs: parseDuration(args.queueTimeout, '--queue-timeout'),
        idleMs: args.idle === undefined ? undefined : parseDuration(args.idle, '--idle'),
        onDone: (outcome) => {
          if ('problems' in outcome) remark(`${outcome.id} failed: ${outcome.problems[0]?.what}`, args.quiet);
        },
        signal,
      });
      print(args.json ? JSON.stringify({ done }) : `${done} runs done`);
      if (signal.aborted) process.exitCode = EXIT.interrupted;
    } finally {
      release();
      await connection.close();
    }
  },
};
