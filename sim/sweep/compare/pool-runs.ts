import { ForesizeError } from '../../../core/errors.ts';
import { RESOURCES } from '../../../core/model.ts';
import type { RunResult, VmDays } from '../../result.ts';
import type { PointRecord } from '../point-task.ts';

/** A run of a configuration and the replicate it was made on. */
export interface Replicate {
  readonly name: string;
  readonly record: PointRecord;
}

/**
 * The runs of one configuration over all replicates as one run, whose VM-days are those of all. A VM of a trace is
 * the same VM whatever the seed, so its days are added up over the runs; VMs generated from different seeds are
 * different VMs. Either way a VM of the pool is a cluster of the bootstrap.
 * @throws ForesizeError SWEEP_COMPARE_CURRENCIES, SWEEP_COMPARE_BACKENDS
 */
export function poolRuns(label: string, replicates: readonly Replicate[]): RunResult {
  const results = replicates.map(({ record }) => record.result);
  const first = results[0]!;
  requireOne(label, 'CURRENCIES', 'currencies', new Set(results.map(({ currency }) => currency)));
  const backends = new Set(results.map(({ backend }) => backend).filter((name) => name !== 'none'));
  requireOne(label, 'BACKENDS', 'tensor backends', backends);
  const [backend = 'none'] = backends;
  return { ...first, id: label, policy: label, seed: 0, backend, days: poolDays(replicates) };
}

function poolDays(replicates: readonly Replicate[]): VmDays {
  const pooled: Required<VmDays> = {
    vmIds: [],
    vm: [],
    day: [],
    seconds: [],
    cost: [],
    starved: {},
    starvedAny: [],
  };
  const vms = new Map<string, number>();
  const rows = new Map<string, number>();
  const resources = RESOURCES.filter((r) => replicates.every(({ record }) => record.result.days.starved[r]));
  for (const r of resources) pooled.starved[r] = [];
  for (const { name, record } of replicates) {
    const { days } = record.result;
    const world = record.trace ?? name;
    for (let k = 0; k < days.vm.length; k++) {
      const id = `${world}/${days.vmIds[days.vm[k]!]!}`;
      let vm = vms.get(id);
      if (vm === undefined) {
        vm = pooled.vmIds.length;
        vms.set(id, vm);
        pooled.vmIds.push(id);
      }
      const key = `${vm} ${days.day[k]!}`;
      let row = rows.get(key);
      if (row === undefined) {
        row = pooled.vm.length;
        rows.set(key, row);
        pooled.vm.push(vm);
        pooled.day.push(days.day[k]!);
        for (const column of [pooled.seconds, pooled.cost, pooled.starvedAny]) column.push(0);
        for (const r of resources) pooled.starved[r]!.push(0);
      }
      pooled.seconds[row]! += days.seconds[k]!;
      pooled.cost[row]! += days.cost[k]!;
      pooled.starvedAny[row]! += days.starvedAny?.[k] ?? 0;
      for (const r of resources) pooled.starved[r]![row]! += days.starved[r]![k]!;
    }
  }
  return pooled;
}

function requireOne(label: string, code: string, what: string, found: ReadonlySet<string>): void {
  if (found.size <= 1) return;
  throw new ForesizeError({
    code: `SWEEP_COMPARE_${code}`,
    what: `the runs of the configuration have several ${what}: ${[...found].join(', ')}`,
    where: label,
    remedy: 'sweep with one of them; figures of different ones are never added up',
  });
}
