import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { getPredictedResourceUsage, type Prediction } from '../../../core/api.ts';
import { R } from '../../../core/model.ts';
import type { Operations } from '../../operations.ts';
import { clientOf } from '../access.ts';
import { applicationsView, policiesView } from '../fleet-views.ts';
import { HttpProblem } from '../problems.ts';
import { route } from '../route.ts';
import * as views from '../views.ts';

/** Numbers one prediction may take, 8 MB: a longer one would hold up the ticks. */
const MOST_CELLS = 1_000_000;

const appParams = z.strictObject({ applicationId: z.string().describe('Id of the application.') });
const quantiles = z
  .string()
  .regex(/^\d*\.?\d+(,\d*\.?\d+){0,8}$/, 'up to nine numbers with commas between them, such as 0.5,0.95')
  .default('0.5,0.9,0.95')
  .describe('Ascending, in (0, 1), with commas between them.');

export function applicationRoutes(app: FastifyInstance, operations: Operations): void {
  route(app, {
    method: 'GET',
    path: '/applications',
    id: 'listApplications',
    tag: 'applications',
    summary: 'Applications with the policy that governs each',
    reply: views.applicationsView,
    handle: () => applicationsView(operations),
  });
  route(app, {
    method: 'GET',
    path: '/policies',
    id: 'listPolicies',
    tag: 'applications',
    summary: 'The configured policies',
    reply: views.policiesView,
    handle: () => policiesView(operations),
  });
  route(app, {
    method: 'PUT',
    path: '/applications/:applicationId/policy',
    id: 'setResourceAllocationPolicy',
    tag: 'applications',
    summary: 'Put an application under a policy from the next tick on',
    params: appParams,
    body: z.strictObject({ policy: z.string().min(1).max(200).describe('Name of a configured policy.') }),
    reply: views.policyChoice,
    handle: async ({ params: { applicationId }, body: { policy } }, request) => {
      await operations.setPolicy(applicationId, policy, clientOf(request));
      return { applicationId, policy };
    },
  });
  route(app, {
    method: 'GET',
    path: '/applications/:applicationId/predictions/:resource',
    id: 'getPredictedResourceUsage',
    tag: 'applications',
    summary: 'What an application is expected to use over the next ticks',
    params: appParams.extend({ resource: views.resource }),
    query: z.strictObject({
      horizon: z.coerce.number().int().min(1).max(2016).default(12).describe('Ticks ahead.'),
      quantiles,
      vm: z.string().optional().describe('Leave out all VMs but this one; the total stays that of all.'),
    }),
    reply: views.predictionView,
    handle: ({ params, query }) => {
      const asked = query.quantiles.split(',').map(Number);
      const cells = operations.controller.fleet.size * R * query.horizon * asked.length;
      if (cells > MOST_CELLS) {
        throw new HttpProblem(422, {
          code: 'PREDICTION_TOO_LARGE',
          what: `${cells} numbers would be made, more than ${MOST_CELLS}`,
          where: 'query.horizon',
          remedy: 'ask for fewer ticks or fewer quantiles',
        });
      }
      const options = { horizon: query.horizon, quantiles: asked };
      const prediction = getPredictedResourceUsage(
        operations.controller,
        params.applicationId,
        params.resource,
        options,
      );
      return predictionView(prediction, query.vm);
    },
  });
}

function predictionView({ quantiles, at, total, vms, ...rest }: Prediction, only: string | undefined) {
  const copy = (paths: Prediction['total']) => paths.map((path) => [...path]);
  return {
    ...rest,
    quantiles: [...quantiles],
    at: [...at],
    total: copy(total),
    vms: vms
      .filter(({ vmId }) => only === undefined || vmId === only)
      .map((vm) => ({ ...vm, values: copy(vm.values) })),
  };
}
