import { CPU, MEMORY, R } from '../model.ts';
import { byApplication, type Candidate, figure, vmCount } from './candidate.ts';
import { type Allocation, toAllocation } from './change.ts';
import { type FleetHistory, quantile, seen, standing, type VmHistory } from './history.ts';
import type { AdvisorParams } from './params.ts';

export interface SizeRules {
  /** List price of a unit by resource; what is free is left alone. */
  readonly unit: readonly number[];
  /** Allocations are multiples of this, by resource. */
  readonly quantum: readonly number[];
}

/**
 * The standing allocation that holds a quantile of what the VM was seen to want, and a margin; never more than it has.
 * @param from first row to look at
 */
export function fittingSize(
  vm: VmHistory,
  params: Pick<AdvisorParams, 'quantile' | 'margin'>,
  rules: SizeRules,
  select: (row: number) => boolean = () => true,
): Float64Array {
  const now = standing(vm);
  const size = Float64Array.from(now);
  for (let r = 0; r < R; r++) {
    if (rules.unit[r] === 0 || now[r] === 0) continue;
    const values = seenWhere(vm, r, select);
    const need = quantile(values, params.quantile) * (1 + params.margin);
    if (Number.isNaN(need)) continue;
    const grain = rules.quantum[r]! > 0 ? rules.quantum[r]! : 1e-6;
    size[r] = Math.min(now[r]!, Math.max(grain, Math.ceil(need / grain - 1e-9) * grain));
  }
  return size;
}

function seenWhere(vm: VmHistory, r: number, select: (row: number) => boolean): Float32Array {
  const values = new Float32Array(vm.usage.length / R);
  let n = 0;
  for (let row = 0; row < values.length; row++) {
    const x = vm.usage[row * R + r]!;
    if (x >= 0 && select(row)) values[n++] = x;
  }
  return values.subarray(0, n);
}

/** Smaller standing allocations, an application at a time, where the list price falls by more than `minShrink`. */
export function rightSize(
  history: FleetHistory,
  params: AdvisorParams,
  rules: SizeRules,
  /** VMs whose allocation stands: no policy resizes them, and no other advice removes them. */
  eligible: (vm: VmHistory) => boolean,
): Candidate[] {
  const price = (size: ArrayLike<number>) => rules.unit.reduce((sum, unit, r) => sum + unit * size[r]!, 0);
  const sized = history.vms.flatMap((vm) => {
    if (!eligible(vm) || seen(vm.usage, CPU).length === 0) return [];
    const now = standing(vm);
    const size = fittingSize(vm, params, rules);
    return price(size) < (1 - params.minShrink) * price(now) ? [{ ...vm, now, size }] : [];
  });
  return [...byApplication(sized)].map(([application, vms]) => {
    const sum = (key: 'now' | 'size', r: number) => figure(vms.reduce((total, vm) => total + vm[key][r]!, 0));
    return {
      kind: 'right-size',
      subject: application,
      vms: vms.map(({ vmId }) => vmId),
      reason: `${vmCount(vms.length)} of ${application} are allocated ${sum('now', CPU)} cores and ${sum('now', MEMORY)} MiB, where the ${figure(100 * params.quantile)} % quantile of what they wanted and ${figure(100 * params.margin)} % more is ${sum('size', CPU)} cores and ${sum('size', MEMORY)} MiB.`,
      change: {
        kind: 'right-size',
        vms: Object.fromEntries(
          vms.map(({ vmId, size }): [string, Allocation] => [vmId, toAllocation(size)]),
        ),
      },
    };
  });
}
