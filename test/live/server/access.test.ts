import type { InjectOptions } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { AUTH, type Fixture, SECRET, serverOf, settingsOf } from './fixture.ts';

let fixture: Fixture;
afterEach(() => fixture.app.close());
const start = async (...args: Parameters<typeof settingsOf>) => {
  fixture = await serverOf(settingsOf(...args), 1);
  return fixture.app;
};
const KILL = { method: 'PUT', url: '/api/v1/kill-switch', payload: { reason: 'test' } } as const;

describe('the token', () => {
  it('is needed for every change, also on loopback, and the body is not read without it', async () => {
    const app = await start();
    const missing = await app.inject(KILL);
    expect(missing.statusCode).toBe(401);
    expect(missing.headers['www-authenticate']).toBe('Bearer realm="foresize"');
    expect(missing.json()).toMatchObject({ code: 'TOKEN_MISSING' });
    const wrong = await app.inject({ ...KILL, headers: { authorization: `Bearer ${SECRET}x` } });
    expect(wrong.json()).toMatchObject({ status: 401, code: 'TOKEN_WRONG' });
    const basic = await app.inject({ ...KILL, headers: { authorization: `Basic ${SECRET}` } });
    expect(basic.json()).toMatchObject({ status: 401, code: 'TOKEN_MISSING' });
    expect(fixture.operations.status().killSwitch.engaged).toBe(false);
    expect((await app.inject({ ...KILL, headers: AUTH })).statusCode).toBe(200);
  });
  it('is needed to read what can be reached by others; the dashboard and the health need none', async () => {
    const app = await start({}, { openReads: false });
    for (const url of ['/api/v1/vms', '/api/v1/events/stream', '/api/v1/openapi.json', '/metrics']) {
      expect((await app.inject({ url })).statusCode, url).toBe(401);
    }
    expect((await app.inject({ url: '/api/v1/vms', headers: AUTH })).statusCode).toBe(200);
    expect((await app.inject({ url: '/metrics', headers: AUTH })).statusCode).toBe(200);
    expect((await app.inject({ url: '/healthz' })).statusCode).toBe(200);
    expect((await app.inject({ url: '/assets/style.css' })).statusCode).toBe(200);
  });
  it('where none is configured nothing can be changed, whatever is sent', async () => {
    const app = await start({}, { token: false });
    expect((await app.inject({ ...KILL, headers: AUTH })).json()).toMatchObject({
      status: 403,
      code: 'WRITES_DISABLED',
    });
    expect((await app.inject({ url: '/api/v1/status' })).json()).toMatchObject({ writable: false });
  });
  it.each([
    `/api/v1/status?token=${SECRET}`,
    '/api/v1/status?access_token=anything',
    `/api/v1/status?x=${SECRET}`,
    `/api/v1/vms/${SECRET}`,
    `/nowhere?API_KEY=1`,
  ])('in a URL is refused and leaves no trace: %s', async (url) => {
    const app = await start();
    const reply = await app.inject({ url, headers: AUTH });
    expect(reply.json()).toMatchObject({ status: 400, code: 'TOKEN_IN_URL' });
    expect(reply.body).not.toContain(SECRET);
    await app.inject({ ...KILL, url: `${KILL.url}?token=${SECRET}`, headers: AUTH });
    expect(fixture.operations.status().killSwitch.engaged).toBe(false);
    expect(fixture.logged.join('')).not.toContain(SECRET);
  });
  it('appears in no log line; a change does, with its route', async () => {
    const app = await start();
    await app.inject({ ...KILL, headers: AUTH });
    await app.inject({ ...KILL, headers: AUTH, payload: '{"broken' });
    const lines = fixture.logged.filter((line) => line.includes('api write')).map((line) => JSON.parse(line));
    expect(lines[0]).toMatchObject({ method: 'PUT', route: '/api/v1/kill-switch', status: 200 });
    expect(fixture.logged.join('')).not.toContain(SECRET);
  });
});

describe('names', () => {
  const call = async (headers: Record<string, string>) =>
    (await fixture.app.inject({ url: '/api/v1/status', headers })).statusCode;
  it('a name that is not its own is turned away: a page may have rebound it', async () => {
    await start({ allowedHosts: ['foresize.example'] });
    expect(await call({ host: 'evil.example:7460' })).toBe(403);
    expect(await call({ host: 'localhost.evil.example' })).toBe(403);
    for (const host of ['localhost:7460', '127.0.0.1', '[::1]:7460', 'FORESIZE.example']) {
      expect(await call({ host }), host).toBe(200);
    }
  });
  it('a change asked for by a page of another site is turned away', async () => {
    const app = await start();
    const from = (origin: string) =>
      app.inject({ ...KILL, headers: { ...AUTH, host: 'localhost:7460', origin } });
    expect((await from('https://evil.example')).json()).toMatchObject({
      status: 403,
      code: 'ORIGIN_NOT_ALLOWED',
    });
    expect((await from('null')).statusCode).toBe(403);
    expect((await from('http://localhost:7460')).statusCode).toBe(200);
  });
});

describe('limits', () => {
  it('reads, changes and wrong addresses are counted apart and limited', async () => {
    const app = await start({
      limits: { readsPerMinute: 3, writesPerMinute: 2, bodyKib: 16, streams: 16 },
    });
    const codes = async (request: InjectOptions, times: number) => {
      const seen: number[] = [];
      for (let i = 0; i < times; i++) seen.push((await app.inject(request)).statusCode);
      return seen;
    };
    // Guesses of the token count as changes.
    expect(await codes(KILL, 3)).toEqual([401, 401, 429]);
    expect(await codes({ url: '/api/v1/status' }, 4)).toEqual([200, 200, 200, 429]);
    const reply = await app.inject({ url: '/api/v1/status' });
    expect(reply.json()).toMatchObject({ code: 'RATE_LIMITED', remedy: expect.stringMatching(/wait \d+ s/) });
    expect(Number(reply.headers['retry-after'])).toBeGreaterThan(0);
    expect((await app.inject({ url: '/nowhere' })).statusCode).toBe(429);
  });
  it.each([
    [413, 'BODY_TOO_LARGE', 'application/json', JSON.stringify({ reason: 'x'.repeat(2000) })],
    [415, 'BODY_TYPE', 'text/xml', '<reason/>'],
    [400, 'BODY_NOT_JSON', 'application/json', '{"reason": '],
    [422, 'REQUEST_INVALID', 'application/json', JSON.stringify({ reason: 'x'.repeat(600) })],
    [422, 'REQUEST_INVALID', 'application/json', '[1]'],
    [422, 'REQUEST_INVALID_UNKNOWN_KEY', 'application/json', '{"reason":"a","force":true}'],
  ])('a bad body is answered with %i %s', async (status, code, type, payload) => {
    const app = await start({ limits: { readsPerMinute: 9, writesPerMinute: 9, bodyKib: 1, streams: 1 } });
    const reply = await app.inject({ ...KILL, payload, headers: { ...AUTH, 'content-type': type } });
    expect(reply.json()).toMatchObject({ status, code });
    expect(fixture.operations.status().killSwitch.engaged).toBe(false);
  });
});

describe('headers', () => {
  it.each(['/', '/api/v1/status', '/nowhere', '/assets/style.css'])('%s is guarded', async (url) => {
    const { headers } = await (await start()).inject({ url });
    const policy = String(headers['content-security-policy']);
    expect(policy).toMatch(/default-src 'none'/);
    expect(policy).toMatch(/script-src 'self';/);
    expect(policy).toMatch(/frame-ancestors 'none'/);
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });
});
