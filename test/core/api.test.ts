import { describe, expect, it } from 'vitest';
import { getPredictedResourceUsage, setResourceAllocationPolicy } from '../../core/api.ts';
import { controllerSchema } from '../../core/config.ts';
import { Controller } from '../../core/controller.ts';
import { createForecaster } from '../../core/forecast/registry.ts';
import { augursRuntime } from '../../sim/augurs.ts';
import { fleetOf, specOf } from './fleet-of.ts';

async function controllerOf(usages: readonly number[]) {
  const fleet = fleetOf(2);
  fleet.admit({ ...specOf('other'), applicationId: 'other' }, 0);
  const applied: number[][] = [];
  const controller = await Controller.create({
    config: controllerSchema.parse({
      policies: { seed: { kind: 'threshold' }, hands: { kind: 'static' } },
      policy: 'seed',
      guards: { cooldownDown: 0 },
    }),
    fleet,
    telemetry: {
      read(at, frame) {
        for (const slot of fleet.slots) {
          frame.usage.fill(usages[frame.tick]! + slot, slot * 4, slot * 4 + 4);
          frame.allocation.fill(10, slot * 4, slot * 4 + 4);
          frame.sampledAt[slot] = at;
        }
      },
    },
    hypervisor: {
      apply(_at, intents) {
        for (let i = 0; i < intents.count; i++)
          applied.push([intents.slot[i]!, intents.resource[i]!, intents.to[i]!]);
      },
    },
    createForecaster: (forecast, ctx) => createForecaster(forecast, ctx, augursRuntime),
    stepMs: 300_000,
    epochMs: 1000,
    seed: 1,
    historyDepth: 10,
    actFrom: 0,
  });
  for (let tick = 0; tick < usages.length; tick++) await controller.tick(tick, 1000 + tick * 300_000);
  return { controller, applied };
}

describe('getPredictedResourceUsage', () => {
  it('gives paths by VM and their sum, with units and times', async () => {
    const { controller } = await controllerOf([4, 5]);
    const prediction = getPredictedResourceUsage(controller, 'app', 'cpu', { horizon: 2, quantiles: [0.5] });
    expect(prediction).toMatchObject({
      applicationId: 'app',
      unit: 'cores',
      at: [601_000, 901_000],
      total: [[11, 11]],
      vms: [
        { vmId: 'vm0', userId: 'u0', values: [[5, 5]] },
        { vmId: 'vm1', userId: 'u1', values: [[6, 6]] },
      ],
    });
  });
  it('says null where nothing is known yet', async () => {
    const { controller } = await controllerOf([]);
    expect(getPredictedResourceUsage(controller, 'app', 'memory', { horizon: 1 }).total).toEqual([
      [null],
      [null],
      [null],
    ]);
  });
  it.each([
    ['RESOURCE_UNKNOWN', 'app', 'gpu', {}],
    ['APPLICATION_UNKNOWN', 'nobody', 'cpu', {}],
    ['PREDICTION_OPTIONS', 'app', 'cpu', { quantiles: [0.9, 0.5] }],
    ['PREDICTION_OPTIONS', 'app', 'cpu', { horizon: 0 }],
  ])('refuses with %s', async (code, app, resource, options) => {
    const { controller } = await controllerOf([1]);
    expect(() => getPredictedResourceUsage(controller, app, resource, options)).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('setResourceAllocationPolicy', () => {
  it('changes who decides for an application from the next tick on', async () => {
    const { controller, applied } = await controllerOf([4]);
    // vm0 uses 4, vm1 5, other 6 of 10: all below 0.8 x 10, so each of 4 resources of 3 VMs moves.
    expect(applied).toHaveLength(12);
    applied.length = 0;
    setResourceAllocationPolicy(controller, 'app', 'hands');
    await controller.tick(1, 301_000);
    // The lost sample of tick 1 leaves the forecast as it was: only the other application's VM still moves.
    expect(new Set(applied.map(([slot]) => slot))).toEqual(new Set([2]));
    expect(controller.policyOf('app')).toBe('hands');
    expect(controller.policyOf('other')).toBe('seed');
  });
  it('refuses an unknown policy, naming those there are', async () => {
    const { controller } = await controllerOf([1]);
    expect(() => setResourceAllocationPolicy(controller, 'app', 'gold')).toThrow(
      /no policy is named 'gold'[\s\S]*seed, hands/,
    );
  });
});
