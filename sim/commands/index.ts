import type { CommandModule } from 'yargs';
import { benchCommand } from './bench.ts';
import { compareCommand } from './compare.ts';
import { consolidateCommand } from './consolidation.ts';
import { forecastCommand } from './forecast.ts';
import { generateCommand } from './generate.ts';
import { nabCommand } from './nab.ts';
import { promoteCommand } from './promote.ts';
import { reportCommand } from './report.ts';
import { runCommand } from './run.ts';
import { sweepCommand } from './sweep.ts';
import { traceCommands } from './trace.ts';
import { tuneCommand } from './tune.ts';
import { schemaCommand, validateCommand } from './validate.ts';
import { workerCommand } from './worker.ts';

/** `foresize trace VERB`: what can be done with a trace before it is simulated. */
const traceCommand: CommandModule = {
  command: 'trace <verb>',
  describe: 'Inspect, convert or generate traces',
  builder: (yargs) =>
    yargs
      .command([...traceCommands, generateCommand as CommandModule])
      .demandCommand(1, 'name what to do: inspect, convert or generate'),
  handler: () => {},
};

// Each verb has its own argument type; yargs mounts them all alike.
export const simCommands = [
  runCommand,
  compareCommand,
  validateCommand,
  schemaCommand,
  reportCommand,
  forecastCommand,
  consolidateCommand,
  nabCommand,
  traceCommand,
  sweepCommand,
  tuneCommand,
  promoteCommand,
  benchCommand,
  workerCommand,
] as unknown as readonly CommandModule[];
