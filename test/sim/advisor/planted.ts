import { join } from 'node:path';
import type { Change } from '../../../core/cost/change.ts';
import { toAllocation } from '../../../core/cost/change.ts';
import { advisorParams } from '../../../core/cost/params.ts';
import { cheapestWindow, shiftOffPeak, withTimetable } from '../../../core/cost/shift.ts';
import { dailyFactors } from '../../../core/cost/tariff.ts';
import { R } from '../../../core/model.ts';
import { unitPricesPerSecond } from '../../../core/prices.ts';
import { replay } from '../../../sim/advisor/replay.ts';
import { type Experiment, openExperiment } from '../../../sim/experiment.ts';
import type { RunResult } from '../../../sim/result.ts';
import { loadScenario } from '../../../sim/scenario.ts';

export const WASTE = join(import.meta.dirname, '../../../scenarios/waste.yaml');

/** scenarios/waste.yaml for six days with so many users of each application, and the planted kinds of waste only. */
export async function wasteful(sets: readonly string[] = [], users = 2): Promise<Experiment> {
  const loaded = loadScenario(WASTE, [
    'duration=6d',
    'record.vms=0',
    'advisor.kinds=[retire,right-size,shift]',
    'advisor.resamples=500',
    ...sets,
  ]);
  const { workload } = loaded.scenario;
  if (workload.source !== 'generated') throw new Error('waste.yaml is generated');
  const applications = workload.applications.map((app) => ({ ...app, users }));
  return openExperiment({
    ...loaded,
    scenario: { ...loaded.scenario, workload: { ...workload, applications } },
  });
}

/** What waste was planted in. */
export const PLANTED = ['abandoned', 'oversized', 'reports'];

/** Money saved on the VMs of the planted applications over the scored time. */
export function plantedSaving(before: RunResult, after: RunResult): number {
  const cost = (run: RunResult) =>
    PLANTED.reduce((sum, id) => sum + (run.applications[id]?.cost.total ?? 0), 0);
  return cost(before) - cost(after);
}

/**
 * The planted saving: what an operator would save who knew the generator's truth. The abandoned VMs are gone, the
 * oversized ones have just the most they will ever want, and the reports run in the cheapest window that keeps all
 * deadlines, on just the most they will ever want inside and outside of it. No margins; nothing is short.
 * @param lengths hours of the windows to try
 */
export async function oracleSaving(
  experiment: Experiment,
  before: RunResult,
  lengths: readonly number[],
): Promise<number> {
  const { scenario } = experiment;
  const most = truth(experiment);
  const of = (id: string) => [...most].filter(([, { application }]) => application === id);
  const unit = unitPricesPerSecond(scenario.prices);
  const fixed: Change[] = [
    { kind: 'retire', vms: of('abandoned').map(([vm]) => vm) },
    {
      kind: 'right-size',
      vms: Object.fromEntries(
        of('oversized').map(([vm, { peak, size }]) => [
          vm,
          toAllocation(peak.map((x, r) => (unit[r] === 0 ? size[r]! : x))),
        ]),
      ),
    },
  ];
  const base = await replay(experiment, []);
  const exact = { ...advisorParams.parse({}), quantile: 1, margin: 0 };
  const rules = { unit, quantum: [0, 0, 0, 0] };
  let best = 0;
  const factors = dailyFactors(scenario.prices);
  const [any] = shiftOffPeak(base.history, factors, (vm) => vm.applicationId === 'reports');
  for (const length of lengths) {
    if (any?.change.kind !== 'shift') break;
    const change = { ...any.change, hours: cheapestWindow(factors, length, any.change.hours[0]!) };
    const moved = await replay(experiment, [...fixed, change]);
    const timed = withTimetable(change, moved.history, exact, rules);
    const { result } = await replay(experiment, [...fixed, timed]);
    if ((result.jobs?.missed ?? 0) > (before.jobs?.missed ?? 0)) continue;
    best = Math.max(best, plantedSaving(before, result));
  }
  return best;
}

/** The most each VM wants of each resource in the whole run, from the workload itself. */
function truth({ workload }: Experiment) {
  const most = new Map<string, { application: string; peak: Float64Array; size: readonly number[] }>();
  const stream = workload.open();
  const ids: string[] = [];
  for (let t = 0; t < workload.intervals; t++) {
    for (const { vm, spec } of stream.arrivals(t)) {
      ids[vm] = spec.vmId;
      most.set(spec.vmId, {
        application: spec.applicationId,
        peak: new Float64Array(R),
        size: spec.requested,
      });
    }
    const all = Int32Array.from(ids, (_, vm) => vm);
    const row = new Float64Array(ids.length * R);
    stream.demand(t, ids.length, all, all, row);
    ids.forEach((id, vm) => {
      const { peak } = most.get(id)!;
      for (let r = 0; r < R; r++) peak[r] = Math.max(peak[r]!, row[vm * R + r]!);
    });
  }
  return most;
}
