import { DAY, HOUR } from '../duration.ts';
import { CPU, R } from '../model.ts';
import { byApplication, type Candidate, figure, vmCount } from './candidate.ts';
import { type ChangeOf, toAllocation } from './change.ts';
import { type FleetHistory, quantile, seen, standing, type VmHistory } from './history.ts';
import type { AdvisorParams } from './params.ts';
import { fittingSize, type SizeRules } from './right-size.ts';

/** Work that can wait, of one VM as the history shows it. */
interface Deferrable extends VmHistory {
  /** Median use, a row of R: what it does without the work. */
  readonly base: Float64Array;
  /** The most its work ever took above that, a row of R, as far as the allocation holds it. */
  readonly most: Float64Array;
  /** Hours it would need on those cores on its busiest day. */
  readonly hours: number;
  /** Cores x hours by hour of day. */
  readonly byHour: Float64Array;
}

/** Windows to try for an application: the cheapest of just enough hours, and wider ones. */
const EXTRA_HOURS = [1, 2, 4];
/** A tenth of the allocation is left for what the base does meanwhile. */
const FILL = 0.9;
/** Work that never took more of the allocation than this is not worth moving. */
const LEAST_SHARE = 0.05;

/**
 * Work above the base load moved into the cheapest hours of the day. Which window is best the replay says, so several
 * are proposed for each application.
 * @param factors price by hour of the day, relative to the list price
 */
export function shiftOffPeak(
  history: FleetHistory,
  factors: readonly number[],
  eligible: (vm: VmHistory) => boolean,
): Candidate[] {
  if (Math.max(...factors) - Math.min(...factors) <= 0) return [];
  const work = history.vms.flatMap((vm) => (eligible(vm) ? (deferrable(vm, history) ?? []) : []));
  return [...byApplication(work)].flatMap(([application, vms]) => {
    const byHour = new Float64Array(24);
    for (const vm of vms) for (let h = 0; h < 24; h++) byHour[h]! += vm.byHour[h]!;
    const total = byHour.reduce((sum, x) => sum + x, 0);
    const now = byHour.reduce((sum, x, h) => sum + x * factors[h]!, 0) / total;
    const need = Math.ceil(Math.max(...vms.map(({ hours }) => hours)));
    const start = busiest(byHour);
    return EXTRA_HOURS.flatMap((extra): Candidate[] => {
      const hours = cheapestWindow(factors, Math.min(24, need + extra), start);
      const then = hours.reduce((sum, h) => sum + factors[h]!, 0) / hours.length;
      if (then >= now) return [];
      return [
        {
          kind: 'shift',
          subject: application,
          vms: vms.map(({ vmId }) => vmId),
          reason: `Work of ${vmCount(vms.length)} of ${application} that can wait, ${figure(total / 3600)} core-hours a day, runs at ${figure(now)} of the list price, where ${window(hours)} UTC costs ${figure(then)} of it.`,
          change: {
            kind: 'shift',
            application,
            hours,
            vms: Object.fromEntries(
              vms.map(({ vmId, base, most }) => [
                vmId,
                { base: toAllocation(base), most: toAllocation(most) },
              ]),
            ),
          },
        },
      ];
    });
  });
}

/**
 * The shift with standing allocations for its hours and the others, as a replay of it showed they are needed.
 * @param shifted history of the replay
 */
export function withTimetable(
  change: ChangeOf<'shift'>,
  shifted: FleetHistory,
  params: AdvisorParams,
  rules: SizeRules,
): ChangeOf<'shift'> {
  const vms = { ...change.vms };
  for (const vm of shifted.vms) {
    const plan = vms[vm.vmId];
    if (!plan) continue;
    const isInside = (row: number) => {
      // A row covers the time before its tick.
      const at = shifted.epochMs + (vm.start + row - 1) * shifted.stepMs;
      return change.hours.includes(Math.floor(at / HOUR) % 24);
    };
    const inside = fittingSize(vm, params, rules, isInside);
    const outside = fittingSize(vm, params, rules, (row) => !isInside(row));
    for (let r = 0; r < R; r++) {
      // A resize grows by a factor of ten at most, and no allocation is larger by night for want of history.
      outside[r] = Math.max(outside[r]!, inside[r]! / 8);
      inside[r] = Math.max(inside[r]!, outside[r]!);
    }
    vms[vm.vmId] = { ...plan, inside: toAllocation(inside), outside: toAllocation(outside) };
  }
  return { ...change, vms };
}

function deferrable(vm: VmHistory, { epochMs, stepMs }: FleetHistory): Deferrable | undefined {
  const base = new Float64Array(R);
  const most = new Float64Array(R);
  const allocation = standing(vm);
  for (let r = 0; r < R; r++) {
    const values = seen(vm.usage, r);
    if (values.length === 0) continue;
    base[r] = quantile(values, 0.5);
    most[r] = Math.max(0, Math.min(FILL * allocation[r]!, quantile(values, 1)) - base[r]!);
  }
  const cores = most[CPU]!;
  const seconds = stepMs / 1000;
  const byHour = new Float64Array(24);
  const byDay = new Map<number, number>();
  let rows = 0;
  for (let row = 0; row < vm.usage.length / R; row++) {
    const excess = vm.usage[row * R + CPU]! - base[CPU]!;
    if (!Number.isNaN(excess)) rows++;
    if (!(excess > 0)) continue;
    const at = epochMs + (vm.start + row - 1) * stepMs;
    byHour[Math.floor(at / HOUR) % 24]! += excess * seconds;
    const day = Math.floor(at / DAY);
    byDay.set(day, (byDay.get(day) ?? 0) + excess * seconds);
  }
  if (cores < LEAST_SHARE * allocation[CPU]! || byDay.size === 0) return undefined;
  const days = (rows * stepMs) / DAY;
  for (let h = 0; h < 24; h++) byHour[h]! /= days;
  return { ...vm, base, most, byHour, hours: Math.max(...byDay.values()) / cores / 3600 };
}

function busiest(byHour: Float64Array): number {
  return byHour.indexOf(Math.max(...byHour));
}

/** `length` hours on end with the lowest mean price; of several, those that come soonest after `start`. */
export function cheapestWindow(factors: readonly number[], length: number, start: number): number[] {
  let best: number[] = [];
  let least = Number.POSITIVE_INFINITY;
  for (let later = 0; later < 24; later++) {
    const hours = Array.from({ length }, (_, i) => (start + later + i) % 24);
    const price = hours.reduce((sum, h) => sum + factors[h]!, 0);
    if (price >= least - 1e-12) continue;
    least = price;
    best = hours;
  }
  return best;
}

function window(hours: readonly number[]): string {
  const two = (h: number) => String(h).padStart(2, '0');
  return `${two(hours[0]!)}:00 to ${two((hours.at(-1)! + 1) % 24)}:00`;
}
