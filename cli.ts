#!/usr/bin/env node
import yargs, { type CommandModule } from 'yargs';
import { hideBin } from 'yargs/helpers';
import { EXIT, ForesizeError } from './core/errors.ts';
import type { Recording } from './core/recording.ts';
import { liveDoctor } from './live/commands/doctor.ts';
import { liveCommands } from './live/commands/index.ts';
import { codeVersion, packageVersion } from './sim/code-version.ts';

/** Runs one command line and gives its exit code. Errors are printed on stderr: code, what, where, remedy. */
export async function main(args: readonly string[]): Promise<number> {
  const live = liveCommands({ codeVersion, simulate });
  const parser = yargs([...args])
    .scriptName('foresize')
    .usage(
      '$0 <verb>\n\nForecasts what each virtual machine will need and resizes it before the shortage comes.',
    )
    .version(packageVersion())
    .command([...(await simulatorVerbs(args[0], live)), ...live])
    .demandCommand(1, 'name a verb; see foresize --help')
    .strict()
    .recommendCommands()
    .wrap(Math.min(110, process.stdout.columns ?? 100))
    .epilogue(
      'Exit codes: 0 ok, 1 runtime, 2 usage or configuration, 3 gate failed, 4 promotion refused, 130 interrupted.',
    )
    .exitProcess(false)
    .fail((message, error) => {
      if (error) throw error;
      throw new ForesizeError({ code: 'USAGE', what: message, remedy: 'see foresize --help' });
    });
  try {
    await parser.parseAsync();
    return process.exitCode === undefined ? EXIT.ok : Number(process.exitCode);
  } catch (error) {
    return report(error);
  }
}

/** The simulator's verbs, but not for a daemon, which would carry their 25 MB for good. */
async function simulatorVerbs(verb: string | undefined, live: readonly CommandModule[]) {
  if (live.some(({ command }) => String(command).split(' ')[0] === verb)) return [];
  const { simCommands } = await import('./sim/commands/index.ts');
  const { doctorCommand } = await import('./sim/commands/doctor.ts');
  const { recommendCommandWith } = await import('./sim/commands/recommend.ts');
  const readJournal = async (dir: string) => {
    const { journalHistory } = await import('./live/history-columns.ts');
    return journalHistory(dir);
  };
  return [
    ...simCommands,
    recommendCommandWith(readJournal),
    doctorCommand(liveDoctor) as unknown as CommandModule,
  ];
}

/** The one thing the live side has simulated. Loaded when it is asked for. */
async function simulate(recording: Recording, hypervisorModel: string | undefined) {
  const { fidelity, readHypervisorModel } = await import('./sim/fidelity.ts');
  return fidelity(
    recording,
    hypervisorModel === undefined ? undefined : readHypervisorModel(hypervisorModel),
  );
}

function report(error: unknown): number {
  if (error instanceof ForesizeError) {
    process.stderr.write(`${error.message}\n`);
    return error.exitCode;
  }
  if (error instanceof Error && (error.name === 'AbortError' || error.name === 'ThreadTermination')) {
    process.stderr.write('interrupted\n');
    return EXIT.interrupted;
  }
  process.stderr.write(
    `INTERNAL: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return EXIT.runtime;
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(EXIT.ok);
});

process.exitCode = await main(hideBin(process.argv));
