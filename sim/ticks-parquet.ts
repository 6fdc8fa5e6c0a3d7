import { R, RESOURCES } from '../core/model.ts';
import type { RecordedVm } from './result.ts';

/**
 * The recorded VMs tick by tick: at (ms since the epoch), vm_id, application_id, user_id, resource, demand, usage,
 * allocation, forecast_median, forecast_upper. Units as in `UNITS`.
 */
export async function writeTicksParquet(recorded: readonly RecordedVm[], file: string): Promise<void> {
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  try {
    await connection.run(`create table ticks ("at" bigint, vm_id varchar, application_id varchar, user_id varchar,
      resource varchar, demand double, usage double, allocation double, forecast_median double, forecast_upper double)`);
    const appender = await connection.createAppender('ticks');
    for (const vm of recorded) {
      for (let r = 0; r < R; r++) {
        const series = vm.resources[RESOURCES[r]!];
        if (!series) continue;
        vm.at.forEach((at, i) => {
          appender.appendBigInt(BigInt(at));
          appender.appendVarchar(vm.vmId);
          appender.appendVarchar(vm.applicationId);
          appender.appendVarchar(vm.userId);
          appender.appendVarchar(RESOURCES[r]!);
          appender.appendDouble(series.demand[i]!);
          appender.appendDouble(series.usage[i]!);
          appender.appendDouble(series.allocation[i]!);
          for (const value of [series.median[i]!, series.upper[i]!]) {
            if (value === null) appender.appendNull();
            else appender.appendDouble(value);
          }
          appender.endRow();
        });
      }
    }
    appender.closeSync();
    await connection.run(`copy ticks to '${file.replaceAll("'", "''")}' (format parquet, compression zstd)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
