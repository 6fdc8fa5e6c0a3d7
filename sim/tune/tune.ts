import { codeVersion } from '../code-version.ts';
import { holm } from '../compare/holm.ts';
import { pairRuns } from '../compare/paired.ts';
import type { PairedDifference, RunResult } from '../result.ts';
import { poolRuns } from '../sweep/compare/pool-runs.ts';
import type { Engine } from '../sweep/engine.ts';
import type { PointTask } from '../sweep/point-task.ts';
import type { RecordStore } from '../sweep/record-store.ts';
import type { Spec } from '../sweep/spec.ts';
import { distinctWorkloads, type WorkloadIdentity } from '../workload-identity.ts';
import { type Candidate, candidatesOf, candidateText } from './candidates.ts';
import { Evaluator } from './evaluator.ts';
import { type Rung, rungs, runsOf } from './halving.ts';
import { rank } from './rank.ts';
import { type Part, type Scores, Search } from './search.ts';
import type { Objective, TuneSpec } from './spec.ts';

export interface TunedPolicy {
  readonly policy: string;
  /** 'tuned', 'default' (the tuned policy as the scenario has it) or 'reference'. */
  readonly role: 'tuned' | 'default' | 'reference';
  readonly parameters: Readonly<Record<string, unknown>>;
  /** The policy as a scenario or a live configuration holds it. */
  readonly config: unknown;
  /** Whether it keeps the limits of `choose.subjectTo` on the training workloads. */
  readonly keepsLimits: boolean;
  readonly train: Scores;
  readonly holdout: Scores;
  /** On the workloads kept back, against the baseline; empty for the baseline. */
  readonly againstBaseline: readonly PairedDifference[];
  /** Of a tuned policy, against its own default; what tuning gained where it had not seen the workload. */
  readonly againstDefault: readonly PairedDifference[];
}

export interface TuneResult {
  readonly schema: 'foresize/tune/v1';
  readonly name: string;
  readonly version: string;
  readonly currency: string;
  readonly baseline: string;
  readonly objectives: readonly Objective[];
  readonly rungs: readonly Rung[];
  /** Simulations of the search a policy: the same for all, unless a space holds fewer points. */
  readonly budget: Readonly<Record<string, number>>;
  /** The last rung of each policy on the training workloads, best first. */
  readonly finalists: Readonly<
    Record<string, readonly { parameters: Candidate['parameters']; train: Scores }[]>
  >;
  /** The data the search has seen, and what was kept back from it. */
  readonly trainedOn: readonly WorkloadIdentity[];
  readonly keptBack: readonly WorkloadIdentity[];
  readonly policies: readonly TunedPolicy[];
}

export interface TuneOptions {
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Searches the parameters of every policy on the training workloads, by successive halving and with one budget for
 * all; then evaluates what was chosen once on the workloads kept back, beside the defaults and the references.
 * @throws ForesizeError TUNE_LEAK, TUNE_POLICY, TUNE_RUN_FAILED, SWEEP_AXIS_*
 */
export async function tune(
  spec: Spec<TuneSpec>,
  store: RecordStore,
  engine: Engine,
  options: TuneOptions = {},
): Promise<TuneResult> {
  const { value } = spec;
  const search = new Search(spec);
  const total = tuneRuns(value);
  const evaluator = new Evaluator(store, engine, options.signal, (done) =>
    options.onProgress?.(Math.min(done, total), total),
  );
  const evaluate = async (
    candidates: readonly Candidate[],
    part: Part,
    workloads: number,
  ): Promise<Scored[]> => {
    const tasks = candidates.map((candidate) => search.tasks(candidate, part).slice(0, workloads));
    await evaluator.run(tasks.flat());
    return candidates.map((candidate, i) => ({
      candidate,
      tasks: tasks[i]!,
      scores: search.scores(tasks[i]!, evaluator),
    }));
  };

  const { finalists, budget, plan } = await halve(spec, search, evaluate);
  const entries = entriesOf(value, search, finalists);
  const candidates = entries.map(({ candidate }) => candidate);
  const train = await evaluate(candidates, 'train', value.train.length);
  const holdout = await evaluate(candidates, 'holdout', value.holdout.length);
  const kept = holdout.map((scored) => pooled(scored, evaluator));
  const baseline = baselineOf(value);
  const indexOf = (policy: string, not: TunedPolicy['role']) =>
    entries.findIndex(({ role, candidate }) => candidate.policy === policy && role !== not);
  const reference = indexOf(baseline, 'default');
  const { seed } = value.search;
  const againstBaseline = pairAll(kept, () => reference, seed);
  const againstDefault = pairAll(
    kept,
    (i) => (entries[i]!.role === 'tuned' ? indexOf(candidates[i]!.policy, 'tuned') : i),
    seed,
  );
  return {
    schema: 'foresize/tune/v1',
    name: value.name,
    version: codeVersion(),
    currency: kept[0]!.currency,
    baseline,
    objectives: value.objectives,
    rungs: plan,
    budget,
    finalists: Object.fromEntries(
      [...finalists].map(([policy, own]) => [
        policy,
        own.map(({ candidate, scores }) => ({ parameters: candidate.parameters, train: scores })),
      ]),
    ),
    trainedOn: workloadsOf(train, evaluator),
    keptBack: workloadsOf(holdout, evaluator),
    policies: entries.map(({ role, candidate }, i) => ({
      policy: candidate.policy,
      role,
      parameters: candidate.parameters,
      config: search.config(candidate),
      keepsLimits: search.outcome(train[i]!.scores).excess === 0,
      train: train[i]!.scores,
      holdout: holdout[i]!.scores,
      againstBaseline: againstBaseline[i]!,
      againstDefault: againstDefault[i]!,
    })),
  };
}

interface Scored {
  readonly candidate: Candidate;
  readonly tasks: readonly PointTask[];
  readonly scores: Scores;
}

type Evaluate = (candidates: readonly Candidate[], part: Part, workloads: number) => Promise<Scored[]>;

/** Climbs the rungs: all policies of a rung at once, which is more to do in parallel and the same for each. */
async function halve(
  spec: Spec<TuneSpec>,
  search: Search,
  evaluate: Evaluate,
): Promise<{ finalists: Map<string, Scored[]>; budget: Record<string, number>; plan: Rung[] }> {
  const { policies, search: options, train } = spec.value;
  const plan = rungs(options.candidates, train.length, options.eta);
  const tuned = Object.keys(policies);
  let alive = tuned.flatMap((policy) => candidatesOf(spec, search.base, policy));
  const budget = Object.fromEntries(
    tuned.map((policy) => {
      const most = alive.filter((candidate) => candidate.policy === policy).length;
      return [policy, runsOf(plan.map((r) => ({ ...r, candidates: Math.min(r.candidates, most) })))];
    }),
  );
  const finalists = new Map<string, Scored[]>();
  for (const [step, { workloads }] of plan.entries()) {
    const results = await evaluate(alive, 'train', workloads);
    const keep = plan[step + 1]?.candidates;
    alive = tuned.flatMap((policy) => {
      const own = results.filter(({ candidate }) => candidate.policy === policy);
      const order = rank(own.map(({ scores }) => search.outcome(scores))).map((i) => own[i]!);
      finalists.set(policy, order);
      return order.slice(0, keep).map(({ candidate }) => candidate);
    });
  }
  return { finalists, budget, plan };
}

/** What is evaluated in the end: the choice and the default of every policy, and the references. */
function entriesOf(
  spec: TuneSpec,
  search: Search,
  finalists: ReadonlyMap<string, readonly Scored[]>,
): { role: TunedPolicy['role']; candidate: Candidate }[] {
  const asIs = (policy: string): Candidate => ({ policy, parameters: {} });
  const tuned = [...finalists.keys()];
  return [
    ...tuned.map((policy) => ({ role: 'tuned' as const, candidate: search.choose(finalists.get(policy)!) })),
    ...tuned.map((policy) => ({ role: 'default' as const, candidate: asIs(policy) })),
    ...spec.references.map((policy) => ({ role: 'reference' as const, candidate: asIs(policy) })),
  ];
}

/** Each run against the one that `against` names, none against itself; p-values corrected over all. */
function pairAll(
  runs: readonly RunResult[],
  against: (i: number) => number,
  seed: number,
): PairedDifference[][] {
  const rows = runs.map((run, i) =>
    against(i) === i ? [] : pairRuns(run, runs[against(i)]!, { level: 0.95, resamples: 2000, seed }),
  );
  const adjusted = holm(rows.flat().map(({ pHolm }) => pHolm));
  let next = 0;
  return rows.map((row) => row.map((difference) => ({ ...difference, pHolm: adjusted[next++]! })));
}

/** Simulations a tuning takes at most: a candidate that is the default, or is chosen, is not run again. */
function tuneRuns(spec: TuneSpec): number {
  const { train, holdout, policies, references, search } = spec;
  const tuned = Object.keys(policies).length;
  const runs = runsOf(rungs(search.candidates, train.length, search.eta));
  return (
    tuned * (runs + train.length) +
    2 * tuned * holdout.length +
    references.length * (train.length + holdout.length)
  );
}

function baselineOf({ baseline, policies, references }: TuneSpec): string {
  const names = [...Object.keys(policies), ...references];
  return baseline ?? ['vpa', 'static'].find((name) => names.includes(name)) ?? names[0]!;
}

function workloadsOf(scored: readonly Scored[], evaluator: Evaluator): WorkloadIdentity[] {
  return distinctWorkloads(
    scored.flatMap(({ tasks }) => tasks.map(({ id }) => evaluator.record(id).workload)),
  );
}

function pooled({ candidate, tasks }: Scored, evaluator: Evaluator): RunResult {
  return poolRuns(
    `${candidate.policy} (${candidateText(candidate)})`,
    tasks.map(({ id }, i) => ({ name: `workload ${i + 1}`, record: evaluator.record(id) })),
  );
}
