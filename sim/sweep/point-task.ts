import { performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { canonicalJson } from '../canonical-json.ts';
import { type OpenedWorkload, openScenarioWorkload, runPolicy, toExperiment } from '../experiment.ts';
import { type FlatMeasures, flatMeasures, flatRun } from '../flat-measures.ts';
import type { Measures, RunResult } from '../result.ts';
import type { Scenario } from '../scenario.ts';
import { type WorkloadIdentity, workloadIdentity } from '../workload-identity.ts';

/** One point to simulate: plain data, for a thread or a queue. */
export interface PointTask {
  readonly id: string;
  readonly scenario: Scenario;
  /** Folder that relative paths in the scenario start from. */
  readonly baseDir: string;
}

/** What a run leaves behind. */
export interface PointRecord {
  readonly schema: 'foresize/sweep-run/v1';
  readonly id: string;
  /** SHA-256 of the trace; null when demand is generated. */
  readonly trace: string | null;
  /** The data the run has seen, for whoever must not use it again. */
  readonly workload: WorkloadIdentity;
  /** The whole fleet. */
  readonly measures: FlatMeasures;
  /** Every application and every user. */
  readonly groups: readonly PointGroup[];
  /** Without what stands above and what a sweep has no use for: single VMs (their days stay) and series. */
  readonly result: RunResult;
}

export interface PointGroup {
  readonly kind: 'application' | 'user';
  readonly name: string;
  readonly measures: FlatMeasures;
}

export interface PointDone {
  /** The record as canonical JSON, gzipped: the same bytes wherever the run was made. */
  readonly record: Uint8Array;
  /** What the trace was read with, and its hash; null when demand is generated. */
  readonly trace: { readonly source: string; readonly sha256: string } | null;
  readonly wallSeconds: number;
}

/** Runs points one after the other and keeps the last workload open, which the next point often shares. */
export class PointRunner {
  #key = '';
  #opened: OpenedWorkload | undefined;

  async run(task: PointTask, onProgress?: (done: number, total: number) => void): Promise<PointDone> {
    const started = performance.now();
    const { scenario } = task;
    const opened = await this.#open(task);
    const experiment = toExperiment({ scenario, file: `run ${task.id}` }, opened);
    const { result } = await runPolicy(experiment, scenario.policy, { onProgress });
    const sha256 = opened.trace?.sha256;
    const record: PointRecord = {
      schema: 'foresize/sweep-run/v1',
      id: task.id,
      trace: sha256 ?? null,
      workload: workloadIdentity(scenario, sha256 ?? null),
      measures: flatRun(result),
      groups: [...groups('application', result.applications), ...groups('user', result.users)],
      result: slim(result),
    };
    return {
      record: gzipSync(canonicalJson(record)),
      trace: sha256 === undefined ? null : { source: traceSource(scenario), sha256 },
      wallSeconds: (performance.now() - started) / 1000,
    };
  }

  async #open(task: PointTask): Promise<OpenedWorkload> {
    const key = workloadKey(task.scenario, task.baseDir);
    if (this.#opened && key === this.#key) return this.#opened;
    // Let go of the old one first: two large traces need not fit at once.
    this.#opened = undefined;
    this.#opened = await openScenarioWorkload(task);
    this.#key = key;
    return this.#opened;
  }
}

/** Equal where two scenarios open the same workload. */
export function workloadKey({ workload, tick, duration, seed }: Scenario, baseDir: string): string {
  const drawn = workload.source === 'trace' ? null : seed;
  return canonicalJson([workload, tick, duration ?? null, drawn, baseDir]);
}

/** What decides which bytes of a trace are read. */
function traceSource({ workload, tick }: Scenario): string {
  return workload.source === 'trace'
    ? canonicalJson([workload.path, workload.format ?? null, workload.limit ?? null, workload.from, tick])
    : canonicalJson(workload);
}

function groups(kind: PointGroup['kind'], of: Readonly<Record<string, Measures>>): PointGroup[] {
  return Object.entries(of).map(([name, measures]) => ({ kind, name, measures: flatMeasures(measures) }));
}

function slim(result: RunResult): RunResult {
  return {
    ...result,
    applications: {},
    users: {},
    vms: {},
    timeline: { at: [], resources: {}, resizes: [], starvedVms: [], vms: [] },
    recorded: [],
  };
}
