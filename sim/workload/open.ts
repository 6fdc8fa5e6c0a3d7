import { basename, resolve } from 'node:path';
import { parseDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';
import type { ResourceVector } from '../../core/model.ts';
import type { Assumed, LoadOptions, Trace } from '../trace/types.ts';
import { withAnomalies } from './anomalies/inject.ts';
import { type ArrivalProcess, poissonArrivals } from './arrivals.ts';
import { azureArrivals } from './azure.ts';
import { readAzureArrivals, replayArrivals } from './azure-trace.ts';
import type { Bounds } from './bounds.ts';
import { generateWorkload } from './generate.ts';
import { GENERATED_EPOCH } from './grid.ts';
import { populate } from './population.ts';
import { replayWorkload } from './replay.ts';
import type {
  AzureArrivalsConfig,
  BoundsConfig,
  GeneratedConfig,
  PopulationConfig,
  TraceConfig,
  WorkloadConfig,
} from './schema.ts';
import type { Workload } from './types.ts';

export interface OpenOptions {
  readonly seed: number;
  readonly stepMs: number;
  /** Number of intervals; a trace runs to its end when left out, a generator must be told. */
  readonly intervals?: number | undefined;
  /** Folder that relative paths start from: the scenario's. */
  readonly baseDir: string;
  /** `loadTrace` of sim/trace/load.ts, or a wrapper that reports progress. */
  readonly loadTrace: (request: LoadOptions) => Promise<Trace>;
  /** Where `traces:` leads; $FORESIZE_TRACES when left out. */
  readonly tracesDir?: string | undefined;
}

/**
 * Opens the workload a scenario's `workload:` section describes.
 * @throws ForesizeError WORKLOAD_NO_DURATION, WORKLOAD_NO_TRACES_FOLDER, ARRIVALS_TOO_SHORT, ANOMALY_AFTER_END, and what
 * the readers throw
 */
export async function openWorkload(config: WorkloadConfig, options: OpenOptions): Promise<Workload> {
  return withAnomalies(await openCalm(config, options), config.anomalies, options.seed);
}

async function openCalm(config: WorkloadConfig, options: OpenOptions): Promise<Workload> {
  switch (config.source) {
    case 'trace':
      return openTrace(config, options);
    case 'generated':
      return openGenerated(config, options);
    case 'azure-arrivals':
      return openAzureArrivals(config, options);
  }
}

async function openTrace(config: TraceConfig, options: OpenOptions): Promise<Workload> {
  const { stepMs, intervals } = options;
  const from = Math.round(parseDuration(config.from) / stepMs);
  const trace = await options.loadTrace({
    path: locate(config.path, options),
    stepMs,
    format: config.format,
    limit: config.limit,
    from: from === 0 ? undefined : from,
    to: intervals === undefined ? undefined : from + intervals,
    assume: assumed(config.assume),
  });
  return replayWorkload(trace, { ...config, intervals, bounds: boundsOf(config.bounds) });
}

function assumed({ cpu, memory, diskIo, network }: TraceConfig['assume']): Partial<Assumed> {
  return {
    ...(cpu !== undefined && { cores: cpu }),
    ...(memory !== undefined && { memoryMiB: memory }),
    ...(diskIo !== undefined && { diskBytesPerS: diskIo }),
    ...(network !== undefined && { networkBytesPerS: network }),
  };
}

function openGenerated(config: GeneratedConfig, options: OpenOptions): Workload {
  const { arrivals } = config;
  const { seed } = options;
  if (options.intervals === undefined) {
    throw new ForesizeError({
      code: 'WORKLOAD_NO_DURATION',
      what: 'a generated workload has no end of its own',
      where: 'duration',
      remedy: 'set duration, for example 7d',
    });
  }
  return generate('generated', config, options, options.intervals, processOf(arrivals, seed));
}

function processOf(arrivals: GeneratedConfig['arrivals'], seed: number): (() => ArrivalProcess) | undefined {
  switch (arrivals.pattern) {
    case 'none':
      return undefined;
    case 'poisson':
      return () => poissonArrivals(arrivals, seed);
    case 'azure':
      return () => azureArrivals(arrivals, seed);
  }
}

async function openAzureArrivals(config: AzureArrivalsConfig, options: OpenOptions): Promise<Workload> {
  const { seed, stepMs } = options;
  const folder = locate(config.path, options);
  const recorded = await readAzureArrivals(folder, seed);
  const most = Math.floor(recorded.lengthMs / stepMs);
  const intervals = options.intervals ?? most;
  if (intervals > most) {
    throw new ForesizeError({
      code: 'ARRIVALS_TOO_SHORT',
      what: `the arrivals cover ${most} intervals where ${intervals} are asked for`,
      where: folder,
      remedy: `set duration to at most ${most} ticks, or use arrivals: {pattern: azure}`,
    });
  }
  return generate(basename(folder), config, options, intervals, () =>
    replayArrivals(recorded, config.share, seed),
  );
}

function generate(
  name: string,
  config: PopulationConfig,
  { seed, stepMs }: OpenOptions,
  intervals: number,
  arrivals: (() => ArrivalProcess) | undefined,
): Workload {
  return generateWorkload({
    name,
    epochMs: GENERATED_EPOCH,
    stepMs,
    intervals,
    seed,
    population: populate(config, seed),
    correlation: config.correlation,
    bounds: boundsOf(config.bounds),
    arrivals,
  });
}

function boundsOf({ floor, ceiling }: BoundsConfig): Bounds {
  const { cpu, memory, diskIo, network } = floor;
  return { floor: [cpu, memory, diskIo, network] satisfies ResourceVector, ceiling };
}

const TRACES = 'traces:';

/** A path of a scenario: relative to it, or `traces:NAME`. */
export function locate(
  path: string,
  { baseDir, tracesDir }: Pick<OpenOptions, 'baseDir' | 'tracesDir'>,
): string {
  if (!path.startsWith(TRACES)) return resolve(baseDir, path);
  const folder = tracesDir ?? process.env['FORESIZE_TRACES'];
  if (!folder) {
    throw new ForesizeError({
      code: 'WORKLOAD_NO_TRACES_FOLDER',
      what: `${path} is a path in $FORESIZE_TRACES, which is not set`,
      where: 'workload.path',
      remedy:
        'set FORESIZE_TRACES to the folder that holds your traces, or give a path relative to the scenario',
    });
  }
  return resolve(folder, path.slice(TRACES.length));
}
