import { createWriteStream, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { SingleBar } from 'cli-progress';
import { parse } from 'yaml';
import type { CommandModule } from 'yargs';
import { z } from 'zod';
import { parseDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';
import { zodProblems } from '../../core/problems.ts';
import { loadTrace } from '../trace/load.ts';
import { ARCHETYPE_NAMES, type Archetype } from '../workload/archetypes.ts';
import { longCsv } from '../workload/long-csv.ts';
import { openWorkload } from '../workload/open.ts';
import { workloadSchema } from '../workload/schema.ts';
import type { Workload } from '../workload/types.ts';

interface Arguments {
  scenario: string | undefined;
  archetype: Archetype;
  users: number;
  vms: number;
  seed: number | undefined;
  tick: string | undefined;
  duration: string | undefined;
  out: string | undefined;
  quiet: boolean;
}

/** `foresize trace generate [SCENARIO]`: a scenario's demand, or that of an archetype, as a trace. */
export const generateCommand: CommandModule<unknown, Arguments> = {
  command: 'generate [scenario]',
  describe: 'Write the demand of a workload as a trace in the generic long format (CSV)',
  builder: (yargs) =>
    yargs
      .positional('scenario', { type: 'string', describe: 'Scenario file whose workload to write' })
      .option('archetype', {
        choices: ARCHETYPE_NAMES,
        default: 'web',
        describe: 'Without a scenario: kind of application',
      })
      .option('users', { type: 'number', default: 5, describe: 'Without a scenario: users' })
      .option('vms', { type: 'number', default: 2, describe: 'Without a scenario: VMs of each user' })
      .option('seed', { type: 'number', describe: "Seed instead of the scenario's, else 1" })
      .option('tick', { type: 'string', describe: "Interval instead of the scenario's, else 5m" })
      .option('duration', { type: 'string', describe: "Length instead of the scenario's, else 7d" })
      .option('out', { type: 'string', describe: 'File to write, .csv or .csv.gz; stdout when left out' })
      .option('quiet', { type: 'boolean', default: false, describe: 'No progress on stderr' })
      .example('$0 trace generate scenarios/bursts.yaml --out bursts.csv.gz', '')
      .example('$0 trace generate --archetype dev --users 3 --duration 1d', 'to stdout') as never,
  handler: async (args) => {
    const workload = await open(args);
    const progress = args.quiet ? undefined : bar(workload.intervals);
    let rows = 0;
    const text = longCsv(workload, {
      onProgress: (written, done) => {
        rows = written;
        progress?.update(done);
      },
    });
    try {
      if (args.out === undefined) await toStdout(text);
      else await toFile(text, args.out);
    } finally {
      progress?.stop();
    }
    if (args.out !== undefined && !args.quiet) process.stderr.write(`${args.out}: ${rows} rows\n`);
  },
};

/** The parts of a scenario a workload needs; the others are not looked at. */
const partsSchema = z.object({
  seed: z.int().min(0).max(0xffffffff).default(1),
  tick: z.string().default('5m'),
  duration: z.string().optional(),
  workload: workloadSchema,
});

async function open(args: Arguments): Promise<Workload> {
  const parts = partsSchema.safeParse(args.scenario === undefined ? plain(args) : read(args.scenario));
  if (!parts.success) {
    throw new ForesizeError(
      zodProblems(
        parts.error,
        'SCENARIO_INVALID',
        (path) => `${args.scenario ?? 'options'}: ${path.map(String).join('.')}`,
      ),
    );
  }
  const { workload, seed, tick, duration } = parts.data;
  const stepMs = parseDuration(args.tick ?? tick, 'tick');
  const length = args.duration ?? duration;
  return openWorkload(workload, {
    seed: args.seed ?? seed,
    stepMs,
    intervals: length === undefined ? undefined : Math.round(parseDuration(length, 'duration') / stepMs),
    baseDir: args.scenario === undefined ? '.' : dirname(resolve(args.scenario)),
    loadTrace,
  });
}

/** One application, from the command line. */
function plain({ archetype, users, vms }: Arguments): unknown {
  return {
    duration: '7d',
    workload: {
      source: 'generated',
      applications: [{ id: archetype, archetype, users, vmsPerUser: vms }],
    },
  };
}

function read(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ForesizeError(
      {
        code: 'SCENARIO_UNREADABLE',
        what: `the scenario cannot be read: ${(cause as Error).message}`,
        where: file,
        remedy: 'name a YAML file; bundled ones are in scenarios/',
      },
      undefined,
      cause,
    );
  }
}

async function toStdout(text: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(text), process.stdout, { end: false });
  } catch (error) {
    // The reader, such as `head`, has seen enough.
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

/** Under a temporary name first: what has the right name is whole. */
async function toFile(text: Iterable<string>, out: string): Promise<void> {
  if (!/\.csv(\.gz)?$/i.test(out) || !existsSync(dirname(resolve(out)))) {
    throw new ForesizeError({
      code: 'GENERATE_BAD_TARGET',
      what: 'the file cannot be written',
      where: out,
      remedy: 'name a file that ends in .csv or .csv.gz, in a folder that exists',
    });
  }
  const part = `${out}.${process.pid}.part`;
  try {
    const file = createWriteStream(part);
    if (/\.gz$/i.test(out)) await pipeline(Readable.from(text), createGzip(), file);
    else await pipeline(Readable.from(text), file);
    renameSync(part, out);
  } finally {
    rmSync(part, { force: true });
  }
}

function bar(intervals: number): SingleBar | undefined {
  if (!process.stderr.isTTY) return undefined;
  const single = new SingleBar({
    format: 'generating [{bar}] {percentage} %',
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  single.start(intervals, 0);
  return single;
}
