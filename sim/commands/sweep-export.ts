import type { CommandModule } from 'yargs';
import { ForesizeError } from '../../core/errors.ts';
import { writeDvc } from '../tracking/dvc.ts';
import { logToMlflow } from '../tracking/mlflow.ts';
import { trackedRuns } from '../tracking/runs.ts';
import { Bars, commonOptions, print } from './console.ts';

interface Args {
  folder: string;
  mlflow?: string | undefined;
  experiment?: string | undefined;
  dvc: boolean;
  json: boolean;
  quiet: boolean;
}

/** `foresize sweep export`: finished runs to a tracker. */
export const sweepExportCommand: CommandModule<object, Args> = {
  command: 'export <folder>',
  describe: 'Log finished runs to MLflow, or write DVC files beside them',
  builder: (yargs) =>
    yargs
      .positional('folder', {
        type: 'string',
        demandOption: true,
        describe: 'Folder of a sweep, of a run, or of many runs.',
      })
      .options(commonOptions)
      .option('mlflow', {
        type: 'string',
        describe: 'URL of an MLflow server; $MLFLOW_TRACKING_URI when given empty.',
      })
      .option('experiment', {
        type: 'string',
        describe: "MLflow experiment; the sweep's name when left out.",
      })
      .option('dvc', {
        type: 'boolean',
        default: false,
        describe: 'Write dvc.yaml, params.yaml, metrics.json and .dvc files into the folder.',
      })
      .example('$0 sweep export out/thresholds --mlflow http://localhost:5000', '') as never,
  handler: async (args) => {
    if (args.mlflow === undefined && !args.dvc) {
      throw new ForesizeError({
        code: 'USAGE',
        what: 'nowhere to export to',
        where: 'sweep export',
        remedy: 'add --mlflow URL or --dvc',
      });
    }
    const { name, runs } = trackedRuns(args.folder);
    const done: Record<string, unknown> = {};
    if (args.mlflow !== undefined) done['mlflow'] = await toMlflow(args, name, runs);
    if (args.dvc) done['dvc'] = writeDvc(args.folder, runs);
    if (args.json) print(JSON.stringify(done));
    else print(Object.entries(done).map(lineOf).join('\n'));
  },
};

async function toMlflow(args: Args, name: string, runs: ReturnType<typeof trackedRuns>['runs']) {
  const url = args.mlflow || process.env['MLFLOW_TRACKING_URI'];
  if (!url) {
    throw new ForesizeError({
      code: 'USAGE',
      what: 'no URL of an MLflow server',
      where: '--mlflow',
      remedy: 'give one, or set MLFLOW_TRACKING_URI',
    });
  }
  const bars = new Bars(args.quiet);
  try {
    return await logToMlflow(runs, {
      url,
      experiment: args.experiment ?? (name || 'foresize'),
      authorization: authorization(),
      onProgress: bars.add('mlflow'),
    });
  } finally {
    bars.stop();
  }
}

/** As MLflow's own clients take it from the environment. */
function authorization(): string | undefined {
  const { MLFLOW_TRACKING_TOKEN: token, MLFLOW_TRACKING_USERNAME: user } = process.env;
  if (token) return `Bearer ${token}`;
  if (!user) return undefined;
  const password = process.env['MLFLOW_TRACKING_PASSWORD'] ?? '';
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function lineOf([where, what]: [string, unknown]): string {
  if (Array.isArray(what)) return `${where}: ${what.join(', ')}`;
  const { logged, present } = what as { logged: number; present: number };
  return `${where}: ${logged} runs logged, ${present} were there`;
}
