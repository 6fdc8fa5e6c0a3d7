import { HOUR } from '../duration.ts';
import { CPU, MEMORY, R } from '../model.ts';
import type { Prices } from '../prices.ts';
import { type Candidate, figure } from './candidate.ts';
import type { FleetHistory, VmHistory } from './history.ts';
import { hourFactor } from './tariff.ts';

/**
 * How much capacity to pay for in advance: the newsvendor's answer. A reserved unit costs 1 - discount an hour whether
 * used or not, and spares the list price of the hours in which the load needs it: it pays while the hours with a load
 * above it, weighed by their price, are more than the share 1 - discount of all. That is the quantile `discount` of the
 * load where all hours cost the same (Arrow, Harris and Marschak 1951).
 * @param load by hour
 * @param price of the hour, relative to the list price
 */
export function reservedAmount(load: readonly number[], price: readonly number[], discount: number): number {
  const order = load.map((_, i) => i).sort((a, b) => load[b]! - load[a]!);
  const needed = (1 - discount) * load.length;
  let spared = 0;
  for (const i of order) {
    spared += price[i]!;
    if (spared >= needed - 1e-9) return load[i]!;
  }
  return 0;
}

/** Reserved capacity for the steady base, for each offer. @param onDemand VMs that pay the list price */
export function reserveBase(
  history: FleetHistory,
  prices: Prices,
  onDemand: (vm: VmHistory) => boolean,
): Candidate[] {
  const offers = prices.reserved ?? [];
  if (offers.length === 0) return [];
  const cpu = hourlyLoad(history, CPU, onDemand);
  const memory = hourlyLoad(history, MEMORY, onDemand);
  const price = cpu.map((_, hour) => hourFactor(prices, history.epochMs + hour * HOUR));
  return offers.flatMap(({ termMonths, discount }): Candidate[] => {
    const cores = reservedAmount(cpu, price, discount);
    const memoryGib = reservedAmount(memory, price, discount) / 1024;
    if (cores === 0 && memoryGib === 0) return [];
    const share = cpu.filter((x) => x >= cores).length / cpu.length;
    return [
      {
        kind: 'reserve',
        subject: 'fleet',
        vms: [],
        reason: `${figure(cores)} cores and ${figure(memoryGib)} GiB were allocated on demand in ${figure(100 * share)} % of all hours, and cost ${figure(100 * discount)} % less when reserved for ${figure(termMonths)} months.`,
        change: { kind: 'reserve', cores, memoryGib, termMonths, discount },
      },
    ];
  });
}

/** Mean of what the VMs were allocated together in each whole hour. */
export function hourlyLoad(
  { vms, ticks, stepMs }: FleetHistory,
  resource: number,
  select: (vm: VmHistory) => boolean,
): number[] {
  const perHour = Math.max(1, Math.round(HOUR / stepMs));
  const load = new Float64Array(Math.floor(ticks / perHour));
  for (const vm of vms) {
    if (!select(vm)) continue;
    for (let row = 0; row < vm.allocation.length / R; row++) {
      const hour = Math.floor((vm.start + row) / perHour);
      if (hour < load.length) load[hour]! += vm.allocation[row * R + resource]! / perHour;
    }
  }
  return [...load];
}
