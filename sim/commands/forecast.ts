import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CommandModule } from 'yargs';
import { z } from 'zod';
import { type ForecastConfig, forecastSchema } from '../../core/config.ts';
import { DAY, parseDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';
import { R, RESOURCES } from '../../core/model.ts';
import { type Backtest, backtest } from '../backtest/backtest.ts';
import { backtestHtml } from '../backtest/html.ts';
import { pairAccuracies } from '../backtest/paired-accuracy.ts';
import { type PlotInput, plotSvg } from '../backtest/plot.ts';
import { terminalAccuracy } from '../backtest/table.ts';
import { codeVersion } from '../code-version.ts';
import { loadScenario, parseScenario } from '../scenario.ts';
import { loadTrace } from '../trace/load.ts';
import { openWorkload } from '../workload/open.ts';
import type { Workload } from '../workload/types.ts';
import { Bars, commonOptions, interruptible, print, remark } from './console.ts';

interface Args {
  workload: string;
  models: string;
  horizon: number;
  every: number;
  warmup: string;
  limit?: number | undefined;
  seed: number;
  vm?: string | undefined;
  out: string;
  json: boolean;
  quiet: boolean;
}

const options = {
  ...commonOptions,
  models: {
    type: 'string',
    default: 'last-value,seasonal-naive,holt-winters',
    describe: 'Models, comma-separated; parameters as in a scenario: lstm:{hidden: 16}',
  },
  horizon: { type: 'number', default: 12, describe: 'Ticks ahead.' },
  every: { type: 'number', default: 37, describe: 'Ticks between origins; prime to a day by default.' },
  warmup: { type: 'string', default: '7d', describe: 'Time before the first origin.' },
  limit: { type: 'number', describe: 'Only the first so many VMs of a trace.' },
  seed: { type: 'number', default: 1 },
  out: { type: 'string', default: 'out', describe: 'Folder for reports.' },
} as const;

/** `foresize forecast WORKLOAD`: rolling-origin backtest of models on a trace or a scenario's workload. */
export const forecastCommand: CommandModule<object, Args> = {
  command: 'forecast <workload>',
  describe: 'Backtest forecasting models on a trace or scenario; `forecast plot` draws one VM',
  builder: (yargs) =>
    yargs
      .command(plotCommand as unknown as CommandModule)
      .positional('workload', {
        type: 'string',
        demandOption: true,
        describe: 'Trace (file, folder) or scenario (.yaml).',
      })
      .options(options) as never,
  handler: async (args) => {
    const run = await prepare(args);
    const vms = pick(run.workload, 3);
    const results = await backtestAll(args, run, vms);
    const accuracies = results.map((r) => r.accuracy);
    const references = accuracies
      .map((a) => a.model)
      .filter((m) => m === 'seasonal-naive' || m === 'last-value');
    const differences = pairAccuracies(
      accuracies,
      references.length > 0 ? references : [accuracies[0]!.model],
      {
        level: 0.95,
        resamples: 2000,
        seed: args.seed,
      },
    );
    mkdirSync(args.out, { recursive: true });
    const file = join(args.out, `forecast-${run.name.replace(/[^\w.-]+/g, '-')}.html`);
    writeFileSync(
      file,
      backtestHtml({
        name: run.name,
        setting: `${accuracies[0]!.vmIds.length} VMs; a forecast of ${args.horizon} ticks every ${args.every} ticks after ${args.warmup}; true demand in place of censored usage.`,
        version: codeVersion(),
        models: accuracies,
        differences,
        plots: results.flatMap((r) => vms.slice(0, 2).map((vm) => plotOf(run, r, vm))),
      }),
    );
    if (args.json) print(JSON.stringify({ models: accuracies, differences }));
    else print(`${terminalAccuracy(accuracies, differences)}\n\nReport: ${file}`);
  },
};

/** `foresize forecast plot WORKLOAD --vm ID`: history, bands and actuals as SVG. */
const plotCommand: CommandModule<object, Args> = {
  command: 'plot <workload>',
  describe: "Draw a VM's history, forecast bands and actual values as SVG",
  builder: (yargs) =>
    yargs
      .positional('workload', { type: 'string', demandOption: true })
      .options(options)
      .option('vm', { type: 'string', describe: 'VM to draw; the middle one when left out.' }) as never,
  handler: async (args) => {
    const run = await prepare({ ...args, every: args.horizon });
    const vm = args.vm ?? pick(run.workload, 1)[0]!;
    mkdirSync(args.out, { recursive: true });
    for (const result of await backtestAll({ ...args, every: args.horizon }, run, [vm])) {
      if (result.kept.length === 0) {
        throw new ForesizeError({
          code: 'FORECAST_NO_VM',
          what: `no forecast of a VM '${vm}' was made`,
          where: '--vm',
          remedy: 'see `foresize trace inspect`, or shorten --warmup',
        });
      }
      const file = join(args.out, `forecast-${vm.replace(/[^\w.-]+/g, '-')}-${result.accuracy.model}.svg`);
      writeFileSync(file, await plotSvg(plotOf(run, result, vm)));
      print(file);
    }
  },
};

interface Prepared {
  readonly name: string;
  readonly workload: Workload;
  readonly models: readonly { name: string; config: ForecastConfig }[];
  readonly warmup: number;
}

async function prepare(args: Args): Promise<Prepared> {
  const models = parseModels(args.models);
  const isScenario = /\.ya?ml$/.test(args.workload);
  const scenario = isScenario ? loadScenario(args.workload) : undefined;
  const stepMs = parseDuration(scenario?.scenario.tick ?? '5m');
  const duration = scenario?.scenario.duration;
  const workload = await openWorkload(
    scenario?.scenario.workload ?? traceWorkload(args.workload, args.limit),
    {
      seed: args.seed,
      stepMs,
      intervals: duration === undefined ? undefined : Math.round(parseDuration(duration) / stepMs),
      baseDir: scenario?.baseDir ?? process.cwd(),
      loadTrace,
    },
  );
  const warmup = Math.round(parseDuration(args.warmup, '--warmup') / stepMs);
  if (warmup + args.horizon >= workload.intervals) {
    throw new ForesizeError({
      code: 'WORKLOAD_TOO_SHORT',
      what: `the workload has ${workload.intervals} ticks; warm-up and horizon need more than ${warmup + args.horizon}`,
      where: '--warmup, --horizon',
      remedy: 'shorten --warmup',
    });
  }
  return {
    name: scenario?.scenario.name ?? args.workload.replace(/\/+$/, '').split('/').slice(-2).join('/'),
    workload,
    models,
    warmup,
  };
}

/** A trace given by its path, with the defaults a scenario would have. */
function traceWorkload(path: string, limit: number | undefined) {
  const yaml = JSON.stringify({
    apiVersion: 'foresize/v1',
    name: 'trace',
    workload: { source: 'trace', path, ...(limit !== undefined && { limit }) },
    policy: 'static',
    policies: { static: { kind: 'static' } },
  });
  return parseScenario(yaml, path).workload;
}

/** `a,b:{x: 1},c`: models by name, each with parameters in YAML flow style if it wants. */
function parseModels(text: string): { name: string; config: ForecastConfig }[] {
  const parts = text.match(/[^,{]+(\{[^}]*\})?/g)?.map((part) => part.trim()) ?? [];
  return parts.filter(Boolean).map((part) => {
    const [, name, params] = /^([\w-]+)\s*:?\s*(\{.*\})?$/.exec(part) ?? [];
    const parsed = forecastSchema.safeParse({ model: name ?? part, ...(params ? parseFlow(params) : {}) });
    if (parsed.success) return { name: part.replace(/\s+/g, ''), config: parsed.data };
    throw new ForesizeError({
      code: 'MODEL_INVALID',
      what: `'${part}': ${z.prettifyError(parsed.error).split('\n')[0]}`,
      where: '--models',
      remedy: 'see `foresize schema` for the models and their parameters',
    });
  });
}

function parseFlow(text: string): object {
  return JSON.parse(
    text
      .replace(/([{,]\s*)([A-Za-z]\w*)\s*:/g, '$1"$2":')
      .replace(/:\s*([A-Za-z][\w-]*)\s*([,}])/g, ':"$1"$2'),
  ) as object;
}

async function backtestAll(args: Args, run: Prepared, keep: readonly string[]): Promise<Backtest[]> {
  const bars = new Bars(args.quiet);
  const { signal, release } = interruptible();
  const results: Backtest[] = [];
  try {
    for (const model of run.models) {
      const bar = bars.add(model.name);
      results.push(
        await backtest(run.workload, model, {
          horizon: args.horizon,
          warmup: run.warmup,
          every: args.every,
          seed: args.seed,
          onProgress: (done) => bar(done, run.workload.intervals),
          signal,
          keep,
        }),
      );
      const { fitSeconds, predictSeconds } = results.at(-1)!.accuracy;
      remark(
        `${model.name}: fitted in ${fitSeconds.toFixed(1)} s, predicted in ${predictSeconds.toFixed(1)} s`,
        args.quiet,
      );
    }
  } finally {
    bars.stop();
    release();
  }
  return results;
}

/** VMs spread over those present at the start. */
function pick(workload: Workload, count: number): string[] {
  const ids = workload
    .open()
    .arrivals(0)
    .map((arrival) => arrival.spec.vmId)
    .sort();
  return Array.from(
    { length: Math.min(count, ids.length) },
    (_, i) => ids[Math.floor(((i + 0.5) * ids.length) / count)]!,
  );
}

/** The last two days of a VM, with the forecasts made in them. */
function plotOf({ workload }: Prepared, { accuracy, kept }: Backtest, vmId: string): PlotInput {
  const { intervals, stepMs, epochMs } = workload;
  const from = Math.max(0, intervals - Math.round((2 * DAY) / stepMs));
  const stream = workload.open();
  const actual = Object.fromEntries(RESOURCES.map((name) => [name, [] as number[]]));
  const row = new Float64Array(R);
  let vm = -1;
  let until = 0;
  for (let t = 0; t < intervals; t++) {
    for (const arrival of stream.arrivals(t)) {
      if (arrival.spec.vmId !== vmId) continue;
      vm = arrival.vm;
      until = arrival.until;
    }
    if (vm < 0 || t >= until) continue;
    stream.demand(t, 1, Int32Array.of(vm), Int32Array.of(0), row);
    if (t < from) continue;
    for (let r = 0; r < R; r++) actual[RESOURCES[r]!]!.push(row[r]!);
  }
  return {
    vmId,
    model: accuracy.model,
    epochMs,
    stepMs,
    from,
    actual,
    forecasts: kept.filter((k) => k.vmId === vmId && k.origin >= from),
  };
}
