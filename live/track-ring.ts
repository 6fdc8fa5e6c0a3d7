import { ForecastBatch } from '../core/forecast/types.ts';
import { R, RESOURCES, type Resource } from '../core/model.ts';
import type { CoreDriver } from './core-driver.ts';
import type { VmTrack } from './operations.ts';

const DEFAULT_UPPER = 0.95;
/** Numbers kept in all: 8 MB. */
const BUDGET = 2_000_000;
const MOST_TICKS = 2016;

/** One tick: columns of slot x R, and which VM was in each slot. */
interface Row {
  readonly at: number;
  readonly vms: Int32Array;
  readonly usage: Float32Array;
  readonly pressure: Float32Array;
  readonly allocation: Float32Array;
  /** Forecast the tick before. */
  readonly median: Float32Array;
  readonly upper: Float32Array;
}

/** What was seen, granted and forecast in the newest ticks, for charts. */
export class TrackRing {
  readonly #rows: Row[] = [];
  #size = 0;
  #next: { median: Float32Array; upper: Float32Array } | undefined;

  /** Takes in the driver's last tick, and forecasts the next. */
  observe(driver: CoreDriver): void {
    const { last, fleet } = driver;
    if (!last) return;
    const length = fleet.rows * R;
    const forecast = this.#next;
    const row: Row = {
      at: last.at,
      vms: vmsBySlot(driver),
      usage: Float32Array.from(last.frame.usage.subarray(0, length)),
      pressure: Float32Array.from(last.frame.pressure.subarray(0, length)),
      allocation: Float32Array.from(last.frame.allocation.subarray(0, length)),
      median: forecast?.median ?? new Float32Array(0),
      upper: forecast?.upper ?? new Float32Array(0),
    };
    this.#rows.push(row);
    this.#size += 5 * length;
    while (this.#rows.length > MOST_TICKS || (this.#size > BUDGET && this.#rows.length > 1)) {
      this.#size -= 5 * this.#rows.shift()!.usage.length;
    }
    this.#next = this.#forecast(driver);
  }

  #forecast(driver: CoreDriver): { median: Float32Array; upper: Float32Array } {
    const { controller, fleet } = driver;
    const median = new Float32Array(fleet.rows * R).fill(Number.NaN);
    const upper = new Float32Array(fleet.rows * R).fill(Number.NaN);
    fleet.applications.list.forEach((id, application) => {
      const forecaster = controller.forecasterOf(id);
      const slots = fleet.slots.filter((slot) => fleet.application[slot] === application);
      if (!forecaster || slots.length === 0) return;
      const batch = new ForecastBatch(slots.length, 1, [0.5, upperQuantile(driver, id)]);
      forecaster.predict(slots, batch);
      slots.forEach((slot, k) => {
        for (let r = 0; r < R; r++) {
          median[slot * R + r] = batch.values[batch.index(k, r, 0, 0)]!;
          upper[slot * R + r] = batch.values[batch.index(k, r, 1, 0)]!;
        }
      });
    });
    return { median, upper };
  }

  track(driver: CoreDriver, vmId: string, resource: Resource, ticks: number): VmTrack | undefined {
    const slot = driver.fleet.slotOf(vmId);
    if (slot === undefined) return undefined;
    const vm = driver.numberOf(slot);
    const r = RESOURCES.indexOf(resource);
    const rows = this.#rows.slice(-ticks).filter((row) => row.vms.includes(vm));
    const column = (name: 'usage' | 'pressure' | 'allocation' | 'median' | 'upper') =>
      rows.map((row) => row[name][row.vms.indexOf(vm) * R + r] ?? Number.NaN);
    return {
      at: rows.map(({ at }) => at),
      usage: column('usage'),
      pressure: column('pressure'),
      allocation: column('allocation'),
      median: column('median'),
      upper: column('upper'),
      upperQuantile: upperQuantile(driver, driver.fleet.specs[slot]!.applicationId),
    };
  }
}

/** The quantile an application's policy provides for, else .95. */
function upperQuantile({ controller }: CoreDriver, applicationId: string): number {
  const quantile = controller.upperQuantileOf(applicationId);
  return quantile !== undefined && quantile > 0.5 ? quantile : DEFAULT_UPPER;
}

function vmsBySlot(driver: CoreDriver): Int32Array {
  const vms = new Int32Array(driver.fleet.rows).fill(-1);
  for (const slot of driver.fleet.slots) vms[slot] = driver.numberOf(slot);
  return vms;
}
