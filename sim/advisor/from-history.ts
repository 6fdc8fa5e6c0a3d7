import type { FleetHistory, VmHistory } from '../../core/cost/history.ts';
import type { Advice } from '../../core/cost/recommendation.ts';
import { formatDuration } from '../../core/duration.ts';
import { ForesizeError } from '../../core/errors.ts';
import { R, RESOURCES } from '../../core/model.ts';
import { type Experiment, toExperiment } from '../experiment.ts';
import type { Scenario } from '../scenario.ts';
import type { Trace } from '../trace/types.ts';
import { replayWorkload } from '../workload/replay.ts';
import type { Workload } from '../workload/types.ts';
import { type AdviseOptions, advise } from './recommend.ts';

/** Recorded columns of one VM, a row of R a tick from `start`; the row of tick t covers the time before it. */
export interface VmColumns {
  readonly vmId: string;
  readonly applicationId: string;
  readonly userId: string;
  readonly start: number;
  readonly usage: Float32Array;
  /** Share of wanted work that was held back, 0..1; none was where it is left out. */
  readonly pressure?: Float32Array | undefined;
  readonly allocation: Float32Array;
}

export interface HistoryColumns {
  readonly epochMs: number;
  readonly stepMs: number;
  readonly vms: readonly VmColumns[];
}

/** A shortage hides its own size: never conclude more than this multiple of what was seen (core/demand-estimate.ts). */
const MOST = 3;

/**
 * Advice from recorded history of any origin, a daemon's journal say. What was wanted is estimated from usage and
 * pressure and replayed as demand.
 * @param scenario says what the history does not: prices, policies, tolerances, hosts; its workload is not used
 * @throws ForesizeError HISTORY_EMPTY, WORKLOAD_TOO_SHORT
 */
export async function recommendFromHistory(
  columns: HistoryColumns,
  scenario: Scenario,
  options: AdviseOptions = {},
): Promise<Advice> {
  return advise(experimentOf(historyOf(columns), scenario), options);
}

export function experimentOf(history: FleetHistory, scenario: Scenario): Experiment {
  const { duration: _, ...rest } = scenario;
  const own = { ...rest, tick: formatDuration(history.stepMs), warmup: '0s' };
  return toExperiment(
    { scenario: own, file: scenario.name },
    { workload: historyWorkload(history, scenario), trace: undefined },
  );
}

/** Usage corrected for what pressure says was held back. */
export function historyOf({ epochMs, stepMs, vms }: HistoryColumns): FleetHistory {
  const corrected = vms.map(({ pressure, ...vm }): VmHistory => {
    if (!pressure) return vm;
    const usage = vm.usage.map((x, i) => (pressure[i]! > 0 ? x / Math.max(1 - pressure[i]!, 1 / MOST) : x));
    return { ...vm, usage };
  });
  const ticks = Math.max(0, ...vms.map((vm) => vm.start + vm.usage.length / R));
  return { epochMs, stepMs, ticks, vms: corrected };
}

/** The history as a workload: what was wanted is the demand, what was granted at last the request. */
export function historyWorkload(history: FleetHistory, scenario: Pick<Scenario, 'workload'>): Workload {
  const { epochMs, stepMs } = history;
  const vms = history.vms.flatMap((vm) => {
    const first = firstSeen(vm);
    if (first < 0) return [];
    const { vmId, applicationId, userId } = vm;
    return {
      vmId,
      applicationId,
      userId,
      start: vm.start + first,
      size: [...vm.allocation.slice(-R)] as unknown as [number, number, number, number],
      usage: vm.usage.subarray(first * R),
    };
  });
  if (vms.length === 0) {
    throw new ForesizeError({
      code: 'HISTORY_EMPTY',
      what: 'the history holds no sample of any VM',
      where: 'history',
      remedy: 'let the daemon observe for some days first, or name another run',
    });
  }
  const has = RESOURCES.map((_, r) => vms.some(({ size }) => size[r]! > 0));
  const trace: Trace = {
    name: 'history',
    format: 'history',
    // A row covers the time before its tick.
    epochMs: epochMs - stepMs,
    stepMs,
    has: has as unknown as Trace['has'],
    vms: vms.sort((a, b) => (a.vmId < b.vmId ? -1 : a.vmId > b.vmId ? 1 : 0)),
    report: {
      files: 0,
      rows: 0,
      outOfOrder: 0,
      duplicates: 0,
      invalid: 0,
      gaps: 0,
      examples: [],
      sha256: '',
    },
  };
  const { floor, ceiling } = scenario.workload.bounds;
  return replayWorkload(trace, {
    scale: 1,
    requested: {},
    peakFactor: 1,
    bounds: { floor: [floor.cpu, floor.memory, floor.diskIo, floor.network], ceiling },
  });
}

function firstSeen({ usage }: VmHistory): number {
  const i = usage.findIndex((x) => x >= 0);
  return i < 0 ? -1 : Math.floor(i / R);
}
