import { RESOURCES, type Resource } from '../../core/model.ts';
import type { Comparison, RecordedVm, RunResult } from '../result.ts';

/** A series in which a value may stay for long: each change by its index, or every value. */
export type Held = (number | null)[] | { i: number[]; v: (number | null)[] };

/** What the charts over time draw, small enough to travel inside the page. */
export interface PageSeries {
  vms: {
    id: string;
    application: string;
    user: string;
    /** One tick in `every` was kept: the one of the highest demand. */
    resources: Partial<
      Record<
        Resource,
        {
          every: number;
          /** s after `from`. */
          from: number;
          t: number[];
          demand: number[];
          policies: Record<string, { allocation: Held; median: Held | null; upper: Held | null }>;
        }
      >
    >;
    quantile: number;
  }[];
  fleet: {
    /** ms since the epoch. */
    t: number[];
    demand: Partial<Record<Resource, number[]>>;
    allocation: Record<string, Partial<Record<Resource, number[]>>>;
    /** Coarser, ms since the epoch: share of VMs starved of anything, and resizes a VM-day. */
    coarse: number[];
    starved: Record<string, number[]>;
    resizes: Record<string, number[]>;
  };
}

/** Characters the recorded VMs may take, and the ticks of a VM below which nothing more is left out. */
const LIMIT = 1_800_000;
const FEWEST = 200;
const COARSE = 84;

export function pageSeries({ runs }: Comparison): PageSeries {
  const first = runs.find((run) => run.recorded.length > 0)?.recorded ?? [];
  const ticks = Math.max(0, ...first.map((vm) => vm.at.length));
  const most = Math.max(1, Math.floor(ticks / FEWEST));
  let every = 1;
  let vms = recordedVms(runs, first, every);
  for (let size = sizeOf(vms); size > LIMIT && every < most; size = sizeOf(vms)) {
    every = Math.min(most, Math.max(every + 1, Math.ceil((every * size) / LIMIT)));
    vms = recordedVms(runs, first, every);
  }
  const fit = Math.max(1, Math.floor((vms.length * LIMIT) / sizeOf(vms)));
  return { vms: vms.slice(0, fit), fleet: fleetSeries(runs) };
}

function sizeOf(vms: PageSeries['vms']): number {
  return JSON.stringify(vms).length;
}

function recordedVms(
  runs: readonly RunResult[],
  first: readonly RecordedVm[],
  every: number,
): PageSeries['vms'] {
  const resources = RESOURCES.filter((r) => first.some((vm) => vm.resources[r]));
  return first.map((vm) => {
    const of = runs.flatMap((run) => {
      const same = run.recorded.find((other) => other.vmId === vm.vmId);
      return same && same.at.length === vm.at.length ? [{ policy: run.policy, recorded: same }] : [];
    });
    const entry: PageSeries['vms'][number] = {
      id: vm.vmId,
      application: vm.applicationId,
      user: vm.userId,
      resources: {},
      quantile: vm.quantile,
    };
    for (const r of resources) {
      const series = vm.resources[r];
      if (!series) continue;
      const keep = peaks(series.demand, every);
      const from = vm.at[0] ?? 0;
      entry.resources[r] = {
        every,
        from,
        t: keep.map((i) => Math.round((vm.at[i]! - from) / 1000)),
        demand: keep.map((i) => short(series.demand[i]!)),
        policies: Object.fromEntries(
          of.flatMap(({ policy, recorded }) => {
            const s = recorded.resources[r];
            if (!s) return [];
            const take = (x: (number | null)[]) => held(keep.map((i) => maybeShort(x[i] ?? null)));
            const known = (x: (number | null)[]) => (x.some((v) => v !== null) ? take(x) : null);
            return [
              [policy, { allocation: take(s.allocation), median: known(s.median), upper: known(s.upper) }],
            ];
          }),
        ),
      };
    }
    return entry;
  });
}

/** Of every `every` neighbours the index of the highest: thinning must not hide the peaks that starve. */
function peaks(x: readonly number[], every: number): number[] {
  const keep: number[] = [];
  for (let from = 0; from < x.length; from += every) {
    let best = from;
    for (let i = from + 1; i < Math.min(x.length, from + every); i++) if (x[i]! > x[best]!) best = i;
    keep.push(best);
  }
  return keep;
}

function fleetSeries(runs: readonly RunResult[]): PageSeries['fleet'] {
  const t = runs[0]?.timeline.at ?? [];
  const size = Math.max(1, Math.ceil(t.length / COARSE));
  const bins = Array.from({ length: Math.ceil(t.length / size) }, (_, b) => b * size);
  const fleet: PageSeries['fleet'] = {
    t,
    demand: {},
    allocation: {},
    coarse: bins.map((from) => t[Math.min(from + size, t.length) - 1]!),
    starved: {},
    resizes: {},
  };
  const step = t.length > 1 ? (t[t.length - 1]! - t[0]!) / (t.length - 1) / 86_400_000 : 1;
  for (const { policy, timeline } of runs) {
    fleet.allocation[policy] = {};
    for (const r of RESOURCES) {
      const series = timeline.resources[r];
      if (!series) continue;
      fleet.demand[r] ??= series.demand.map(short);
      fleet.allocation[policy][r] = series.allocation.map(short);
    }
    const sum = (x: readonly number[], from: number) =>
      x.slice(from, from + size).reduce((total, value) => total + value, 0);
    fleet.starved[policy] = bins.map((from) =>
      short((100 * sum(timeline.starvedVms, from)) / Math.max(1, sum(timeline.vms, from))),
    );
    fleet.resizes[policy] = bins.map((from) =>
      short(sum(timeline.resizes, from) / Math.max(1e-9, sum(timeline.vms, from) * step)),
    );
  }
  return fleet;
}

function held(x: (number | null)[]): Held {
  const i = x.map((_, k) => k).filter((k) => k === 0 || x[k] !== x[k - 1]);
  return i.length * 2 < x.length ? { i, v: i.map((k) => x[k]!) } : x;
}

function maybeShort(x: number | null): number | null {
  return x === null ? null : short(x);
}

/** Four significant digits: more than a screen shows. */
function short(x: number): number {
  return Number(x.toPrecision(4));
}
