import { createHash } from 'node:crypto';
import type { ControllerConfig } from '../core/config.ts';
import { parseDuration } from '../core/duration.ts';
import { ForesizeError } from '../core/errors.ts';
import type { Fleet } from '../core/fleet.ts';
import type { Frame } from '../core/model.ts';
import { operate } from './advisor/operation.ts';
import { canonicalJson } from './canonical-json.ts';
import { codeVersion } from './code-version.ts';
import { jainIndex } from './fairness.ts';
import { MeasureBook } from './measures.ts';
import type { Measures, RecordedVm, RunResult } from './result.ts';
import { sha256 } from './run-folder.ts';
import type { LoadedScenario, Scenario } from './scenario.ts';
import { type Simulation, type SimulationEvidence, simulate } from './simulate.ts';
import { loadTrace } from './trace/load.ts';
import type { ReadReport } from './trace/types.ts';
import { openWorkload } from './workload/open.ts';
import type { Workload } from './workload/types.ts';

/** A scenario with its workload opened: what runs of any policy share. */
export interface Experiment {
  readonly scenario: Scenario;
  readonly workload: Workload;
  /** What the trace reader met; undefined when demand is generated. */
  readonly trace: ReadReport | undefined;
  readonly warmupTicks: number;
}

/** A workload, and what the trace reader met on the way to it. */
export type OpenedWorkload = Pick<Experiment, 'workload' | 'trace'>;

/** Opens the workload and checks that the scenario's times fit it. */
export async function openExperiment(
  loaded: LoadedScenario,
  options: { onProgress?: (done: number, total: number) => void; signal?: AbortSignal } = {},
): Promise<Experiment> {
  return toExperiment(loaded, await openScenarioWorkload(loaded, options));
}

export async function openScenarioWorkload(
  { scenario, baseDir }: Pick<LoadedScenario, 'scenario' | 'baseDir'>,
  options: { onProgress?: (done: number, total: number) => void; signal?: AbortSignal } = {},
): Promise<OpenedWorkload> {
  const stepMs = parseDuration(scenario.tick, 'tick');
  const intervals =
    scenario.duration === undefined
      ? undefined
      : Math.round(parseDuration(scenario.duration, 'duration') / stepMs);
  let trace: ReadReport | undefined;
  const workload = await openWorkload(scenario.workload, {
    seed: scenario.seed,
    stepMs,
    intervals,
    baseDir,
    loadTrace: async (request) => {
      const loaded = await loadTrace({ ...request, ...options });
      trace = loaded.report;
      return loaded;
    },
  });
  return { workload, trace };
}

/** @throws ForesizeError WORKLOAD_TOO_SHORT */
export function toExperiment(
  { scenario, file }: Pick<LoadedScenario, 'scenario' | 'file'>,
  { workload, trace }: OpenedWorkload,
): Experiment {
  const warmupTicks = Math.round(parseDuration(scenario.warmup, 'warmup') / workload.stepMs);
  const needed = warmupTicks + longestHorizon(scenario);
  if (workload.intervals <= needed) {
    throw new ForesizeError({
      code: 'WORKLOAD_TOO_SHORT',
      what: `the workload has ${workload.intervals} ticks, but warm-up and horizon need more than ${needed}`,
      where: `${file}: duration, warmup`,
      remedy: 'lengthen duration, shorten warmup, or take a longer trace',
    });
  }
  return { scenario, workload, trace, warmupTicks };
}

function longestHorizon(scenario: Scenario): number {
  return Math.max(1, ...Object.values(scenario.policies).map((p) => ('horizon' in p ? p.horizon : 1)));
}

/** Identity of a run: the resolved scenario as one policy sees it, the trace's bytes and the code. */
export function runId(experiment: Experiment, policy: string): string {
  return runIdentity(experiment.scenario, policy, experiment.trace?.sha256 ?? null);
}

/** The same before the workload is opened. @param trace SHA-256 of the trace, null where there is none or it is not known */
export function runIdentity(
  { compare: _, ...scenario }: Scenario,
  policy: string,
  trace: string | null,
): string {
  return sha256(
    canonicalJson({
      scenario: { ...scenario, policies: policiesInPlay(scenario, policy), policy },
      trace,
      version: codeVersion(),
    }),
  ).slice(0, 16);
}

/** The default policy and those that applications name: others would only cost time. */
function policiesInPlay(
  scenario: Pick<Scenario, 'policies' | 'applications'>,
  policy: string,
): Scenario['policies'] {
  const names = new Set([policy, ...Object.values(scenario.applications)]);
  return Object.fromEntries(Object.entries(scenario.policies).filter(([name]) => names.has(name)));
}

/** The part of a scenario that decides, with one policy as the default: what would run live. */
export function controllerOf(scenario: Scenario, policy: string): ControllerConfig {
  const { applications, guards, anomalies, profiler, prices } = scenario;
  return {
    policies: policiesInPlay(scenario, policy),
    policy,
    applications,
    guards,
    anomalies,
    profiler,
    prices,
  };
}

export interface RunOptions {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Takes the decision log's bytes. */
  readonly onDecisions?: ((bytes: Uint8Array) => void) | undefined;
  /** Also keep what a promotion needs beside the result. */
  readonly evidence?: boolean | undefined;
  /** Shown what the controller saw at every tick. */
  readonly onFrame?: ((fleet: Fleet, frame: Frame) => void) | undefined;
}

export interface RunOutcome {
  readonly result: RunResult;
  /** Every tick of the recorded VMs; the result holds the end of it. */
  readonly recorded: readonly RecordedVm[];
  readonly evidence?: SimulationEvidence | undefined;
}

/** Runs one policy of the experiment as the default policy. */
export async function runPolicy(
  experiment: Experiment,
  policy: string,
  options: RunOptions = {},
): Promise<RunOutcome> {
  const { warmupTicks } = experiment;
  const { scenario, workload, bill, spot } = operate(experiment.scenario, experiment.workload);
  const digest = createHash('sha256');
  const simulation = await simulate({
    controller: controllerOf(scenario, policy),
    workload,
    seed: scenario.seed,
    warmup: warmupTicks,
    hypervisor: scenario.hypervisor,
    telemetry: scenario.telemetry,
    vms: scenario.vms,
    hosts: scenario.hosts,
    bill,
    spot,
    onFrame: options.onFrame,
    record: scenario.record.vms,
    evidence: options.evidence,
    onDecisions: (bytes) => {
      digest.update(bytes);
      options.onDecisions?.(bytes);
    },
    onProgress: (done) => options.onProgress?.(done, workload.intervals),
    signal: options.signal,
  });
  return {
    result: toResult(experiment, policy, simulation, digest.digest('hex')),
    recorded: simulation.recorded,
    evidence: simulation.evidence,
  };
}

function toResult(experiment: Experiment, policy: string, simulation: Simulation, sha: string): RunResult {
  const { scenario, workload, warmupTicks } = experiment;
  const { epochMs, stepMs, intervals } = workload;
  const book = new MeasureBook(simulation.score, scenario.prices);
  const users = book.by('userId');
  return {
    schema: 'foresize/result/v1',
    id: runId(experiment, policy),
    scenario: scenario.name,
    policy,
    seed: scenario.seed,
    version: codeVersion(),
    backend: simulation.backend,
    currency: scenario.prices.currency,
    span: {
      from: new Date(epochMs + warmupTicks * stepMs).toISOString(),
      to: new Date(epochMs + intervals * stepMs).toISOString(),
      ticks: intervals - warmupTicks,
      warmupTicks,
      tickMs: stepMs,
    },
    fleet: book.fleet(),
    fairness: jainIndex(Object.values(users).map(satisfaction)),
    applications: book.by('applicationId'),
    users,
    vms: book.vms(),
    days: book.days(),
    decisions: {
      sha256: sha,
      intents: simulation.log.intents,
      failed: simulation.log.failed,
      refused: simulation.log.refused,
    },
    vmTicks: simulation.vmTicks,
    ...(simulation.cluster && { cluster: simulation.cluster }),
    ...(simulation.bill && { bill: simulation.bill }),
    ...(simulation.jobs.jobs > 0 && { jobs: simulation.jobs }),
    ...(simulation.spot && { spot: simulation.spot }),
    ...(simulation.anomalies && { anomalies: simulation.anomalies }),
    timeline: simulation.timeline,
    recorded: simulation.recorded.map(tail),
  };
}

/** 1 - violation rate, mean over the managed resources. */
function satisfaction({ resources }: Measures): number {
  const rates = Object.values(resources).map((r) => r.violationRate);
  return 1 - rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

/** The last three days at five minutes, to five digits: what a report can show without weighing megabytes. */
const REPORT_TICKS = 864;

function tail(vm: RecordedVm): RecordedVm {
  const short = (values: readonly (number | null)[]) =>
    values.slice(-REPORT_TICKS).map((v) => (v === null ? null : Number(v.toPrecision(5))));
  const resources: RecordedVm['resources'] = {};
  for (const [name, series] of Object.entries(vm.resources) as [
    keyof RecordedVm['resources'],
    NonNullable<RecordedVm['resources']['cpu']>,
  ][]) {
    resources[name] = {
      demand: short(series.demand) as number[],
      usage: short(series.usage) as number[],
      allocation: short(series.allocation) as number[],
      median: short(series.median),
      upper: short(series.upper),
    };
  }
  return { ...vm, at: vm.at.slice(-REPORT_TICKS), resources };
}
