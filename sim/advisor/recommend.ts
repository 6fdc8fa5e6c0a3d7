import type { Candidate } from '../../core/cost/candidate.ts';
import type { Change } from '../../core/cost/change.ts';
import { consolidate, type HostGroup } from '../../core/cost/consolidate.ts';
import type { FleetHistory, VmHistory } from '../../core/cost/history.ts';
import { type AdvisorParams, advisorParams } from '../../core/cost/params.ts';
import type { Advice, Recommendation, WithheldReason } from '../../core/cost/recommendation.ts';
import { reserveBase } from '../../core/cost/reserve.ts';
import { retireIdle } from '../../core/cost/retire.ts';
import { rightSize, type SizeRules } from '../../core/cost/right-size.ts';
import { shiftOffPeak, withTimetable } from '../../core/cost/shift.ts';
import { toSpot } from '../../core/cost/spot-advice.ts';
import { dailyFactors } from '../../core/cost/tariff.ts';
import type { Tolerances } from '../../core/cost/tolerance.ts';
import { ForesizeError } from '../../core/errors.ts';
import { unitPricesPerSecond } from '../../core/prices.ts';
import { canonicalJson } from '../canonical-json.ts';
import { codeVersion } from '../code-version.ts';
import type { Experiment } from '../experiment.ts';
import { sha256 } from '../run-folder.ts';
import type { Scenario } from '../scenario.ts';
import { type EffectOptions, harmedVms, measureEffect, objections } from './effect.ts';
import { of } from './operation.ts';
import { type Replay, replay } from './replay.ts';
import { tolerancesOf } from './tolerances.ts';

export interface AdviseOptions {
  /** Id of the run whose history it is. */
  readonly run?: string | undefined;
  /** Told of every replay that is done, and how many there may be. */
  readonly onReplay?: ((done: number, total: number, what: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Replays in which VMs that come to harm are taken out of a right-size, at most. */
const ROUNDS = 3;

/**
 * Looks for ways to spend less, replays each on the recorded inputs, and gives those that pay and break nothing; the
 * others with the reason. In two rounds: reserved capacity is for the base that is left when the rest is in force.
 * @throws ForesizeError ADVICE_NO_HISTORY
 */
export async function advise(experiment: Experiment, options: AdviseOptions = {}): Promise<Advice> {
  return new Advisor(experiment, options).run();
}

class Advisor {
  readonly #experiment: Experiment;
  readonly #scenario: Scenario;
  readonly #params: AdvisorParams;
  readonly #options: AdviseOptions;
  readonly #tolerances: Tolerances;
  readonly #rules: SizeRules;
  readonly #notes: string[] = [];
  #replays = 0;
  #planned = 1;
  #base!: Replay;

  constructor(experiment: Experiment, options: AdviseOptions) {
    const { scenario } = experiment;
    this.#experiment = experiment;
    this.#scenario = scenario;
    this.#options = options;
    this.#params = scenario.advisor ?? advisorParams.parse({});
    this.#tolerances = tolerancesOf(scenario);
    const { quantum } = scenario.guards;
    this.#rules = {
      unit: unitPricesPerSecond(scenario.prices),
      quantum: [quantum.cpu, quantum.memory, quantum.diskIo, quantum.network],
    };
  }

  async run(): Promise<Advice> {
    this.#base = await this.#replay([], 'the run itself');
    if (this.#base.result.fleet.vms === 0 || this.#base.history.vms.length === 0) {
      throw new ForesizeError({
        code: 'ADVICE_NO_HISTORY',
        what: 'the history has no VM in its scored time: there is nothing to advise on',
        where: this.#scenario.name,
        remedy: 'name a run with VMs, or shorten warmup',
      });
    }
    const first = this.#candidates();
    this.#planned += first.length * 2 + 3;
    const judged: Recommendation[] = [];
    for (const [, group] of groupBy(first, ({ kind, subject }) => `${kind} ${subject}`)) {
      judged.push(...(await this.#judge(group)));
    }
    const proposed = () => ranked(judged.filter(({ withheld }) => withheld.length === 0));
    let combined = await this.#combine(proposed());
    if (this.#wants('reserve')) {
      judged.push(...(await this.#reserve(combined.replay, proposed())));
      combined = await this.#combine(proposed(), combined);
    }
    return this.#advice(proposed(), ranked(judged.filter(({ withheld }) => withheld.length > 0)), combined);
  }

  #wants(kind: AdvisorParams['kinds'][number]): boolean {
    return this.#params.kinds.includes(kind);
  }

  async #replay(changes: readonly Change[], what: string): Promise<Replay> {
    const done = await replay(this.#experiment, changes, { signal: this.#options.signal });
    this.#replays++;
    this.#options.onReplay?.(this.#replays, Math.max(this.#planned, this.#replays), what);
    return done;
  }

  /** Everything but reserved capacity. */
  #candidates(): Candidate[] {
    const { history } = this.#base;
    const params = this.#params;
    const { prices } = this.#scenario;
    const idle = this.#wants('retire') ? retireIdle(history, params) : [];
    const gone = new Set(idle.flatMap(({ vms }) => vms));
    const stays = (vm: VmHistory) => !gone.has(vm.vmId);
    this.#noteShortHistory(history);
    return [
      ...idle,
      ...(this.#wants('right-size')
        ? rightSize(history, params, this.#rules, (vm) => stays(vm) && this.#stands(vm.applicationId))
        : []),
      ...(this.#wants('shift')
        ? shiftOffPeak(
            history,
            dailyFactors(prices),
            (vm) => stays(vm) && this.#tolerances[vm.applicationId]?.deferrable !== undefined,
          )
        : []),
      ...(this.#wants('spot')
        ? toSpot(
            history,
            prices.spot,
            (vm) => stays(vm) && this.#tolerances[vm.applicationId]?.interruptible !== undefined,
          )
        : []),
      ...(this.#wants('consolidate') ? consolidate(history, this.#groups(), params) : []),
    ];
  }

  #noteShortHistory({ ticks, stepMs }: FleetHistory): void {
    const days = (ticks * stepMs) / 86_400_000;
    if (this.#wants('retire') && days < this.#params.idleDays) {
      this.#notes.push(
        `No VM can be called idle: the history of ${days.toFixed(1)} days is shorter than the ${this.#params.idleDays} days it takes (advisor.idleDays).`,
      );
    }
  }

  /** Whether nobody resizes the application's VMs. */
  #stands(application: string): boolean {
    const { policies, applications, policy } = this.#scenario;
    return policies[applications[application] ?? policy]?.kind === 'static';
  }

  #groups(): HostGroup[] {
    return (this.#scenario.hosts?.groups ?? []).map((group) => ({
      count: group.count,
      cores: group.cores,
      limit: [
        group.cores * group.overcommit.cpu,
        group.memoryMiB * group.overcommit.memory,
        (group.diskBytesPerS ?? Number.POSITIVE_INFINITY) * group.overcommit.diskIo,
        (group.networkBytesPerS ?? Number.POSITIVE_INFINITY) * group.overcommit.network,
      ],
    }));
  }

  /** Judges candidates of which at most one is proposed: the one that saves most. */
  async #judge(group: readonly Candidate[]): Promise<Recommendation[]> {
    const judged: Recommendation[] = [];
    for (const candidate of group) judged.push(await this.#tryOut(candidate));
    const [best, ...others] = ranked(judged.filter(({ withheld }) => withheld.length === 0));
    if (!best) return judged;
    return judged.map((r) => (others.includes(r) ? { ...r, withheld: [beatenBy(best)] } : r));
  }

  async #tryOut(candidate: Candidate): Promise<Recommendation> {
    switch (candidate.kind) {
      case 'right-size':
        return this.#tryRightSize(candidate);
      case 'shift':
        return this.#tryShift(candidate);
      default:
        return this.#measure(candidate);
    }
  }

  async #measure(candidate: Candidate): Promise<Recommendation> {
    return this.#recommendation(candidate, await this.#replay([candidate.change], nameOf(candidate)));
  }

  /** VMs that come to harm keep what they have. */
  async #tryRightSize(candidate: Candidate): Promise<Recommendation> {
    let current = candidate;
    for (let round = 1; ; round++) {
      const after = await this.#replay([current.change], nameOf(current));
      const recommendation = this.#recommendation(current, after);
      const harmed = new Set(
        harmedVms(this.#base.result, after.result, current.vms, this.#params.nonInferiority),
      );
      const left = current.vms.filter((vm) => !harmed.has(vm));
      if (harmed.size === 0 || left.length === 0 || round === ROUNDS) return recommendation;
      const again = rightSize(this.#base.history, this.#params, this.#rules, ({ vmId }) =>
        left.includes(vmId),
      )[0];
      if (!again) return recommendation;
      current = again;
    }
  }

  /** Where no policy resizes the VMs, they get standing allocations for the hours, by what the replay shows. */
  async #tryShift(candidate: Candidate): Promise<Recommendation> {
    const { change } = candidate;
    const moved = await this.#replay([change], nameOf(candidate));
    if (change.kind !== 'shift' || !this.#stands(change.application)) {
      return this.#recommendation(candidate, moved);
    }
    return this.#measure({
      ...candidate,
      change: withTimetable(change, moved.history, this.#params, this.#rules),
    });
  }

  #recommendation(candidate: Candidate, after: Replay): Recommendation {
    const effect = measureEffect(this.#base.result, after.result, this.#effectOptions());
    const id = `${candidate.kind}-${sha256(canonicalJson(candidate.change)).slice(0, 8)}`;
    return { id, ...candidate, effect, withheld: objections(effect, this.#limits([candidate.change])) };
  }

  #effectOptions(): EffectOptions {
    const { level, resamples } = this.#params;
    return { level, resamples, seed: this.#scenario.seed };
  }

  #limits(changes: readonly Change[]) {
    const applications = of(changes, 'spot').flatMap((change) => change.applications);
    return {
      margin: this.#params.nonInferiority,
      level: this.#params.level,
      currency: this.#scenario.prices.currency,
      downtime: Math.min(
        Number.POSITIVE_INFINITY,
        ...applications.map((name) => this.#tolerances[name]?.interruptible?.downtime ?? 0),
      ),
    };
  }

  /** All together; as long as they break something together, without the one that saves least. */
  async #combine(proposed: readonly Recommendation[], known?: Combined): Promise<Combined> {
    let members = [...proposed];
    for (;;) {
      if (members.length === 0) return { members, replay: this.#base };
      if (known && sameIds(known.members, members)) return known;
      const after = await this.#replay(
        members.map(({ change }) => change),
        'all together',
      );
      const effect = measureEffect(this.#base.result, after.result, this.#effectOptions());
      const against = objections(effect, this.#limits(members.map(({ change }) => change)));
      if (against.length === 0 || members.length === 1) return { members, replay: after };
      const dropped = members.at(-1)!;
      this.#notes.push(
        `${dropped.id} is left out of the combined replay, where together with the others ${against[0]!.text}.`,
      );
      members = members.slice(0, -1);
    }
  }

  /** Sized for what is left when the others are in force; it must pay alone and on top of them. */
  async #reserve(rest: Replay, others: readonly Recommendation[]): Promise<Recommendation[]> {
    const onSpot = new Set(
      of([...(this.#scenario.changes ?? []), ...others.map(({ change }) => change)], 'spot').flatMap(
        ({ applications }) => applications,
      ),
    );
    const candidates = reserveBase(
      rest.history,
      this.#scenario.prices,
      ({ applicationId }) => !onSpot.has(applicationId),
    );
    const judged: Recommendation[] = [];
    for (const candidate of candidates) {
      const alone = await this.#measure(candidate);
      const changes = [...others.map(({ change }) => change), candidate.change];
      const onTop = others.length === 0 ? undefined : await this.#replay(changes, nameOf(candidate));
      const effect = onTop && measureEffect(rest.result, onTop.result, this.#effectOptions());
      const against = (effect ? objections(effect, this.#limits(changes)) : []).map(
        ({ code, text }): WithheldReason => ({ code, text: `on top of the others, ${text}` }),
      );
      judged.push({ ...alone, withheld: [...alone.withheld, ...against] });
    }
    const [best, ...beaten] = ranked(judged.filter(({ withheld }) => withheld.length === 0));
    return judged.map((r) => (best && beaten.includes(r) ? { ...r, withheld: [beatenBy(best)] } : r));
  }

  #advice(
    recommendations: readonly Recommendation[],
    withheld: readonly Recommendation[],
    { members, replay: after }: Combined,
  ): Advice {
    const { result } = this.#base;
    const { span } = result;
    return {
      schema: 'foresize/advice/v1',
      run: this.#options.run ?? null,
      scenario: this.#scenario.name,
      policy: this.#scenario.policy,
      version: codeVersion(),
      currency: this.#scenario.prices.currency,
      level: this.#params.level,
      margin: this.#params.nonInferiority,
      span: { from: span.from, to: span.to, days: (span.ticks * span.tickMs) / 86_400_000 },
      recommendations,
      withheld,
      combined:
        members.length === 0
          ? null
          : {
              ids: members.map(({ id }) => id),
              effect: measureEffect(result, after.result, this.#effectOptions()),
            },
      notes: this.#notes,
    };
  }
}

interface Combined {
  readonly members: readonly Recommendation[];
  readonly replay: Replay;
}

/** By what they save a month, most first. */
function ranked(list: readonly Recommendation[]): Recommendation[] {
  const saving = (r: Recommendation) => r.effect.saving?.value ?? Number.NEGATIVE_INFINITY;
  return [...list].sort((a, b) => saving(b) - saving(a) || (a.id < b.id ? -1 : 1));
}

function beatenBy(best: Recommendation): WithheldReason {
  return { code: 'BEATEN', text: `${best.id} is for the same and saves more` };
}

function nameOf({ kind, subject }: Candidate): string {
  return `${kind} ${subject}`;
}

function sameIds(a: readonly Recommendation[], b: readonly Recommendation[]): boolean {
  return a.length === b.length && a.every(({ id }, i) => id === b[i]!.id);
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
