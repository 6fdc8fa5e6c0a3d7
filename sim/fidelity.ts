import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { R, RESOURCES, type Resource, UNITS } from '../core/model.ts';
import type { Recording } from '../core/recording.ts';
import { type HypervisorParams, hypervisorParams } from './cluster/hypervisor-model.ts';
import { telemetryParams } from './cluster/sim-telemetry.ts';
import { vmModelParams } from './cluster/vm-model.ts';
import { parseAs } from './scenario.ts';
import { simulate } from './simulate.ts';
import type { Workload } from './workload/types.ts';

/** One resource, live and simulated, means over all VM-intervals both have. */
export interface ResourceFidelity {
  readonly unit: string;
  readonly allocation: Pair & { readonly meanError: number };
  readonly usage: Pair & { readonly meanError: number };
  readonly resizes: Pair;
  /** Share of VM-intervals in which work was held back (live: pressure; simulated: demand above the allocation). */
  readonly starved: Pair;
}

export interface Pair {
  readonly live: number;
  readonly simulated: number;
}

export interface FidelityReport {
  readonly vms: number;
  readonly intervals: number;
  readonly resources: Partial<Record<Resource, ResourceFidelity>>;
}

/** Pressure below this is what a busy host makes of any VM. */
const HELD_BACK = 0.01;

/** The hypervisor model of a file that `foresize calibrate` wrote. */
export function readHypervisorModel(file: string): HypervisorParams {
  return parseAs(z.strictObject({ hypervisor: hypervisorParams }), readFileSync(file, 'utf8'), file)
    .hypervisor;
}

/**
 * Runs the demand of a live recording through the simulator, under the same configuration, and tells how far the two
 * came apart. `meanError` is the mean absolute difference over the live mean.
 */
export async function fidelity(
  recording: Recording,
  hypervisor: HypervisorParams = hypervisorParams.parse({}),
): Promise<FidelityReport> {
  const resizes = new Float64Array(R);
  const { recorded } = await simulate({
    controller: recording.controller,
    workload: workloadOf(recording),
    seed: recording.seed,
    warmup: 0,
    hypervisor,
    telemetry: telemetryParams.parse({}),
    // What was held back and served later is in the recorded demand already: it must not wait here, too.
    vms: vmModelParams.parse({ backlogS: 0 }),
    granted: (vmId) => recording.vms.find(({ spec }) => spec.vmId === vmId)?.granted,
    record: recording.vms.length,
    onDecisions: (bytes) => {
      for (let at = 8; at < bytes.length; at += 32) resizes[bytes[at]!]!++;
    },
  });
  const simulated = new Map(recorded.map((vm) => [vm.vmId, vm]));
  const resources: Partial<Record<Resource, ResourceFidelity>> = {};
  RESOURCES.forEach((name, r) => {
    const sum = new Sums();
    let wanted = 0;
    for (const vm of recording.vms) {
      wanted += vm.resizes[r]!;
      const series = simulated.get(vm.spec.vmId)?.resources[name];
      const at = simulated.get(vm.spec.vmId)?.at;
      if (!series || !at || vm.spec.max[r] === 0) continue;
      at.forEach((end, k) => {
        const t = Math.round((end - recording.epochMs) / recording.stepMs) - 1 - vm.from;
        if (t < 0 || t >= vm.until - vm.from) return;
        const i = t * R + r;
        sum.add(
          [vm.usage[i]!, vm.allocation[i]!, vm.pressure[i]! > HELD_BACK ? 1 : 0],
          [series.usage[k]!, series.allocation[k]!, series.demand[k]! > series.allocation[k]! ? 1 : 0],
        );
      });
    }
    if (sum.count === 0) return;
    resources[name] = {
      unit: UNITS[name],
      allocation: sum.pair(1),
      usage: sum.pair(0),
      resizes: { live: wanted, simulated: resizes[r]! },
      starved: sum.pair(2),
    };
  });
  return { vms: recording.vms.length, intervals: recording.intervals, resources };
}

class Sums {
  count = 0;
  readonly #live = [0, 0, 0];
  readonly #simulated = [0, 0, 0];
  readonly #apart = [0, 0, 0];

  add(live: readonly number[], simulated: readonly number[]): void {
    if (live.some(Number.isNaN)) return;
    this.count++;
    live.forEach((value, i) => {
      this.#live[i]! += value;
      this.#simulated[i]! += simulated[i]!;
      this.#apart[i]! += Math.abs(value - simulated[i]!);
    });
  }

  pair(i: number): Pair & { meanError: number } {
    const live = this.#live[i]!;
    return {
      live: live / this.count,
      simulated: this.#simulated[i]! / this.count,
      meanError: live === 0 ? 0 : this.#apart[i]! / live,
    };
  }
}

/** The recorded demand as a workload. What is not known is as it last was. */
function workloadOf({ vms, epochMs, stepMs, intervals }: Recording): Workload {
  return {
    name: 'recorded',
    epochMs,
    stepMs,
    intervals,
    open: () => {
      const latest = vms.map(() => new Float64Array(R));
      return {
        arrivals: (t) =>
          vms.flatMap(({ spec, from, until }, vm) =>
            from === t ? { vm, spec, until: until < intervals ? until : Number.POSITIVE_INFINITY } : [],
          ),
        demand: (t, count, vm, slot, out) => {
          for (let k = 0; k < count; k++) {
            const { from, demand, spec } = vms[vm[k]!]!;
            const known = latest[vm[k]!]!;
            for (let r = 0; r < R; r++) {
              const value = demand[(t - from) * R + r]!;
              if (spec.max[r]! > 0 && value >= 0) known[r] = value;
              out[slot[k]! * R + r] = known[r]!;
            }
          }
        },
      };
    },
  };
}
