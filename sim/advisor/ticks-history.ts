import { RESOURCES } from '../../core/model.ts';
import { forEachRow, literal, withDuckDb } from '../trace/duckdb.ts';
import type { HistoryColumns, VmColumns } from './from-history.ts';

interface Growing extends VmColumns {
  readonly usageRows: number[];
  readonly allocationRows: number[];
}

/** The recorded VMs of a run, from its `ticks.parquet`. @param stepMs length of a tick */
export async function readTicksHistory(file: string, stepMs: number): Promise<HistoryColumns> {
  const R = RESOURCES.length;
  const vms = new Map<string, Growing>();
  let epochMs = Number.NaN;
  await withDuckDb(async (connection) => {
    const sql = `select "at", vm_id, application_id, user_id, resource, usage, allocation from read_parquet(${literal(file)}) order by "at", vm_id`;
    await forEachRow(connection, file, sql, undefined, (columns, i) => {
      const [at, vmId, applicationId, userId, resource] = columns.slice(0, 5).map((c) => c[i]) as [
        bigint,
        string,
        string,
        string,
        (typeof RESOURCES)[number],
      ];
      if (Number.isNaN(epochMs)) epochMs = Number(at);
      const tick = Math.round((Number(at) - epochMs) / stepMs);
      let vm = vms.get(vmId);
      if (!vm) {
        const empty = new Float32Array(0);
        vm = {
          vmId,
          applicationId,
          userId,
          start: tick,
          usage: empty,
          allocation: empty,
          usageRows: [],
          allocationRows: [],
        };
        vms.set(vmId, vm);
      }
      const row = (tick - vm.start) * R;
      while (vm.usageRows.length < row + R) {
        vm.usageRows.push(Number.NaN);
        vm.allocationRows.push(0);
      }
      const r = RESOURCES.indexOf(resource);
      vm.usageRows[row + r] = columns[5]![i] as number;
      vm.allocationRows[row + r] = columns[6]![i] as number;
    });
  });
  return {
    epochMs,
    stepMs,
    vms: [...vms.values()].map(({ usageRows, allocationRows, ...vm }) => ({
      ...vm,
      usage: Float32Array.from(usageRows),
      allocation: Float32Array.from(allocationRows),
    })),
  };
}
