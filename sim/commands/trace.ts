import { once } from 'node:events';
import { SingleBar } from 'cli-progress';
import type { Argv, CommandModule } from 'yargs';
import { R, RESOURCES } from '../../core/model.ts';
import { type Written, writeTrace } from '../trace/convert.ts';
import { summarize } from '../trace/inspect.ts';
import { loadTrace } from '../trace/load.ts';
import { badOption } from '../trace/problems.ts';
import { READERS } from '../trace/readers.ts';
import { summaryText } from '../trace/text.ts';
import {
  type Assumed,
  type LoadOptions,
  TRACE_FORMATS,
  type Trace,
  type TraceFormat,
} from '../trace/types.ts';

interface ReadArguments {
  path: string;
  format: TraceFormat | undefined;
  step: number;
  limit: number | undefined;
  vm: string[] | undefined;
  from: number | undefined;
  until: number | undefined;
  statistic: 'avg' | 'max';
  assume: string[] | undefined;
  json: boolean;
}

type ConvertArguments = ReadArguments & { to: string };

const inspect: CommandModule<unknown, ReadArguments> = {
  command: 'inspect <path>',
  describe: 'Say what a trace holds, in figures with units, and what is wrong with it',
  builder: (yargs) =>
    reading(yargs)
      .example('$0 trace inspect planetlab/20110303', 'a day of PlanetLab')
      .example(
        '$0 trace inspect azure-v1 --statistic max --limit 10',
        'maxima of ten VMs',
      ) as Argv<ReadArguments>,
  handler: async (args) => {
    const trace = await load(args);
    const summary = summarize(trace);
    await print(
      args.json ? JSON.stringify({ ...summary, vmList: vmList(trace) }, null, 2) : summaryText(summary),
    );
  },
};

const convert: CommandModule<unknown, ConvertArguments> = {
  command: 'convert <path>',
  describe: 'Write a trace, resampled, in the generic long format (CSV or Parquet)',
  builder: (yargs) =>
    reading(yargs)
      .option('to', {
        type: 'string',
        demandOption: true,
        requiresArg: true,
        describe: 'File to write: .csv, .csv.gz or .parquet',
      })
      .example(
        '$0 trace convert bitbrains-rnd --to bitbrains.parquet',
        '',
      ) as unknown as Argv<ConvertArguments>,
  handler: async (args) => {
    const trace = await load(args);
    const written = await writeTrace(trace, args.to, args.path);
    await print(
      args.json ? JSON.stringify({ ...written, report: trace.report }, null, 2) : writtenText(written, trace),
    );
  },
};

/** The verbs below `trace`; another part adds its own next to them. */
export const traceCommands: CommandModule[] = [inspect as CommandModule, convert as CommandModule];

/** Options of everything that reads a trace. */
function reading(yargs: Argv): Argv {
  return yargs
    .positional('path', { type: 'string', demandOption: true, describe: 'File or folder of the trace' })
    .option('format', {
      choices: TRACE_FORMATS,
      describe: 'Format, where names and first lines do not tell it',
    })
    .option('step', { type: 'number', default: 300, describe: 'Length of an interval in seconds' })
    .option('limit', { type: 'number', describe: 'Only the first so many VMs, in sorted order' })
    .option('vm', { type: 'string', array: true, requiresArg: true, describe: 'Only these VMs' })
    .option('from', { type: 'number', describe: 'Leave out the intervals before this one' })
    .option('until', { type: 'number', describe: 'Leave out this interval and those after it' })
    .option('statistic', {
      choices: ['avg', 'max'] as const,
      default: 'avg',
      describe: 'Which figure of an interval to read, where the trace has both',
    })
    .option('assume', {
      type: 'string',
      array: true,
      requiresArg: true,
      describe: 'Sizes the trace does not state: cores=2 memory=4096 (MiB) disk=5e8 network=1.25e8 (bytes/s)',
    })
    .option('json', { type: 'boolean', default: false, describe: 'Print JSON' })
    .epilogue(`Formats:\n${READERS.map(({ format, about }) => `  ${format.padEnd(18)}${about}`).join('\n')}`);
}

async function load(args: ReadArguments): Promise<Trace> {
  const progress = bar();
  const options: LoadOptions = {
    path: args.path,
    format: args.format,
    stepMs: args.step * 1000,
    limit: args.limit,
    vms: args.vm,
    from: args.from,
    to: args.until,
    statistic: args.statistic,
    assume: assumed(args.assume ?? []),
    onProgress: progress?.update,
  };
  try {
    return await loadTrace(options);
  } finally {
    progress?.stop();
  }
}

const ASSUMED: Readonly<Record<string, keyof Assumed>> = {
  cores: 'cores',
  memory: 'memoryMiB',
  disk: 'diskBytesPerS',
  network: 'networkBytesPerS',
};

function assumed(pairs: readonly string[]): Partial<Assumed> {
  const assume: Record<string, number> = {};
  for (const pair of pairs) {
    const [name, text] = pair.split('=');
    const key = ASSUMED[name ?? ''];
    const value = Number(text);
    if (!key || !text || !(value > 0)) {
      throw badOption(`--assume ${pair} is not understood`, 'write for example --assume cores=2 memory=4096');
    }
    assume[key] = value;
  }
  return assume;
}

/** A progress bar on stderr, where that is a terminal. */
function bar(): { update: (done: number, total: number) => void; stop: () => void } | undefined {
  if (!process.stderr.isTTY) return undefined;
  const single = new SingleBar({
    format: 'reading [{bar}] {percentage} % of {total} bytes',
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
  });
  single.start(1, 0);
  return {
    update: (done, total) => {
      single.setTotal(total);
      single.update(done);
    },
    stop: () => single.stop(),
  };
}

/** Every VM with its names, its sizes (null where unknown) and the intervals it is there, for scripts. */
function vmList(trace: Trace) {
  return trace.vms.map(({ vmId, applicationId, userId, size, start, usage }) => ({
    vmId,
    applicationId,
    userId,
    size: Object.fromEntries(RESOURCES.map((resource, r) => [resource, size[r]])),
    start,
    intervals: usage.length / R,
  }));
}

function writtenText({ path, rows, bytes }: Written, trace: Trace): string {
  const { report } = trace;
  const n = (value: number) => value.toLocaleString('en-US');
  const notes = (report.notes ?? []).map((note) => `\nnote: ${note}`).join('');
  return (
    `${path}: ${n(rows)} rows of ${n(trace.vms.length)} VMs, ${n(bytes)} bytes\n` +
    `from ${n(report.rows)} rows: ${n(report.gaps)} gaps, ${n(report.outOfOrder)} out of order, ` +
    `${n(report.duplicates)} duplicates, ${n(report.invalid)} invalid${notes}`
  );
}

async function print(text: string): Promise<void> {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
}
