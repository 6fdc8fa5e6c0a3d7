import type { CommandModule } from 'yargs';
import { type CompareSweepOptions, compareSweep } from '../sweep/compare/compare-sweep.ts';
import { comparisonText } from '../sweep/compare/text.ts';
import { SweepFolder } from '../sweep/folder.ts';
import { Bars, commonOptions, print } from './console.ts';

interface Args {
  folder: string;
  baseline?: string | undefined;
  replicates?: string[] | undefined;
  level: number;
  resamples: number;
  margin?: number | undefined;
  json: boolean;
  quiet: boolean;
}

export const DEFAULTS = { level: 0.95, resamples: 2000 } as const;

/** `foresize sweep compare`: configurations of a sweep, paired, with intervals, front and sensitivities. */
export const sweepCompareCommand: CommandModule<object, Args> = {
  command: 'compare <folder>',
  describe: 'Compare the configurations of a sweep with one of them, and say what each axis explains',
  builder: (yargs) =>
    yargs
      .positional('folder', { type: 'string', demandOption: true })
      .options(commonOptions)
      .option('baseline', {
        type: 'string',
        describe:
          'Configuration to compare with, such as policy=vpa; the only one of vpa or static when left out.',
      })
      .option('replicates', {
        type: 'string',
        array: true,
        describe: 'Axes that repeat a configuration; those over seed and workload when left out.',
      })
      .option('level', { type: 'number', default: DEFAULTS.level, describe: 'Level of the intervals.' })
      .option('resamples', { type: 'number', default: DEFAULTS.resamples, describe: 'Bootstrap resamples.' })
      .option('margin', {
        type: 'number',
        describe: 'Test that violations are no worse by this share of VM-time (0.01 is a percentage point).',
      })
      .example('$0 sweep compare out/thresholds --baseline policy=vpa --margin 0.005', '') as never,
  handler: printSweepComparison,
};

/** What `sweep compare` prints, also for `foresize compare FOLDER`. */
export function printSweepComparison(
  args: Omit<CompareSweepOptions, 'onProgress'> & Pick<Args, 'folder' | 'json' | 'quiet'>,
): void {
  const bars = new Bars(args.quiet);
  try {
    const comparison = compareSweep(SweepFolder.open(args.folder), {
      ...args,
      onProgress: bars.add('compare'),
    });
    bars.stop();
    print(args.json ? JSON.stringify(comparison) : comparisonText(comparison));
  } finally {
    bars.stop();
  }
}
