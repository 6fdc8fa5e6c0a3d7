import type { CommandModule } from 'yargs';
import { calibrateCommand } from './calibrate.ts';
import { fidelityCommand, type Simulate } from './fidelity.ts';
import { liveCommand } from './live.ts';
import { replayCommand } from './replay.ts';

/** What the live verbs need of the simulator's side, which they may not import: handed in by cli.ts. */
export interface LiveDependencies {
  codeVersion(): string;
  readonly simulate: Simulate;
}

/** The live verbs. Each loads what it needs when it is used: the simulator must not load libvirt. */
export function liveCommands(dependencies: LiveDependencies): readonly CommandModule[] {
  return [
    liveCommand(dependencies),
    replayCommand,
    fidelityCommand(dependencies),
    calibrateCommand,
  ] as unknown as readonly CommandModule[];
}
