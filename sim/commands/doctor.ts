import { existsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { CommandModule, Options } from 'yargs';
import { backendReport } from '../../core/forecast/backend.ts';
import { codeVersion } from '../code-version.ts';
import { commonOptions, print } from './console.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was found, and why it matters or what to do. */
  readonly found: string;
}

/** Checks of a side this one does not know, with their options. */
export interface MoreChecks {
  readonly options: Readonly<Record<string, Options>>;
  examine(args: Readonly<Record<string, unknown>>): Promise<readonly Check[]>;
}

/** `foresize doctor`: what this installation can do here, and why not where it cannot. */
export function doctorCommand(more: MoreChecks): CommandModule<object, { json: boolean }> {
  return {
    command: 'doctor',
    describe: 'Say which backends, libraries and traces this installation finds',
    builder: (yargs) => yargs.options({ ...commonOptions, ...more.options }) as never,
    handler: async (args) => {
      const checks = [...(await examine()), ...(await more.examine(args))];
      if (args.json) print(JSON.stringify(checks));
      else
        for (const { name, ok, found } of checks)
          print(`${ok ? 'ok  ' : 'MISS'}  ${name.padEnd(16)} ${found}`);
      if (!checks.every((check) => check.ok || check.name === 'traces')) process.exitCode = 1;
    },
  };
}

async function examine(): Promise<Check[]> {
  const tensor = await backendReport();
  const traces = process.env['FORESIZE_TRACES'];
  return [
    { name: 'foresize', ok: true, found: codeVersion() },
    { name: 'node', ok: true, found: `${process.version} on ${process.platform} ${process.arch}` },
    {
      name: 'machine',
      ok: true,
      found: `${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB of memory`,
    },
    {
      name: 'tensor backend',
      ok: tensor.backend !== undefined,
      found: `${tensor.backend ?? 'none'} ${tensor.version ?? ''} (${tensor.reasons.join('; ')})`,
    },
    await loads('parquet', async () => {
      const duckdb = await import('@duckdb/node-api');
      return `DuckDB ${duckdb.version()}`;
    }),
    await loads('prophet, ETS', async () => {
      await import('@bsull/augurs/prophet');
      return 'augurs';
    }),
    {
      name: 'traces',
      ok: traces !== undefined && existsSync(traces),
      found: traces ?? 'set FORESIZE_TRACES to use scenarios/traces/',
    },
  ];
}

async function loads(name: string, load: () => Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, found: await load() };
  } catch (error) {
    return { name, ok: false, found: `does not load: ${(error as Error).message}; run npm ci again` };
  }
}
