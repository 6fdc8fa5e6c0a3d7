import type { CommandModule } from 'yargs';
import { commonOptions, print } from './console.ts';

interface CalibrateArgs {
  uri: string;
  mapping?: string | undefined;
  domain: string[];
  rounds: number;
  out?: string | undefined;
  json: boolean;
}

/** `foresize calibrate`: how long resizes take on this host, and how often they fail. */
export const calibrateCommand: CommandModule<object, CalibrateArgs> = {
  command: 'calibrate',
  describe: "Resize VMs by a tenth and back, and write the simulator's hypervisor model",
  builder: (yargs) =>
    yargs.options({
      ...commonOptions,
      uri: { type: 'string', default: 'qemu:///system', describe: 'libvirt connection.' },
      mapping: { type: 'string', describe: 'Mapping file, for domains that are not tagged.' },
      domain: {
        type: 'string',
        array: true,
        demandOption: true,
        describe: 'Domains to resize (repeatable); each tagged or listed.',
      },
      rounds: { type: 'number', default: 5, describe: 'Resizes down and up of each resource.' },
      out: { type: 'string', describe: 'File for the model; stdout when left out.' },
    }) as never,
  handler: async (args) => {
    const { runCalibration } = await import('../run-calibration.ts');
    const { text, calibration } = await runCalibration(args);
    if (args.out !== undefined) {
      const { writeFileSync } = await import('node:fs');
      writeFileSync(args.out, text);
    }
    if (args.json) print(JSON.stringify(calibration));
    else if (args.out === undefined) print(text);
  },
};
