import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ZodType, z } from 'zod';
import { getPredictedResourceUsage } from '../../../core/api.ts';
import * as views from '../../../live/server/views.ts';
import { AUTH, type Fixture, serverOf } from './fixture.ts';

let fixture: Fixture;
beforeAll(async () => {
  fixture = await serverOf();
});
afterAll(() => fixture.app.close());

const get = (url: string) => fixture.app.inject({ url: `/api/v1${url}` });
const write = (method: 'POST' | 'PUT' | 'DELETE', url: string, payload?: object) =>
  fixture.app.inject({ method, url: `/api/v1${url}`, headers: AUTH, ...(payload && { payload }) });

describe('reading', () => {
  const pages: [string, ZodType][] = [
    ['/status', views.statusView],
    ['/fleet', views.fleetView],
    ['/fleet/track/memory?ticks=5', views.fleetTrackView],
    ['/vms', views.vmListView],
    ['/applications', views.applicationsView],
    ['/policies', views.policiesView],
    ['/applications/shop/predictions/cpu', views.predictionView],
    ['/anomalies?state=open', views.anomaliesView],
    ['/recommendations', views.recommendationsView],
    ['/stage', views.stageView],
    ['/bundle', views.bundleView],
    ['/kill-switch', views.killSwitchView],
    ['/events?limit=5', views.eventsView],
  ];
  it.each(pages)('GET %s answers as its schema says', async (url, schema) => {
    const reply = await get(url);
    expect(reply.statusCode).toBe(200);
    expect(reply.headers['content-type']).toMatch(/^application\/json/);
    expect(z.safeParse(schema, reply.json()).error).toBeUndefined();
  });

  it('sums the fleet over its VMs, and prices what is allocated', async () => {
    const { vms } = (await get('/vms')).json<views.VmListView>();
    const fleet = (await get('/fleet')).json<views.FleetView>();
    expect(vms).toHaveLength(16);
    const sum = (pick: (vm: views.VmView) => number) => vms.reduce((total, vm) => total + pick(vm), 0);
    const cpu = (vm: views.VmView) => vm.resources.find((row) => row.resource === 'cpu')!;
    const memory = (vm: views.VmView) => vm.resources.find((row) => row.resource === 'memory')!;
    expect(fleet.vms).toBe(16);
    expect(fleet.resources[0]!.allocation).toBeCloseTo(
      sum((vm) => cpu(vm).allocation!),
      9,
    );
    // 0.031611 $ a core-hour and 0.004237 $ a GiB-hour; disk and network cost nothing by default.
    const price = sum((vm) => cpu(vm).allocation! * 0.031611 + (memory(vm).allocation! / 1024) * 0.004237);
    expect(fleet.cost.perHour).toBeCloseTo(price, 9);
    expect(fleet.starved).toBe(vms.filter((vm) => vm.starved.length > 0).length);
  });

  it('gives a VM and its track, and 404 for one that is not there', async () => {
    const { vms } = (await get('/vms')).json<views.VmListView>();
    const { vmId } = vms[0]!;
    expect((await get(`/vms/${encodeURIComponent(vmId)}`)).json()).toEqual(vms[0]);
    const track = (await get(`/vms/${encodeURIComponent(vmId)}/track/cpu?ticks=7`)).json<views.VmTrackView>();
    expect(track.at).toHaveLength(7);
    expect(track.allocation.at(-1)).toBe(vms[0]!.resources[0]!.allocation);
    expect(track.unit).toBe('cores');
    const missing = await get('/vms/nobody');
    expect(missing.statusCode).toBe(404);
    expect(missing.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(missing.json()).toMatchObject({ code: 'VM_UNKNOWN', status: 404, remedy: expect.any(String) });
  });

  it('predicts as the core does', async () => {
    const reply = (await get('/applications/shop/predictions/cpu?horizon=3&quantiles=0.5,0.99')).json();
    const options = { horizon: 3, quantiles: [0.5, 0.99] };
    expect(reply).toEqual(getPredictedResourceUsage(fixture.operations.controller, 'shop', 'cpu', options));
    const { vmId } = reply.vms[1];
    const one = (await get(`/applications/shop/predictions/cpu?horizon=3&vm=${vmId}`)).json();
    expect(one.vms.map((vm: { vmId: string }) => vm.vmId)).toEqual([vmId]);
  });

  it.each([
    [404, 'APPLICATION_UNKNOWN', '/applications/nobody/predictions/cpu'],
    [409, 'FORECAST_NONE', '/applications/reports/predictions/cpu'],
    [422, 'PREDICTION_OPTIONS', '/applications/shop/predictions/cpu?quantiles=0.9,0.5'],
    [422, 'REQUEST_INVALID', '/applications/shop/predictions/gpu'],
    [422, 'REQUEST_INVALID', '/applications/shop/predictions/cpu?horizon=0'],
    [422, 'REQUEST_INVALID', '/applications/shop/predictions/cpu?horizon=2017'],
    [
      422,
      'PREDICTION_TOO_LARGE',
      `/applications/shop/predictions/cpu?horizon=2016&quantiles=${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((q) => q / 10).join()}`,
    ],
    [422, 'REQUEST_INVALID_UNKNOWN_KEY', '/fleet?colour=red'],
    [422, 'REQUEST_INVALID', '/anomalies?state=maybe'],
    [404, 'ROUTE_UNKNOWN', '/nothing'],
  ])('refuses with %i %s: %s', async (status, code, url) => {
    const reply = await get(url);
    expect(reply.json()).toMatchObject({ status, code });
    expect(reply.statusCode).toBe(status);
  });

  it('names every problem of a request with its place', async () => {
    const reply = (await get('/applications/shop/predictions/cpu?horizon=x&quantiles=a')).json();
    expect(reply.problems.map((problem: { where: string }) => problem.where)).toEqual([
      'query.horizon',
      'query.quantiles',
    ]);
  });
});

describe('changing', () => {
  it('puts an application under a policy', async () => {
    const reply = await write('PUT', '/applications/shop/policy', { policy: 'hands-off' });
    expect(reply.json()).toEqual({ applicationId: 'shop', policy: 'hands-off' });
    expect(fixture.operations.controller.policyOf('shop')).toBe('hands-off');
    const { policies } = (await get('/policies')).json<views.PoliciesView>();
    expect(policies.find(({ name }) => name === 'hands-off')!.applications).toBe(2);
    await write('PUT', '/applications/shop/policy', { policy: 'seasonal' });
  });
  it.each([
    [422, 'POLICY_UNKNOWN', '/applications/shop/policy', { policy: 'gold' }],
    [404, 'APPLICATION_UNKNOWN', '/applications/nobody/policy', { policy: 'seed' }],
    [422, 'REQUEST_INVALID', '/applications/shop/policy', {}],
    [422, 'REQUEST_INVALID', '/kill-switch', { reason: '  ' }],
  ])('refuses with %i %s', async (status, code, url, payload) => {
    expect((await write('PUT', url, payload)).json()).toMatchObject({ status, code });
  });
  it('accepts and dismisses recommendations', async () => {
    const accepted = await write('POST', '/recommendations/rightsize-orders/accept', { note: 'agreed' });
    expect(accepted.json()).toMatchObject({ id: 'rightsize-orders', state: 'accepted' });
    await write('POST', '/recommendations/policy-reports/dismiss');
    const open = (await get('/recommendations?state=open')).json<views.RecommendationsView>();
    expect(open.recommendations).toEqual([]);
    const unknown = await write('POST', '/recommendations/none/accept', {});
    expect(unknown.json()).toMatchObject({ status: 404, code: 'RECOMMENDATION_UNKNOWN' });
  });
  it('moves through the stages, and says when there is none left', async () => {
    expect((await write('POST', '/stage/advance')).json()).toMatchObject({ name: 'all', inScope: 16 });
    expect((await write('POST', '/stage/advance')).json()).toMatchObject({ status: 409, code: 'STAGE_LAST' });
    const back = await write('POST', '/stage/rollback', { reason: 'too many resizes' });
    expect(back.json()).toMatchObject({ name: 'shadow', inScope: 0 });
  });
  it('stops and resumes resizing', async () => {
    const stopped = await write('PUT', '/kill-switch', { reason: 'maintenance', restore: true });
    expect(stopped.json()).toMatchObject({ engaged: true, reason: 'maintenance' });
    expect((await write('DELETE', '/kill-switch')).json()).toMatchObject({ engaged: false });
  });
});

describe('health', () => {
  it('is ready while connected and on time', async () => {
    expect((await fixture.app.inject({ url: '/healthz' })).json()).toEqual({ status: 'ok' });
    expect((await fixture.app.inject({ url: '/readyz' })).statusCode).toBe(200);
    fixture.operations.connected = false;
    const lost = await fixture.app.inject({ url: '/readyz' });
    fixture.operations.connected = true;
    expect(lost.statusCode).toBe(503);
    expect(lost.json()).toEqual({ status: 'not ready', reason: 'no connection to libvirt' });
  });
});
