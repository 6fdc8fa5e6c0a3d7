import type { CommandModule } from 'yargs';
import type { Recording } from '../../core/recording.ts';
import { commonOptions, print } from './console.ts';
import type { LiveDependencies } from './index.ts';

/** What the simulator makes of a recording: by resource, figure and side. */
export interface Fidelity {
  readonly vms: number;
  readonly intervals: number;
  readonly resources: Readonly<
    Record<
      string,
      {
        readonly unit: string;
        readonly allocation: Compared;
        readonly usage: Compared;
        readonly resizes: Compared;
        readonly starved: Compared;
      }
    >
  >;
}

interface Compared {
  readonly live: number;
  readonly simulated: number;
  readonly meanError?: number;
}

export type Simulate = (recording: Recording, hypervisorModel: string | undefined) => Promise<Fidelity>;

/** `foresize fidelity JOURNAL`: how far the simulator is from what really happened. */
export function fidelityCommand(
  dependencies: LiveDependencies,
): CommandModule<object, { journal: string; hypervisor?: string | undefined; json: boolean }> {
  return {
    command: 'fidelity <journal>',
    describe: "Run a journal's demand through the simulator and compare",
    builder: (yargs) =>
      yargs
        .positional('journal', { type: 'string', demandOption: true, describe: 'Folder of the journal.' })
        .options({
          ...commonOptions,
          hypervisor: { type: 'string', describe: 'Hypervisor model that `foresize calibrate` wrote.' },
        }) as never,
    handler: async (args) => {
      const { Journal } = await import('../store/journal.ts');
      const { recordingOf } = await import('../recording.ts');
      const journal = Journal.attach(args.journal, false);
      try {
        const report = await dependencies.simulate(recordingOf(journal), args.hypervisor);
        print(args.json ? JSON.stringify(report) : text(report));
      } finally {
        await journal.close();
      }
    },
  };
}

function text({ vms, intervals, resources }: Fidelity): string {
  const lines = [`${vms} VMs over ${intervals} intervals`];
  for (const [name, { unit, allocation, usage, resizes, starved }] of Object.entries(resources)) {
    lines.push(
      row(`${name} allocation`, allocation, unit),
      row(`${name} usage`, usage, unit),
      row(`${name} resizes`, resizes, ''),
      row(`${name} starved`, starved, 'of VM-intervals'),
    );
  }
  return lines.join('\n');
}

function row(name: string, { live, simulated, meanError }: Compared, unit: string): string {
  const figures = `live ${short(live)}, simulated ${short(simulated)} ${unit}`.trimEnd();
  const error = meanError === undefined ? '' : `, mean error ${(100 * meanError).toFixed(1)} %`;
  return `${name.padEnd(20)} ${figures}${error}`;
}

function short(value: number): string {
  return String(Number(value.toPrecision(4)));
}
