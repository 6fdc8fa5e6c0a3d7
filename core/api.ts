import type { Controller } from './controller.ts';
import { ForesizeError } from './errors.ts';
import { ForecastBatch } from './forecast/types.ts';
import { RESOURCES, type Resource, UNITS } from './model.ts';

export interface PredictionOptions {
  /** Ticks ahead; 12 when left out: an hour at five minutes. */
  readonly horizon?: number;
  /** Ascending, in (0, 1). [.5, .9, .95] when left out. */
  readonly quantiles?: readonly number[];
}

/** Forecast paths; `values[q][h]` in `unit`, null where nothing is known yet. */
export interface Prediction {
  readonly applicationId: string;
  readonly resource: Resource;
  readonly unit: string;
  readonly quantiles: readonly number[];
  /** End of each forecast interval, ms since the epoch. */
  readonly at: readonly number[];
  /** Sum over the VMs. A sum of quantiles is at least the quantile of the sum: an upper bound above the median. */
  readonly total: readonly (readonly (number | null)[])[];
  readonly vms: readonly {
    readonly vmId: string;
    readonly userId: string;
    readonly values: readonly (readonly (number | null)[])[];
  }[];
}

/**
 * What the application's VMs are expected to use of a resource over the next ticks, by the forecaster of the policy
 * that governs it.
 * @throws ForesizeError APPLICATION_UNKNOWN, RESOURCE_UNKNOWN, FORECAST_NONE, PREDICTION_OPTIONS
 */
export function getPredictedResourceUsage(
  controller: Controller,
  applicationId: string,
  resourceType: string,
  { horizon = 12, quantiles = [0.5, 0.9, 0.95] }: PredictionOptions = {},
): Prediction {
  const resource = (RESOURCES as readonly string[]).indexOf(resourceType);
  if (resource < 0) {
    throw new ForesizeError({
      code: 'RESOURCE_UNKNOWN',
      what: `'${resourceType}' is not a resource`,
      remedy: `use one of: ${RESOURCES.join(', ')}`,
    });
  }
  const ascending = quantiles.every((q, i) => q > 0 && q < 1 && (i === 0 || q > quantiles[i - 1]!));
  if (!Number.isInteger(horizon) || horizon < 1 || quantiles.length === 0 || !ascending) {
    throw new ForesizeError({
      code: 'PREDICTION_OPTIONS',
      what: 'the horizon must be a whole number of ticks from 1 and the quantiles ascending in (0, 1)',
      remedy: 'for example { horizon: 12, quantiles: [0.5, 0.95] }',
    });
  }
  const { fleet, history, stepMs, epochMs } = controller;
  requireApplication(controller, applicationId);
  const forecaster = controller.forecasterOf(applicationId);
  if (!forecaster) {
    throw new ForesizeError({
      code: 'FORECAST_NONE',
      what: `the policy '${controller.policyOf(applicationId)}' of ${applicationId} makes no forecast`,
      remedy: 'set a policy with a forecast: threshold or quantile',
    });
  }
  const application = fleet.applications.find(applicationId);
  const slots = fleet.slots.filter((slot) => fleet.application[slot] === application);
  const batch = new ForecastBatch(slots.length, horizon, quantiles);
  forecaster.predict(slots, batch);
  const steps = Array.from({ length: horizon }, (_, h) => h);
  const vms = Array.from(slots, (slot, k) => ({
    vmId: fleet.specs[slot]!.vmId,
    userId: fleet.specs[slot]!.userId,
    values: quantiles.map((_, q) => steps.map((h) => known(batch.values[batch.index(k, resource, q, h)]!))),
  }));
  return {
    applicationId,
    resource: RESOURCES[resource]!,
    unit: UNITS[RESOURCES[resource]!],
    quantiles: [...quantiles],
    at: steps.map((h) => epochMs + (history.head + 1 + h) * stepMs),
    total: quantiles.map((_, q) => steps.map((h) => sum(vms.map((vm) => vm.values[q]![h]!)))),
    vms,
  };
}

/**
 * Puts an application under a configured policy, from the next tick on.
 * @throws ForesizeError APPLICATION_UNKNOWN, POLICY_UNKNOWN
 */
export function setResourceAllocationPolicy(
  controller: Controller,
  applicationId: string,
  policyName: string,
): void {
  requireApplication(controller, applicationId);
  controller.setPolicy(applicationId, policyName);
}

function requireApplication({ fleet }: Controller, applicationId: string): void {
  if (fleet.applications.find(applicationId) !== undefined) return;
  const known = fleet.applications.list;
  throw new ForesizeError({
    code: 'APPLICATION_UNKNOWN',
    what: `no VM of an application '${applicationId}' was ever seen`,
    remedy: known.length === 0 ? 'wait for the first tick' : `known: ${known.slice(0, 10).join(', ')}`,
  });
}

function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

function sum(values: readonly (number | null)[]): number | null {
  let total: number | null = null;
  for (const value of values) if (value !== null) total = (total ?? 0) + value;
  return total;
}
