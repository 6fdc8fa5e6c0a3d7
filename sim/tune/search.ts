import { resolve } from 'node:path';
import { runIdentity } from '../experiment.ts';
import type { Scenario } from '../scenario.ts';
import { BaseScenario, type Override } from '../sweep/base-scenario.ts';
import { type Json, setField } from '../sweep/fields.ts';
import type { PointTask } from '../sweep/point-task.ts';
import type { Spec } from '../sweep/spec.ts';
import { type Candidate, candidateText, overridesOf, requirePolicies } from './candidates.ts';
import type { Evaluator } from './evaluator.ts';
import { requireApart } from './leak.ts';
import type { Outcome } from './rank.ts';
import type { Objective, TuneSpec } from './spec.ts';

/** Objectives by name. */
export type Scores = Readonly<Partial<Record<Objective, number>>>;

/** The workloads a search sees, and those kept back from it. */
export type Part = 'train' | 'holdout';

/** What the spec says, made ready: scenarios, objectives, limits. */
export class Search {
  readonly base: BaseScenario;
  readonly #spec: Spec<TuneSpec>;
  readonly #instances: Readonly<Record<Part, readonly (readonly Override[])[]>>;

  constructor(spec: Spec<TuneSpec>) {
    const { scenario, set, train, holdout } = spec.value;
    this.#spec = spec;
    const overrides = (fields: Readonly<Record<string, unknown>>, path: readonly (string | number)[]) =>
      Object.entries(fields).map(([field, value]) => ({
        path: field,
        value,
        where: spec.place([...path, field]),
      }));
    this.base = new BaseScenario(
      resolve(spec.baseDir, scenario),
      overrides(set, ['set']),
      spec.place(['scenario']),
    );
    requirePolicies(spec, this.base);
    this.#instances = {
      train: train.map((fields, i) => overrides(fields, ['train', i])),
      holdout: holdout.map((fields, i) => overrides(fields, ['holdout', i])),
    };
    const workloads = (part: Part) =>
      this.#instances[part].map((fields, i) => this.base.resolve(fields, `${part} ${i + 1}`));
    requireApart(workloads('train'), workloads('holdout'), (part, i) => spec.place([part, i]));
  }

  /** A task a workload, in order. */
  tasks(candidate: Candidate, part: Part): PointTask[] {
    const own = overridesOf(candidate, this.#spec);
    return this.#instances[part].map((fields, i) => {
      const shown = `${candidate.policy} (${candidateText(candidate)}), ${part} ${i + 1}`;
      const scenario: Scenario = this.base.resolve([...fields, ...own], shown);
      return { id: runIdentity(scenario, scenario.policy, null), scenario, baseDir: this.base.baseDir };
    });
  }

  /** The policy as a scenario would hold it, with the candidate's parameters. */
  config({ policy, parameters }: Candidate): unknown {
    const config = structuredClone(this.base.get(`policies.${policy}`)) as Json;
    for (const [path, value] of Object.entries(parameters)) setField(config, path, value);
    return config;
  }

  /** Means over the workloads, each weighted by its VM-days: a rate of the pool. */
  scores(tasks: readonly PointTask[], evaluator: Evaluator): Scores {
    const { objectives, choose } = this.#spec.value;
    const names = new Set([
      ...objectives,
      choose.minimise,
      ...(Object.keys(choose.subjectTo) as Objective[]),
    ]);
    const rows = tasks.map(({ id }) => evaluator.record(id).measures);
    const scores: Partial<Record<Objective, number>> = {};
    for (const name of names) {
      let sum = 0;
      let days = 0;
      for (const row of rows) {
        const value = row[name];
        if (value === null || value === undefined) continue;
        sum += value * row['vm_days']!;
        days += row['vm_days']!;
      }
      if (days > 0) scores[name] = sum / days;
    }
    return scores;
  }

  outcome(scores: Scores): Outcome {
    const { objectives, choose } = this.#spec.value;
    let excess = 0;
    for (const [name, limit] of Object.entries(choose.subjectTo) as [Objective, number][]) {
      const over = (scores[name] ?? 0) - limit;
      if (over > 0) excess += over / Math.max(limit, 1e-6);
    }
    return { objectives: objectives.map((name) => scores[name] ?? 0), excess };
  }

  /** Of those that keep the limits, else of those nearest to them, the least of `choose.minimise`. */
  choose(finalists: readonly { candidate: Candidate; scores: Scores }[]): Candidate {
    const { minimise } = this.#spec.value.choose;
    const best = [...finalists].sort(
      (a, b) =>
        this.outcome(a.scores).excess - this.outcome(b.scores).excess ||
        (a.scores[minimise] ?? 0) - (b.scores[minimise] ?? 0),
    )[0]!;
    return best.candidate;
  }
}
