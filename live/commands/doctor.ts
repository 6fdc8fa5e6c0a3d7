import type { LiveCheck } from '../doctor.ts';

/** What `foresize doctor --live` adds to the command line, and to the checks. Loads them only when asked. */
export const liveDoctor = {
  options: {
    live: {
      type: 'boolean',
      default: false,
      describe: 'Also say whether the daemon could run here. Touches no VM.',
    },
    uri: { type: 'string', default: 'qemu:///system', describe: 'With --live: libvirt connection.' },
    mapping: { type: 'string', describe: 'With --live: mapping file.' },
    journal: {
      type: 'string',
      default: '/var/lib/foresize',
      describe: 'With --live: folder of the journal.',
    },
    'token-file': { type: 'string', describe: "With --live: file of the API's token." },
  },
  examine: async (args: Readonly<Record<string, unknown>>): Promise<readonly LiveCheck[]> => {
    if (args['live'] !== true) return [];
    const { examineLive } = await import('../doctor.ts');
    const text = (key: string) => args[key] as string | undefined;
    return examineLive({
      uri: text('uri')!,
      mapping: text('mapping'),
      journal: text('journal'),
      tokenFile: text('token-file'),
    });
  },
} as const;
