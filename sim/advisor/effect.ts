import type { Effect, Interval, WithheldReason } from '../../core/cost/recommendation.ts';
import { DAY, SECOND } from '../../core/duration.ts';
import { bcaInterval } from '../compare/bca.ts';
import { bootstrapRatio } from '../compare/ratio.ts';
import { blockLength, resampleTwoStage, type VmDayMatrix } from '../compare/two-stage.ts';
import { formatMoney, formatPercent } from '../report/format.ts';
import type { RunResult } from '../result.ts';
import { MONTH_DAYS } from './operation.ts';

export interface EffectOptions {
  readonly level: number;
  readonly resamples: number;
  readonly seed: number;
}

interface DayRow {
  seconds: number;
  cost: number;
  starved: number;
}

const COLUMNS = 4;
const [DAYS, SAVED, SECONDS, STARVED] = [0, 1, 2, 3] as const;

/**
 * What a change did: the run with it against the run without, on the same inputs, paired by VM and day. A VM that is
 * gone costs nothing and is short of nothing. The VMs are these and no sample of others, so the interval speaks of
 * other days like these: days are resampled in blocks, each with all its VMs, as a day that is bad for one VM may be
 * bad for all.
 */
export function measureEffect(before: RunResult, after: RunResult, options: EffectOptions): Effect {
  const rowsBefore = rowsOf(before);
  const rowsAfter = rowsOf(after);
  const concerned = new Set<string>();
  for (const [vm, days] of rowsBefore) {
    const others = rowsAfter.get(vm);
    for (const [day, row] of days) {
      const other = others?.get(day);
      if (!other || other.cost !== row.cost || other.starved !== row.starved) concerned.add(vm);
    }
  }
  const { matrix, days, vmDays } = toMatrix(before, rowsBefore, rowsAfter, concerned);
  const ratio = (numerator: number, denominator: number, scale: number): Interval | null => {
    const blocks = Math.ceil(days / blockLength(days));
    if (blocks < 2) return null;
    const draws = resampleTwoStage(matrix, options.resamples, options.seed);
    const drawn = bootstrapRatio(matrix, draws, numerator, denominator);
    if (!drawn) return { value: 0, low: 0, high: 0 };
    const { low, high } = bcaInterval(drawn, options.level, blocks - 1);
    return { value: drawn.estimate * scale, low: low * scale, high: high * scale };
  };
  const month = (run: RunResult) => (run.fleet.cost.total / spanDays(before)) * MONTH_DAYS;
  const jobs = before.jobs?.jobs ?? 0;
  const vanished = Math.max(0, jobs - (after.jobs?.jobs ?? 0));
  return {
    saving: ratio(SAVED, DAYS, MONTH_DAYS),
    violation: ratio(STARVED, SECONDS, 1),
    days,
    vmDays,
    vms: concerned.size,
    costBefore: month(before),
    costAfter: month(after),
    deadlines: {
      before: before.jobs?.missed ?? 0,
      after: (after.jobs?.missed ?? 0) + vanished,
      jobs,
    },
    impossible: after.jobs?.impossible ?? 0,
    oomKills: { before: before.fleet.oomKills, after: after.fleet.oomKills },
    spot: after.spot
      ? {
          interruptions: after.spot.interruptions,
          away: after.spot.vmSeconds === 0 ? 0 : after.spot.awayS / after.spot.vmSeconds,
        }
      : null,
    waitingS: { before: before.cluster?.waitingS ?? 0, after: after.cluster?.waitingS ?? 0 },
    tooLarge: { before: before.cluster?.vmsTooLarge ?? 0, after: after.cluster?.vmsTooLarge ?? 0 },
  };
}

export interface Limits {
  /** Rise of the violation rate that is still accepted. */
  readonly margin: number;
  readonly currency: string;
  readonly level: number;
  /** Share of time VMs on spot capacity may be away; Infinity where none are. */
  readonly downtime: number;
}

/** Why a change with this effect is not proposed; empty if it is. */
export function objections(effect: Effect, { margin, currency, level, downtime }: Limits): WithheldReason[] {
  const { saving, violation, deadlines, oomKills, waitingS, tooLarge, spot } = effect;
  const at = `the ${formatPercent(level)} interval`;
  const out: WithheldReason[] = [];
  if (!saving || !violation) {
    out.push({
      code: 'NO_INTERVAL',
      text: `the history has ${effect.days} scored days, which say nothing of how days differ`,
    });
  } else {
    const money = (x: number) => formatMoney(x, currency);
    if (!(saving.low > 0)) {
      out.push({
        code: 'DOES_NOT_PAY',
        text: `the replay saved ${money(saving.value)} a month, and ${at} from ${money(saving.low)} to ${money(saving.high)} does not lie above 0`,
      });
    }
    if (!(violation.high < margin)) {
      out.push({
        code: 'VIOLATIONS',
        text: `the share of time with a shortage rose by ${formatPercent(violation.value)}, at most ${formatPercent(violation.high)}, where ${formatPercent(margin)} is accepted`,
      });
    }
  }
  if (deadlines.after > deadlines.before) {
    out.push({
      code: 'DEADLINES',
      text: `${deadlines.after} of ${deadlines.jobs} jobs missed their deadline, ${deadlines.before} without the change`,
    });
  }
  if (oomKills.after > oomKills.before) {
    out.push({
      code: 'OOM_KILLS',
      text: `${oomKills.after} guests were killed for want of memory, ${oomKills.before} without the change`,
    });
  }
  if (spot && spot.away > downtime) {
    out.push({
      code: 'DOWNTIME',
      text: `VMs on spot capacity were away for ${formatPercent(spot.away)} of the time, where ${formatPercent(downtime)} is tolerated`,
    });
  }
  if (waitingS.after > waitingS.before || tooLarge.after > tooLarge.before) {
    out.push({
      code: 'NO_HOST',
      text: `VMs waited ${Math.round(waitingS.after)} s for a host, ${Math.round(waitingS.before)} s without the change, and ${tooLarge.after} fit on none`,
    });
  }
  return out;
}

/** VMs whose own share of time with a shortage rose by `margin` or more, or that were killed more often. */
export function harmedVms(
  before: RunResult,
  after: RunResult,
  vms: readonly string[],
  margin: number,
): string[] {
  const short = (run: RunResult) => {
    const sums = new Map<string, { seconds: number; starved: number }>();
    for (const [vm, days] of rowsOf(run)) {
      const sum = { seconds: 0, starved: 0 };
      for (const { seconds, starved } of days.values()) {
        sum.seconds += seconds;
        sum.starved += starved;
      }
      sums.set(vm, sum);
    }
    return sums;
  };
  const was = short(before);
  const is = short(after);
  return vms.filter((vm) => {
    const now = is.get(vm);
    if (!now) return false;
    const rise = now.starved / now.seconds - (was.get(vm)?.starved ?? 0) / now.seconds;
    return rise >= margin || (after.vms[vm]?.oomKills ?? 0) > (before.vms[vm]?.oomKills ?? 0);
  });
}

function spanDays({ span }: RunResult): number {
  return (span.ticks * span.tickMs) / DAY;
}

function rowsOf({ days }: RunResult): Map<string, Map<number, DayRow>> {
  const rows = new Map<string, Map<number, DayRow>>();
  days.vm.forEach((vm, i) => {
    const id = days.vmIds[vm]!;
    let own = rows.get(id);
    if (!own) {
      own = new Map();
      rows.set(id, own);
    }
    own.set(days.day[i]!, {
      seconds: days.seconds[i]!,
      cost: days.cost[i]!,
      starved: days.starvedAny?.[i] ?? 0,
    });
  });
  return rows;
}

/** A row a day, in order: days (less at the end), money saved, and of the VMs concerned their time and shortage. */
function toMatrix(
  { span }: RunResult,
  before: Map<string, Map<number, DayRow>>,
  after: Map<string, Map<number, DayRow>>,
  concerned: ReadonlySet<string>,
): { matrix: VmDayMatrix; days: number; vmDays: number } {
  const seconds = (span.ticks * span.tickMs) / SECOND;
  const daySeconds = DAY / SECOND;
  const days = Math.ceil(seconds / daySeconds);
  const values = new Float64Array(days * COLUMNS);
  for (let day = 0; day < days; day++) {
    values[day * COLUMNS + DAYS] = Math.min(1, seconds / daySeconds - day);
  }
  for (const [runs, sign] of [
    [before, 1],
    [after, -1],
  ] as const) {
    for (const [vm, rows] of runs) {
      for (const [day, row] of rows) {
        const at = day * COLUMNS;
        values[at + SAVED] = values[at + SAVED]! + sign * row.cost;
        if (!concerned.has(vm)) continue;
        if (sign === 1) values[at + SECONDS] = values[at + SECONDS]! + row.seconds;
        if (sign === -1 || after.has(vm)) values[at + STARVED] = values[at + STARVED]! - sign * row.starved;
      }
    }
  }
  let vmSeconds = 0;
  for (let day = 0; day < days; day++) vmSeconds += values[day * COLUMNS + SECONDS]!;
  const matrix = { vms: 1, starts: Int32Array.of(0, days), columns: COLUMNS, values };
  return { matrix, days, vmDays: vmSeconds / daySeconds };
}
