import type { CommandModule } from 'yargs';
import type { LiveDependencies } from './index.ts';

interface LiveArgs {
  config?: string | undefined;
  apply: boolean;
  journal: string;
  uri?: string | undefined;
  schema: boolean;
}

/** `foresize live`: the daemon. */
export function liveCommand(dependencies: LiveDependencies): CommandModule<object, LiveArgs> {
  return {
    command: 'live',
    describe: 'Forecast and resize real VMs by libvirt (a dry run unless --apply)',
    builder: (yargs) =>
      yargs.options({
        config: { type: 'string', describe: 'Configuration file; see docs/live.md.' },
        apply: {
          type: 'boolean',
          default: false,
          describe: 'Resize; without it nothing is written to any VM.',
        },
        journal: { type: 'string', default: 'journal', describe: 'Folder of the journal.' },
        uri: { type: 'string', describe: "libvirt connection in place of the configuration's." },
        schema: { type: 'boolean', default: false, describe: 'Print the JSON Schema of the configuration.' },
      }) as never,
    handler: async (args) => {
      if (args.schema) {
        const { liveJsonSchema } = await import('../config.ts');
        const { print } = await import('./console.ts');
        return print(JSON.stringify(liveJsonSchema(), null, 2));
      }
      const { runLive } = await import('../run-live.ts');
      await runLive(args, dependencies.codeVersion());
    },
  };
}
