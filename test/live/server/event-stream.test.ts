import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listen } from '../../../live/server/listen.ts';
import { type Fixture, serverOf, settingsOf } from './fixture.ts';

const settings = settingsOf({
  port: 0,
  limits: { readsPerMinute: 100, writesPerMinute: 10, bodyKib: 16, streams: 2 },
});
let fixture: Fixture;
beforeEach(async () => {
  fixture = await serverOf(settings, 1);
  await listen(fixture.app, settings);
});
afterEach(() => fixture.app.close());

/** Opens the stream; `next(n)` resolves with the ids of the next n events. */
async function open(headers: Record<string, string> = {}, query = '') {
  const { port } = fixture.app.server.address() as AddressInfo;
  const reply = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, path: `/api/v1/events/stream${query}`, headers }, resolve).on('error', reject);
  });
  let text = '';
  reply.setEncoding('utf8').on('error', () => {});
  const chunks = reply[Symbol.asyncIterator]();
  const ids = () => [...text.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  return {
    reply,
    text: () => text,
    async next(count: number): Promise<number[]> {
      while (ids().length < count) text += (await chunks.next()).value;
      return ids();
    },
    close: () => reply.destroy(),
  };
}
const newest = () => fixture.operations.events(0, 1)[0]!.seq;

describe('the event stream', () => {
  it('sends what happens from now on, numbered, each as JSON', async () => {
    const before = newest();
    const stream = await open();
    expect(stream.reply.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(stream.reply.headers).toHaveProperty('content-security-policy');
    await fixture.operations.engageKillSwitch('a\nb', false, 'test');
    expect(await stream.next(1)).toEqual([before + 1]);
    const [, data] = /^data: (.*)$/m.exec(stream.text())!;
    expect(JSON.parse(data!)).toMatchObject({ seq: before + 1, kind: 'kill-switch', text: /a\nb/ });
    stream.close();
  });
  it('resumes after the last one that was seen, without a gap or a repetition', async () => {
    const seen = newest();
    await fixture.operations.engageKillSwitch('one', false, 'test');
    await fixture.operations.releaseKillSwitch('test');
    const stream = await open({ 'last-event-id': String(seen) });
    await fixture.operations.engageKillSwitch('two', false, 'test');
    expect(await stream.next(3)).toEqual([seen + 1, seen + 2, seen + 3]);
    const again = await open({}, `?after=${seen + 2}`);
    expect(await again.next(1)).toEqual([seen + 3]);
    stream.close();
    again.close();
  });
  it('goes on from now for a number of another journal', async () => {
    const stream = await open({ 'last-event-id': '999999999' });
    await fixture.operations.releaseKillSwitch('test');
    expect(await stream.next(1)).toEqual([newest()]);
    stream.close();
  });
  it('refuses what is no number, and more clients than allowed', async () => {
    expect((await open({ 'last-event-id': 'x' })).reply.statusCode).toBe(422);
    const first = await open();
    const second = await open();
    const third = await open();
    expect(third.reply.statusCode).toBe(503);
    expect(third.reply.headers['retry-after']).toBe('30');
    first.close();
    await expect.poll(async () => (await open()).reply.statusCode).toBe(200);
    second.close();
  });
  it('ends with the server, and forgets its clients', async () => {
    const { operations } = fixture;
    const metrics = operations.listeners;
    const stream = await open();
    expect(operations.listeners).toBe(metrics + 1);
    const gone = await open();
    gone.close();
    await expect.poll(() => operations.listeners).toBe(metrics + 1);
    const ended = new Promise((resolve) => stream.reply.on('close', resolve));
    stream.reply.resume();
    await fixture.app.close();
    await ended;
    expect(operations.listeners).toBe(0);
  });
});
