import type { ResourceVector, VmSpec } from '../../core/model.ts';
import type { Workload } from '../../sim/workload/types.ts';

export interface TinyVm {
  /** Demand of each interval from `from`: cores, or a row of four. */
  readonly demand: readonly (number | readonly number[])[];
  readonly from?: number;
  readonly requested?: ResourceVector;
  readonly applicationId?: string;
}

/** A workload written out by hand: 5-minute intervals from 1970-01-01. */
export function tinyWorkload(vms: readonly TinyVm[], intervals: number): Workload {
  const specs = vms.map(
    (vm, i): VmSpec => ({
      vmId: `vm${i}`,
      applicationId: vm.applicationId ?? 'app',
      userId: `u${i}`,
      requested: vm.requested ?? [2, 0, 0, 0],
      min: (vm.requested ?? [2, 0, 0, 0]).map((x) => x / 20) as unknown as ResourceVector,
      max: (vm.requested ?? [2, 0, 0, 0]).map((x) => x * 4) as unknown as ResourceVector,
    }),
  );
  return {
    name: 'tiny',
    epochMs: 0,
    stepMs: 300_000,
    intervals,
    open: () => ({
      arrivals: (t) =>
        vms.flatMap((vm, i) =>
          (vm.from ?? 0) === t
            ? [
                {
                  vm: i,
                  spec: specs[i]!,
                  until: t + vm.demand.length < intervals ? t + vm.demand.length : Number.POSITIVE_INFINITY,
                },
              ]
            : [],
        ),
      demand: (t, count, vm, slot, out) => {
        for (let k = 0; k < count; k++) {
          const value = vms[vm[k]!]!.demand[t - (vms[vm[k]!]!.from ?? 0)]!;
          out.set(typeof value === 'number' ? [value, 0, 0, 0] : value, slot[k]! * 4);
        }
      },
    }),
  };
}
