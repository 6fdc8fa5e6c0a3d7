import type { CommandModule } from 'yargs';
import { canonicalJson } from '../canonical-json.ts';
import { loadGates } from '../promote/gates-spec.ts';
import { promote } from '../promote/promote.ts';
import { promotionText, refusal } from '../promote/text.ts';
import { Bars, commonOptions, interruptible, print } from './console.ts';

interface Args {
  run: string;
  policy?: string | undefined;
  against?: string | undefined;
  gates?: string | undefined;
  out?: string | undefined;
  json: boolean;
  quiet: boolean;
}

/** `foresize promote RUN`: holds a run against the gates and makes the bundle that may go live; exit code 4 if not. */
export const promoteCommand: CommandModule<object, Args> = {
  command: 'promote <run>',
  describe: 'Make a bundle of a run that passes every gate; exit code 4 when it does not',
  builder: (yargs) =>
    yargs
      .positional('run', {
        type: 'string',
        demandOption: true,
        describe: 'Folder of a finished run (out/<id>) or of a comparison (out/compare-<id>).',
      })
      .options(commonOptions)
      .option('policy', { type: 'string', describe: 'Which policy of a comparison of several.' })
      .option('against', {
        type: 'string',
        describe: "The incumbent: a run's folder or a policy of the scenario; its baseline when left out.",
      })
      .option('gates', { type: 'string', describe: 'File of gates (YAML); `foresize schema gates` has all.' })
      .option('out', {
        type: 'string',
        describe: 'Folder for the bundle; beside the run when left out.',
      }) as never,
  handler: async (args) => {
    const gates = loadGates(args.gates);
    const bars = new Bars(args.quiet);
    const { signal, release } = interruptible();
    try {
      const promotion = await promote(args.run, gates, {
        policy: args.policy,
        against: args.against,
        out: args.out,
        onProgress: bars.add('promote'),
        signal,
      });
      bars.stop();
      print(args.json ? canonicalJson(promotion) : promotionText(promotion));
      if (!promotion.passed) throw refusal(promotion.gates);
    } finally {
      bars.stop();
      release();
    }
  },
};
