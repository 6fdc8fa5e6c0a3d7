import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Operations } from '../../operations.ts';
import { fleetTrack, fleetView, slotOf, vmTrackView, vmView, vmViews } from '../fleet-views.ts';
import { route } from '../route.ts';
import * as views from '../views.ts';

const ticks = z.coerce.number().int().min(1).max(4032).default(288).describe('Ticks to look back on.');
const vmParams = z.strictObject({ vmId: z.string().describe('Name of the VM.') });

export function fleetRoutes(app: FastifyInstance, operations: Operations): void {
  route(app, {
    method: 'GET',
    path: '/fleet',
    id: 'getFleet',
    tag: 'fleet',
    summary: 'What all VMs use, are granted and cost now',
    reply: views.fleetView,
    handle: () => fleetView(operations),
  });
  route(app, {
    method: 'GET',
    path: '/fleet/track/:resource',
    id: 'getFleetTrack',
    tag: 'fleet',
    summary: 'Usage and allocation of the fleet over the last ticks',
    params: z.strictObject({ resource: views.resource }),
    query: z.strictObject({ ticks }),
    reply: views.fleetTrackView,
    handle: ({ params, query }) => fleetTrack(operations, params.resource, query.ticks),
  });
  route(app, {
    method: 'GET',
    path: '/vms',
    id: 'listVms',
    tag: 'fleet',
    summary: 'Every managed VM as it is now',
    reply: views.vmListView,
    handle: () => ({ at: operations.status().tickAt, vms: vmViews(operations) }),
  });
  route(app, {
    method: 'GET',
    path: '/vms/:vmId',
    id: 'getVm',
    tag: 'fleet',
    summary: 'One VM as it is now',
    params: vmParams,
    reply: views.vmView,
    handle: ({ params }) => vmView(operations, slotOf(operations.controller, params.vmId)),
  });
  route(app, {
    method: 'GET',
    path: '/vms/:vmId/track/:resource',
    id: 'getVmTrack',
    tag: 'fleet',
    summary: 'What was seen, granted and forecast of a resource of a VM over the last ticks',
    params: vmParams.extend({ resource: views.resource }),
    query: z.strictObject({ ticks }),
    reply: views.vmTrackView,
    handle: ({ params, query }) => vmTrackView(operations, params.vmId, params.resource, query.ticks),
  });
}
