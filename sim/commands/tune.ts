import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { CommandModule } from 'yargs';
import { parseDuration } from '../../core/duration.ts';
import { canonicalJson } from '../canonical-json.ts';
import { sha256 } from '../run-folder.ts';
import { unwritable } from '../sweep/folder.ts';
import { localEngine } from '../sweep/local-engine.ts';
import { FolderLock } from '../sweep/lock.ts';
import { connectQueue } from '../sweep/queue/connection.ts';
import { replyQueue } from '../sweep/queue/messages.ts';
import { queueEngine } from '../sweep/queue/queue-engine.ts';
import { RecordStore, writeWhole } from '../sweep/record-store.ts';
import { loadTune } from '../tune/spec.ts';
import { tuneText } from '../tune/text.ts';
import { type TuneResult, tune } from '../tune/tune.ts';
import { Bars, commonOptions, interruptible, print, remark } from './console.ts';
import { atLeastOne, fileName, queueOptions } from './sweep-options.ts';

interface Args {
  spec: string;
  out?: string | undefined;
  threads: number;
  queue?: string | undefined;
  queueTimeout: string;
  json: boolean;
  quiet: boolean;
}

/** `foresize tune SPEC`: searches policies' parameters on some workloads and judges them on others. */
export const tuneCommand: CommandModule<object, Args> = {
  command: 'tune <spec>',
  describe: 'Search the parameters of policies on training workloads, then evaluate once on others',
  builder: (yargs) =>
    yargs
      .positional('spec', { type: 'string', demandOption: true, describe: 'Tuning file (YAML).' })
      .options(commonOptions)
      .option('out', { type: 'string', describe: 'Folder of the runs; out/NAME when left out.' })
      .option('threads', {
        type: 'number',
        default: availableParallelism(),
        describe: 'Worker threads on this machine.',
      })
      .options(queueOptions) as never,
  handler: async (args) => {
    const threads = atLeastOne(args.threads, '--threads');
    const patienceMs = parseDuration(args.queueTimeout, '--queue-timeout');
    const spec = loadTune(args.spec);
    const path = args.out ?? join('out', fileName(spec.value.name));
    const store = new RecordStore(join(path, 'runs'));
    const connection = args.queue === undefined ? undefined : await connectQueue(args.queue);
    const { signal, release } = interruptible();
    const bars = new Bars(args.quiet);
    let lock: FolderLock | undefined;
    try {
      lock = await take(path, store);
      const engine = connection
        ? queueEngine(connection, {
            reply: replyQueue(sha256(canonicalJson(spec.value)), path),
            patienceMs,
          })
        : localEngine(threads);
      const result = await tune(spec, store, engine, { onProgress: bars.add('tune'), signal });
      bars.stop();
      write(path, result);
      print(args.json ? JSON.stringify(result) : tuneText(result));
      remark(`${join(path, 'tune.json')}, ${join(path, 'policies.yaml')}`, args.quiet);
    } finally {
      bars.stop();
      lock?.release();
      release();
      await connection?.close();
    }
  },
};

async function take(path: string, store: RecordStore): Promise<FolderLock> {
  try {
    mkdirSync(path, { recursive: true });
    store.create();
  } catch (cause) {
    throw unwritable(path, cause);
  }
  return FolderLock.take(path);
}

/** `tune.json` whole, and `policies.yaml` to paste into a scenario or a live configuration. */
function write(path: string, result: TuneResult): void {
  const policies = Object.fromEntries(
    result.policies.filter(({ role }) => role === 'tuned').map(({ policy, config }) => [policy, config]),
  );
  try {
    writeWhole(join(path, 'tune.json'), `${canonicalJson(result, 2)}\n`);
    writeWhole(join(path, 'policies.yaml'), stringify({ policies }));
  } catch (cause) {
    throw unwritable(path, cause);
  }
}
