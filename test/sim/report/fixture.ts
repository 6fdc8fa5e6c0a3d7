import { RESOURCES, type Resource } from '../../../core/model.ts';
import { Rng } from '../../../core/rng.ts';
import { compareRuns } from '../../../sim/compare/paired.ts';
import type { Comparison, Measures, RecordedVm, ResourceMeasures, RunResult } from '../../../sim/result.ts';

/**
 * A comparison with the shape and the spread of a real one, for the reports to show: daily rhythm, autocorrelated
 * noise and bursts a VM, and six policies stripped to their idea (demand is served or lost; nothing queues). Not
 * the simulator: no figure from here says anything of a policy.
 */
export function fixtureComparison({
  vms = 20,
  days = 7,
  policies = NAMES,
  seed = 42,
}: Partial<Shape> = {}): Comparison {
  const shape = { vms, days, policies, seed };
  const fleet = Array.from({ length: vms }, (_, i) => demandOf(shape, i));
  const runs = policies.map((policy) => runPolicy(shape, fleet, policy));
  const baseline = policies[0]!;
  return {
    schema: 'foresize/comparison/v1',
    id: 'f1'.repeat(32),
    scenarioYaml: YAML.replace('POLICIES', policies.map((p) => `  - ${p}`).join('\n')),
    name: 'Three applications, one week',
    description:
      'A web shop, a nightly batch and a cache on 20 VMs, resized every five minutes. Which policy buys the fewest violations for the least allocation?',
    version: '0.1.0',
    baseline,
    runs,
    paired: runs.length > 1 ? compareRuns(runs, baseline, { seed, resamples: 1000 }) : [],
  };
}

interface Shape {
  vms: number;
  days: number;
  policies: readonly string[];
  seed: number;
}

const NAMES = ['static', 'last-value', 'vpa', 'autopilot-window', 'quantile', 'oracle'];
const TICKS = 288;
const START = Date.UTC(2026, 0, 5);
const PRICE: Readonly<Record<Resource, number>> = {
  cpu: 0.031611 / 12,
  memory: 0.004237 / 12 / 1024,
  diskIo: 2e-10,
  network: 2e-10,
};
const APPS = ['web-shop', 'nightly-batch', 'cache'];
const SCALE: Readonly<Record<string, readonly number[]>> = {
  'web-shop': [2.2, 3000, 6e6, 2.4e7],
  'nightly-batch': [3.5, 6000, 4e7, 3e6],
  cache: [0.9, 9000, 4e5, 4e7],
};

interface VmDemand {
  vmId: string;
  app: string;
  user: string;
  /** Per resource, a value a tick. */
  demand: Float64Array[];
  requested: number[];
}

function demandOf({ days, seed }: Shape, index: number): VmDemand {
  const rng = new Rng(seed, 'fixture', index);
  const app = APPS[index % 3]!;
  const phase = app === 'nightly-batch' ? 2 : 14 + 2 * rng.normal();
  const size = 0.6 + 0.9 * rng.uniform();
  const demand = RESOURCES.map((_, r) => {
    const base = SCALE[app]![r]! * size;
    const rhythm = r === 1 ? 0.12 : app === 'cache' ? 0.3 : 0.75;
    const x = new Float64Array(days * TICKS);
    let noise = 0;
    let burst = 0;
    for (let t = 0; t < x.length; t++) {
      const hour = (t % TICKS) / 12;
      const weekend = Math.floor(t / TICKS) % 7 >= 5 ? 0.7 : 1;
      const wave = Math.cos(((hour - phase) / 24) * 2 * Math.PI);
      const shape =
        app === 'nightly-batch' ? (hour > 1 && hour < 5 ? 1.5 : 0.2) : 0.55 + 0.45 * rhythm * wave * weekend;
      noise = 0.85 * noise + (r === 1 ? 0.01 : 0.05) * rng.normal();
      if (rng.uniform() < 0.004) burst = r === 1 ? 0.15 : 0.6;
      burst *= 0.85;
      x[t] = base * Math.max(0.03, (r === 1 ? 0.5 + 0.3 * shape : shape) + noise + burst);
    }
    return x;
  });
  const requested = demand.map((x) => 1.15 * quantileOf(x, 0.999));
  return {
    vmId: `vm-${String(index + 1).padStart(2, '0')}`,
    app,
    user: ['ada', 'grace', 'edsger'][(index % 4) % 3]!,
    demand,
    requested,
  };
}

/** Forecast median and upper bound for tick t, and the allocation wanted, from usage up to t - 1. */
function want(
  policy: string,
  vm: VmDemand,
  r: number,
  t: number,
  now: number,
): [number | null, number | null, number] {
  const x = vm.demand[r]!;
  const last = x[Math.max(0, t - 1)]!;
  switch (policy) {
    case 'static':
      return [null, null, vm.requested[r]!];
    case 'oracle': {
      let peak = x[t]!;
      for (let k = t; k < Math.min(x.length, t + 6); k++) peak = Math.max(peak, x[k]!);
      return [x[t]!, peak, peak * 1.0001];
    }
    case 'last-value':
      return [last, last * 1.1, last > 1.2 * now || last < 0.8 * now ? last * 1.1 : now];
    case 'vpa': {
      if (t % 144 !== 0) return [null, null, now];
      return [null, null, 1.15 * quantileOf(x.subarray(Math.max(0, t - 2 * TICKS), t + 1), 0.9)];
    }
    case 'autopilot-window': {
      if (t % 12 !== 0) return [null, null, now];
      return [null, null, 1.1 * quantileOf(x.subarray(Math.max(0, t - TICKS), t + 1), 0.98)];
    }
    default: {
      const yesterday = x[Math.max(0, t - TICKS)]!;
      const median = 0.7 * last + 0.3 * yesterday;
      let error = 0;
      for (let k = Math.max(1, t - 24); k < t; k++) error = Math.max(error, x[k]! - x[k - 1]!);
      const upper = median + Math.max(0.08 * median, error);
      return [median, upper, upper > 1.05 * now || upper < 0.85 * now ? upper : now];
    }
  }
}

function runPolicy(shape: Shape, fleet: readonly VmDemand[], policy: string): RunResult {
  const ticks = shape.days * TICKS;
  const columns = fleet.map((vm) => allocate(vm, policy, ticks));
  const days: RunResult['days'] = {
    vmIds: fleet.map((v) => v.vmId),
    vm: [],
    day: [],
    seconds: [],
    cost: [],
    starved: {},
    starvedAny: [],
  };
  for (const r of RESOURCES) days.starved[r] = [];
  fleet.forEach((vm, v) => {
    for (let d = 0; d < shape.days; d++) {
      const { cost, starved, any } = dayOf(vm, columns[v]!, d * TICKS, (d + 1) * TICKS);
      days.vm.push(v);
      days.day.push(d);
      days.seconds.push(86_400);
      days.cost.push(cost.total);
      days.starvedAny?.push(any);
      RESOURCES.forEach((name, r) => {
        days.starved[name]!.push(starved[r]!);
      });
    }
  });
  const group = (keep: (vm: VmDemand) => boolean) => {
    const chosen = fleet.map((vm, i) => ({ vm, column: columns[i]! })).filter(({ vm }) => keep(vm));
    return measuresOf(chosen, shape.days);
  };
  const points = Math.min(500, ticks);
  const step = ticks / points;
  const at = Array.from({ length: points }, (_, i) => START + Math.floor(i * step) * 300_000);
  const sumAt = (value: (v: number, r: number, t: number) => number, r: number) =>
    at.map((_, i) => round(fleet.reduce((sum, _vm, v) => sum + value(v, r, Math.floor(i * step)), 0)));
  return {
    schema: 'foresize/result/v1',
    id: 'ab'.repeat(32),
    scenario: 'three-applications',
    policy,
    seed: shape.seed,
    version: '0.1.0',
    backend: 'none',
    currency: 'USD',
    span: { from: iso(0), to: iso(ticks), ticks, warmupTicks: TICKS, tickMs: 300_000 },
    fairness: 1,
    fleet: group(() => true),
    applications: Object.fromEntries(APPS.map((app) => [app, group((vm) => vm.app === app)])),
    users: Object.fromEntries(
      ['ada', 'edsger', 'grace'].map((user) => [user, group((vm) => vm.user === user)]),
    ),
    vms: Object.fromEntries(
      fleet.map((vm) => [vm.vmId, { ...group((x) => x === vm), applicationId: vm.app, userId: vm.user }]),
    ),
    days,
    decisions: { sha256: '5eed'.repeat(16), intents: 1234, failed: 3, refused: 1 },
    vmTicks: ticks * fleet.length,
    timeline: {
      at,
      resources: Object.fromEntries(
        RESOURCES.map((name, r) => {
          const demand = sumAt((v, k, t) => fleet[v]!.demand[k]![t]!, r);
          const usage = sumAt(
            (v, k, t) => Math.min(fleet[v]!.demand[k]![t]!, columns[v]!.allocation[k]![t]!),
            r,
          );
          const allocation = sumAt((v, k, t) => columns[v]!.allocation[k]![t]!, r);
          return [name, { demand, usage, allocation }];
        }),
      ),
      resizes: at.map((_, i) =>
        columns.reduce((s, c) => s + countResizes(c, Math.floor(i * step), Math.floor((i + 1) * step)), 0),
      ),
      starvedVms: at.map(
        (_, i) =>
          fleet.filter((vm, v) =>
            vm.demand.some(
              (x, r) => x[Math.floor(i * step)]! > columns[v]!.allocation[r]![Math.floor(i * step)]!,
            ),
          ).length,
      ),
      vms: at.map(() => fleet.length),
    },
    recorded: [0, 1, 2].filter((v) => v < fleet.length).map((v) => record(fleet[v]!, columns[v]!, ticks)),
  };
}

interface Columns {
  allocation: Float64Array[];
  median: (number | null)[][];
  upper: (number | null)[][];
}

function allocate(vm: VmDemand, policy: string, ticks: number): Columns {
  const columns: Columns = { allocation: [], median: [], upper: [] };
  for (let r = 0; r < 4; r++) {
    const allocation = new Float64Array(ticks);
    const median: (number | null)[] = [];
    const upper: (number | null)[] = [];
    let now = vm.requested[r]!;
    for (let t = 0; t < ticks; t++) {
      const [m, u, wanted] = want(policy, vm, r, t, now);
      now = Math.min(vm.requested[r]! * 1.5, Math.max(vm.requested[r]! * 0.05, wanted));
      allocation[t] = now;
      median.push(m);
      upper.push(u);
    }
    columns.allocation.push(allocation);
    columns.median.push(median);
    columns.upper.push(upper);
  }
  return columns;
}

function dayOf(vm: VmDemand, columns: Columns, from: number, to: number) {
  const starved = [0, 0, 0, 0];
  let any = 0;
  const cost = { allocation: 0, resize: 0.0005 * countResizes(columns, from, to), penalty: 0, total: 0 };
  for (let t = from; t < to; t++) {
    let held = false;
    RESOURCES.forEach((name, r) => {
      cost.allocation += columns.allocation[r]![t]! * PRICE[name];
      if (vm.demand[r]![t]! > columns.allocation[r]![t]!) {
        starved[r] = starved[r]! + 300;
        cost.penalty += 0.004;
        held = true;
      }
    });
    if (held) any += 300;
  }
  cost.total = cost.allocation + cost.resize + cost.penalty;
  return { cost, starved, any };
}

function measuresOf(chosen: readonly { vm: VmDemand; column: Columns }[], days: number): Measures {
  const vmDays = chosen.length * days;
  const cost = { allocation: 0, resize: 0, penalty: 0, total: 0 };
  for (const { vm, column } of chosen) {
    const all = dayOf(vm, column, 0, days * TICKS).cost;
    for (const key of ['allocation', 'resize', 'penalty', 'total'] as const) cost[key] += all[key];
  }
  const resources: Partial<Record<Resource, ResourceMeasures>> = {};
  RESOURCES.forEach((name, r) => {
    resources[name] = resourceMeasures(chosen, r, days);
  });
  const oomKills = chosen.reduce(
    (sum, { vm, column }) => sum + episodesOf(vm.demand[1]!, column.allocation[1]!).length,
    0,
  );
  return {
    vms: chosen.length,
    vmDays,
    resources,
    oomKills,
    oomKillsPerVmDay: oomKills / vmDays,
    slowdown: { p99: 1 + 4 * resources.cpu!.violationRate, worst: 1 + 30 * resources.cpu!.violationRate },
    cost,
  };
}

function resourceMeasures(
  chosen: readonly { vm: VmDemand; column: Columns }[],
  r: number,
  days: number,
): ResourceMeasures {
  let starved = 0;
  let unmet = 0;
  let slack = 0;
  let footprint = 0;
  let usage = 0;
  let resizes = 0;
  const episodes: number[] = [];
  for (const { vm, column } of chosen) {
    const x = vm.demand[r]!;
    const allocation = column.allocation[r]!;
    for (let t = 0; t < x.length; t++) {
      footprint += allocation[t]!;
      usage += Math.min(x[t]!, allocation[t]!);
      if (x[t]! > allocation[t]!) {
        starved++;
        unmet += (x[t]! - allocation[t]!) * 300;
      }
      if (t > 0 && allocation[t] !== allocation[t - 1]) resizes++;
    }
    for (let d = 0; d < days; d++) {
      const mean = allocation.subarray(d * TICKS, (d + 1) * TICKS).reduce((s, v) => s + v, 0) / TICKS;
      slack += Math.max(0, mean - quantileOf(x.subarray(d * TICKS, (d + 1) * TICKS), 0.95)) / mean;
    }
    episodes.push(...episodesOf(x, allocation));
  }
  const vmTicks = chosen.length * days * TICKS;
  return {
    violationRate: starved / vmTicks,
    unmet,
    dropped: unmet * 0.1,
    slack: slack / (chosen.length * days),
    footprint: footprint / vmTicks,
    usage: usage / vmTicks,
    resizesPerVmDay: resizes / (chosen.length * days),
    failedResizes: Math.round(resizes * 0.01),
    recovery: {
      mean: episodes.length > 0 ? episodes.reduce((s, v) => s + v, 0) / episodes.length : 0,
      worst: Math.max(0, ...episodes),
      episodes: episodes.length,
    },
  };
}

/** Lengths of the stretches with demand > allocation, s. */
function episodesOf(x: Float64Array, allocation: Float64Array): number[] {
  const lengths: number[] = [];
  let length = 0;
  for (let t = 0; t <= x.length; t++) {
    if (t < x.length && x[t]! > allocation[t]!) length += 300;
    else if (length > 0) {
      lengths.push(length);
      length = 0;
    }
  }
  return lengths;
}

function countResizes(columns: Columns, from: number, to: number): number {
  let count = 0;
  for (const x of columns.allocation)
    for (let t = Math.max(1, from); t < to; t++) if (x[t] !== x[t - 1]) count++;
  return count;
}

function record(vm: VmDemand, columns: Columns, ticks: number): RecordedVm {
  const keep = Math.min(ticks, 4 * TICKS);
  const head = (x: ArrayLike<number>) => Array.from({ length: keep }, (_, t) => round(x[t]!));
  const maybe = (x: (number | null)[]) => x.slice(0, keep).map((v) => (v === null ? null : round(v)));
  return {
    vmId: vm.vmId,
    applicationId: vm.app,
    userId: vm.user,
    at: Array.from({ length: keep }, (_, t) => START + t * 300_000),
    resources: Object.fromEntries(
      RESOURCES.map((name, r) => [
        name,
        {
          demand: head(vm.demand[r]!),
          usage: head(vm.demand[r]!.map((x, t) => Math.min(x, columns.allocation[r]![t]!))),
          allocation: head(columns.allocation[r]!),
          median: maybe(columns.median[r]!),
          upper: maybe(columns.upper[r]!),
        },
      ]),
    ),
    quantile: 0.95,
  };
}

function quantileOf(x: Float64Array, p: number): number {
  const sorted = x.slice().sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))]!;
}

function round(x: number): number {
  return Number(x.toPrecision(5));
}

function iso(tick: number): string {
  return new Date(START + tick * 300_000).toISOString();
}

const YAML = `# The scenario as it was resolved.
name: three-applications
seed: 42
tick: 5m
warmup: 1d
span: 7d
workload:
  applications:
    - { id: web-shop, vms: 7, shape: diurnal }
    - { id: nightly-batch, vms: 7, shape: batch }
    - { id: cache, vms: 6, shape: steady }   # </script> must not end the page
policies:
POLICIES
baseline: static
`;
