import type { Controller } from '../../core/controller.ts';
import { R, RESOURCES, type Resource, UNITS } from '../../core/model.ts';
import { unitPricesPerSecond } from '../../core/prices.ts';
import type { Operations } from '../operations.ts';
import { HttpProblem } from './problems.ts';
import type {
  ApplicationsView,
  FleetTrackView,
  FleetView,
  PoliciesView,
  VmTrackView,
  VmView,
} from './views.ts';

/** NaN, which JSON does not have, as null; a limit that is none as null too. */
export function known(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

/** @throws HttpProblem VM_UNKNOWN */
export function slotOf({ fleet }: Controller, vmId: string): number {
  const slot = fleet.slotOf(vmId);
  if (slot !== undefined) return slot;
  throw new HttpProblem(404, {
    code: 'VM_UNKNOWN',
    what: `no managed VM is named '${vmId}'`,
    remedy: 'see GET /api/v1/vms for those that are; a VM that was shut off is not among them',
  });
}

/** Price of an hour of what `amount` gives of each resource of a slot. */
function perHour(controller: Controller, amount: (resource: number) => number | null): number {
  const prices = unitPricesPerSecond(controller.config.prices);
  return prices.reduce((sum, price, r) => sum + price * 3600 * (amount(r) ?? 0), 0);
}

/** A VM as it is now: the last entry of its tracks. */
export function vmView(operations: Operations, slot: number): VmView {
  const { controller } = operations;
  const { fleet, config } = controller;
  const { vmId, applicationId, userId } = fleet.specs[slot]!;
  const at = (column: readonly number[]) => known(column[column.length - 1]);
  const resources: VmView['resources'] = [];
  RESOURCES.forEach((resource, r) => {
    const i = slot * R + r;
    if (!(fleet.max[i]! > 0)) return;
    const track = operations.track(vmId, resource, 1);
    resources.push({
      resource,
      unit: UNITS[resource],
      usage: at(track.usage),
      allocation: at(track.allocation),
      pressure: at(track.pressure),
      requested: known(fleet.requested[i]!) ?? 0,
      min: known(fleet.min[i]!) ?? 0,
      max: known(fleet.max[i]!) ?? 0,
      median: at(track.median),
      upper: at(track.upper),
      upperQuantile: track.upperQuantile,
    });
  });
  const allocated = new Map(resources.map(({ resource, allocation }) => [resource, allocation]));
  return {
    vmId,
    applicationId,
    userId,
    policy: controller.policyOf(applicationId),
    cost: {
      perHour: perHour(controller, (r) => allocated.get(RESOURCES[r]!) ?? null),
      currency: config.prices.currency,
    },
    starved: resources
      .filter(({ pressure }) => pressure !== null && pressure > config.guards.pressure)
      .map(({ resource }) => resource),
    resources,
  };
}

export function vmViews(operations: Operations): VmView[] {
  const views = Array.from(operations.controller.fleet.slots, (slot) => vmView(operations, slot));
  return views.sort((a, b) => (a.vmId < b.vmId ? -1 : 1));
}

/** The fleet as it is now: sums over its VMs, for the resources any of them has. */
export function fleetView(operations: Operations): FleetView {
  const { controller } = operations;
  const { fleet, config } = controller;
  const { currency } = config.prices;
  const views = vmViews(operations);
  const resources = RESOURCES.flatMap((resource) => {
    const rows = views.flatMap((vm) => vm.resources.filter((row) => row.resource === resource));
    if (rows.length === 0) return [];
    const sum = (pick: (row: (typeof rows)[number]) => number | null) =>
      rows.reduce((total, row) => total + (pick(row) ?? 0), 0);
    return {
      resource,
      unit: UNITS[resource],
      usage: sum((row) => row.usage),
      allocation: sum((row) => row.allocation),
      requested: sum((row) => row.requested),
      starved: views.filter((vm) => vm.starved.includes(resource)).length,
    };
  });
  let requested = 0;
  for (const slot of fleet.slots)
    requested += perHour(controller, (r) => known(fleet.requested[slot * R + r]!));
  return {
    at: operations.status().tickAt,
    vms: views.length,
    starved: views.filter((vm) => vm.starved.length > 0).length,
    starvedAbove: config.guards.pressure,
    cost: { perHour: views.reduce((total, vm) => total + vm.cost.perHour, 0), currency },
    requestedCost: { perHour: requested, currency },
    resources,
  };
}

/** Sums over the VMs that are here now, over the last ticks; a VM that said nothing counts as nothing. */
export function fleetTrack(operations: Operations, resource: Resource, ticks: number): FleetTrackView {
  const { fleet } = operations.controller;
  const r = RESOURCES.indexOf(resource);
  const sums = new Map<number, { usage: number | null; allocation: number | null }>();
  const plus = (sum: number | null, value: number | undefined) => {
    const more = known(value);
    return more === null ? sum : (sum ?? 0) + more;
  };
  for (const slot of fleet.slots) {
    if (!(fleet.max[slot * R + r]! > 0)) continue;
    const track = operations.track(fleet.specs[slot]!.vmId, resource, ticks);
    track.at.forEach((at, i) => {
      const sum = sums.get(at) ?? { usage: null, allocation: null };
      sum.usage = plus(sum.usage, track.usage[i]);
      sum.allocation = plus(sum.allocation, track.allocation[i]);
      sums.set(at, sum);
    });
  }
  const rows = [...sums].sort(([a], [b]) => a - b);
  return {
    resource,
    unit: UNITS[resource],
    at: rows.map(([at]) => at),
    usage: rows.map(([, sum]) => sum.usage),
    allocation: rows.map(([, sum]) => sum.allocation),
  };
}

export function vmTrackView(
  operations: Operations,
  vmId: string,
  resource: Resource,
  ticks: number,
): VmTrackView {
  slotOf(operations.controller, vmId);
  const { at, usage, pressure, allocation, median, upper, upperQuantile } = operations.track(
    vmId,
    resource,
    ticks,
  );
  return {
    vmId,
    resource,
    unit: UNITS[resource],
    at: [...at],
    usage: usage.map(known),
    pressure: pressure.map(known),
    allocation: allocation.map(known),
    median: median.map(known),
    upper: upper.map(known),
    upperQuantile,
  };
}

/** The applications that have a VM now. */
export function applicationsView(operations: Operations): ApplicationsView {
  const { controller } = operations;
  const { currency } = controller.config.prices;
  const byId = new Map<string, VmView[]>();
  for (const vm of vmViews(operations))
    byId.set(vm.applicationId, [...(byId.get(vm.applicationId) ?? []), vm]);
  return {
    applications: [...byId]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([applicationId, vms]) => ({
        applicationId,
        policy: controller.policyOf(applicationId),
        vms: vms.length,
        users: new Set(vms.map((vm) => vm.userId)).size,
        cost: { perHour: vms.reduce((sum, vm) => sum + vm.cost.perHour, 0), currency },
      })),
  };
}

export function policiesView({ controller }: Operations): PoliciesView {
  const { config, fleet } = controller;
  const here = new Set(Array.from(fleet.slots, (slot) => fleet.specs[slot]!.applicationId));
  return {
    policies: Object.entries(config.policies).map(([name, { kind, ...parameters }]) => ({
      name,
      kind,
      forecast: 'forecast' in parameters ? parameters.forecast.model : null,
      isDefault: name === config.policy,
      applications: [...here].filter((id) => controller.policyOf(id) === name).length,
      parameters,
    })),
  };
}
