import { expect, it } from 'vitest';
import { serverOf, settingsOf } from './fixture.ts';

/** Samples by name and labels, as the text format has them. */
async function scrape(app: Awaited<ReturnType<typeof serverOf>>['app']) {
  const reply = await app.inject({ url: '/metrics' });
  expect(reply.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = reply.body.split('\n').filter((line) => line && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

it('counts ticks and times them, and tells the state of the daemon', async () => {
  const { app, operations } = await serverOf(settingsOf(), 12);
  const metrics = await scrape(app);
  const status = operations.status();
  expect(metrics.get('foresize_ticks_total')).toBe(12);
  expect(metrics.get('foresize_decide_seconds_count')).toBe(12);
  expect(metrics.get('foresize_tick_seconds_bucket{le="+Inf"}')).toBe(12);
  expect(metrics.get('foresize_sample_seconds_count')).toBe(12);
  expect(metrics.get('foresize_vms')).toBe(16);
  expect(metrics.get('foresize_connected')).toBe(1);
  expect(metrics.get('foresize_kill_switch')).toBe(0);
  expect(metrics.get('foresize_stage{stage="canary"}')).toBe(1);
  expect(metrics.get('foresize_stage{stage="all"}')).toBe(0);
  expect(metrics.get('foresize_resizes_total{outcome="applied"}')).toBe(status.resizes.applied);
  expect(metrics.get('foresize_recommendations_open')).toBe(2);
  expect(metrics.get('foresize_event_stream_clients')).toBe(0);
  expect(metrics.get('foresize_last_tick_timestamp_seconds')).toBe(status.tickAt / 1000);
  await operations.engageKillSwitch('test', false, 'test');
  expect((await scrape(app)).get('foresize_kill_switch')).toBe(1);
  await app.close();
});

it('gives series to a bounded number of VMs, and says how many have none', async () => {
  const { app, operations } = await serverOf(settingsOf({ metricsVms: 3 }), 12);
  const metrics = await scrape(app);
  const vms = new Set([...metrics.keys()].flatMap((key) => /vm="([^"]*)"/.exec(key)?.[1] ?? []));
  expect(vms.size).toBe(3);
  expect(metrics.get('foresize_vms_without_series')).toBe(13);
  const vm = [...vms][0]!;
  const { allocation, upper } = operations.track(vm, 'cpu', 1);
  const labels = `{vm="${vm}",application="desk",resource="cpu"}`;
  expect(metrics.get(`foresize_vm_allocation${labels}`)).toBe(allocation[0]);
  expect(metrics.get(`foresize_vm_predicted${labels}`)).toBe(upper[0]);
  await app.close();
});
