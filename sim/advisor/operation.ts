import type { BillSetup } from '../../core/cost/bill.ts';
import { type Change, type ChangeKind, type ChangeOf, toVector } from '../../core/cost/change.ts';
import { SpotPrice } from '../../core/cost/tariff.ts';
import type { Tolerance, Tolerances } from '../../core/cost/tolerance.ts';
import { parseDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';
import type { ResourceVector } from '../../core/model.ts';
import { mix } from '../../core/rng.ts';
import type { Scenario } from '../scenario.ts';
import type { Arrival, Workload } from '../workload/types.ts';
import { deferrals, deferWork } from './deferral.ts';
import type { Interruptible, SpotSetup } from './spot-market.ts';
import { tolerancesOf } from './tolerances.ts';

/** What the changes in force make of a scenario. */
export interface Operation {
  /** Policies, applications and hosts as changed. */
  readonly scenario: Scenario;
  readonly workload: Workload;
  /** Undefined where every allocation is charged the list price. */
  readonly bill: Omit<BillSetup, 'stepMs'> | undefined;
  readonly spot: SpotSetup | undefined;
}

/**
 * Puts the scenario's changes in force: on who is there, what they are granted, when they work, where they run and what
 * they are charged. A later change of the same VM takes the place of an earlier one.
 * @throws ForesizeError CHANGE_...
 */
export function operate(scenario: Scenario, workload: Workload): Operation {
  const changes = scenario.changes ?? [];
  const { prices, seed } = scenario;
  const spot = spotOf(scenario, workload.epochMs, mix(seed ^ 5));
  const reservations = of(changes, 'reserve');
  const special =
    prices.byHour ||
    spot ||
    reservations.length > 0 ||
    prices.hostHour !== undefined ||
    prices.kwh !== undefined;
  const changed = changedScenario(scenario, changes);
  const hosts = changed.hosts?.groups.reduce((sum, { count }) => sum + count, 0) ?? 0;
  return {
    scenario: changed,
    workload: changedWorkload(workload, scenario, changes),
    bill: special
      ? {
          prices,
          reservations,
          hosts,
          spot: spot && { applications: new Set(spot.applications.keys()), price: spot.price },
        }
      : undefined,
    spot,
  };
}

export function of<K extends ChangeKind>(changes: readonly Change[], kind: K): ChangeOf<K>[] {
  return changes.filter((change): change is ChangeOf<K> => change.kind === kind);
}

/** How late the application's work may be done where no job says, ms: 0 if it may not. */
export function withinMs(tolerances: Tolerances, application: string): number {
  const within = tolerances[application]?.deferrable?.within;
  return within === undefined ? 0 : parseDuration(within, `tolerances.${application}.deferrable.within`);
}

function changedWorkload(workload: Workload, scenario: Scenario, changes: readonly Change[]): Workload {
  const retired = new Set(of(changes, 'retire').flatMap(({ vms }) => vms));
  const sizes = new Map(
    of(changes, 'right-size').flatMap(({ vms }) =>
      Object.entries(vms).map(([vmId, size]) => [vmId, toVector(size)] as const),
    ),
  );
  const shifts = of(changes, 'shift');
  let changed = workload;
  if (retired.size + sizes.size > 0) changed = withArrivals(changed, retired, sizes);
  if (shifts.length > 0) {
    const tolerances = tolerancesOf(scenario);
    changed = deferWork(
      changed,
      deferrals(shifts, (application) => withinMs(tolerances, application)),
    );
  }
  return changed;
}

/** A workload without the VMs of `retired`, and with the sizes of `sizes` in place of the requested ones. */
function withArrivals(
  workload: Workload,
  retired: ReadonlySet<string>,
  sizes: ReadonlyMap<string, ResourceVector>,
): Workload {
  const resized = (arrival: Arrival): Arrival => {
    const requested = sizes.get(arrival.spec.vmId);
    if (!requested) return arrival;
    const min = arrival.spec.min.map((x, r) => Math.min(x, requested[r]!)) as unknown as ResourceVector;
    return { ...arrival, spec: { ...arrival.spec, requested, min } };
  };
  return {
    name: workload.name,
    epochMs: workload.epochMs,
    stepMs: workload.stepMs,
    intervals: workload.intervals,
    open() {
      const stream = workload.open();
      const gone = new Set<number>();
      return {
        arrivals(t) {
          return stream
            .arrivals(t)
            .filter(({ vm, spec }) => {
              if (retired.has(spec.vmId)) gone.add(vm);
              return !gone.has(vm);
            })
            .map(resized);
        },
        demand: (t, count, vm, slot, out) => stream.demand(t, count, vm, slot, out),
        ...(stream.jobs && { jobs: (t: number) => stream.jobs!(t).filter(({ vm }) => !gone.has(vm)) }),
      };
    },
  };
}

/** Policies of VMs on a timetable, and the hosts that are kept. */
function changedScenario(scenario: Scenario, changes: readonly Change[]): Scenario {
  const policies = { ...scenario.policies };
  const applications = { ...scenario.applications };
  for (const { application, hours, vms } of of(changes, 'shift')) {
    const rows = Object.entries(vms).flatMap(([vmId, { inside, outside }]) =>
      inside && outside
        ? [[vmId, { inside: [...toVector(inside)], outside: [...toVector(outside)] }] as const]
        : [],
    );
    if (rows.length === 0) continue;
    const name = `off-peak.${application}`;
    policies[name] = {
      kind: 'timetable',
      hours,
      vms: Object.fromEntries(rows),
    } as Scenario['policies'][string];
    applications[application] = name;
  }
  let { hosts } = scenario;
  of(changes, 'consolidate').forEach(({ hosts: counts, cpuOvercommit }) => {
    if (!hosts || counts.length !== hosts.groups.length || counts.every((count) => count === 0)) {
      throw new ForesizeError({
        code: 'CHANGE_NO_HOSTS',
        what: hosts
          ? `the change keeps ${counts.length} groups of hosts, some of them, where the scenario has ${hosts.groups.length}`
          : 'the scenario has no hosts to consolidate',
        where: 'changes: consolidate',
        remedy: 'give a number for each group of hosts.groups, not all of them 0',
      });
    }
    const groups = hosts.groups.flatMap((group, g) =>
      counts[g] === 0
        ? []
        : [
            {
              ...group,
              count: Math.min(group.count, counts[g]!),
              overcommit: { ...group.overcommit, ...(cpuOvercommit !== undefined && { cpu: cpuOvercommit }) },
            },
          ],
    );
    const left = groups.reduce((sum, { count }) => sum + count, 0);
    hosts = { ...hosts, groups, maintenance: hosts.maintenance.filter(({ host }) => host < left) };
  });
  return { ...scenario, policies, applications, ...(hosts && { hosts }) };
}

function spotOf(scenario: Scenario, epochMs: number, seed: number): SpotSetup | undefined {
  const names = of(scenario.changes ?? [], 'spot').flatMap(({ applications }) => applications);
  if (names.length === 0) return undefined;
  const prices = scenario.prices.spot;
  if (!prices) {
    throw new ForesizeError({
      code: 'CHANGE_NO_SPOT',
      what: 'applications run on spot capacity, but the price list has none',
      where: 'prices.spot',
      remedy: 'state prices.spot, {} for its defaults',
    });
  }
  const tolerances = tolerancesOf(scenario);
  return {
    prices,
    price: new SpotPrice(prices, seed, epochMs),
    applications: new Map(names.map((name) => [name, interruptible(tolerances[name], name)])),
    seed,
  };
}

function interruptible(tolerance: Tolerance | undefined, name: string): Interruptible {
  const rule = tolerance?.interruptible;
  if (!rule) {
    throw new ForesizeError({
      code: 'CHANGE_NOT_INTERRUPTIBLE',
      what: `'${name}' runs on spot capacity, but nothing says that it bears being interrupted`,
      where: `tolerances.${name}.interruptible`,
      remedy: 'state it, {} for its defaults, or take the application off spot',
    });
  }
  const seconds = (text: string, key: string) =>
    parseDuration(text, `tolerances.${name}.interruptible.${key}`) / 1000;
  return {
    checkpoint: rule.checkpoint && {
      every: seconds(rule.checkpoint.every, 'checkpoint.every'),
      takes: seconds(rule.checkpoint.takes, 'checkpoint.takes'),
    },
    restart: seconds(rule.restart, 'restart'),
  };
}

/** Days of a month, on average. */
export const MONTH_DAYS = 365.25 / 12;
