import type { CommandModule } from 'yargs';
import { generateCommand } from './generate.ts';
import { runCommand } from './run.ts';
import { sweepCommand } from './sweep.ts';
import { traceCommands } from './trace.ts';
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
  validateCommand,
  schemaCommand,
  traceCommand,
  sweepCommand,
  workerCommand,
] as unknown as readonly CommandModule[];
