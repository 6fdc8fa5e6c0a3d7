import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createNetServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ForesizeError } from '../../../core/errors.ts';
import { apiParams, isLoopback, prepareApi } from '../../../live/server/config.ts';
import { listen } from '../../../live/server/listen.ts';
import { createServer } from '../../../live/server/server.ts';
import { SECRET, settingsOf } from './fixture.ts';
import { SimulatedOperations } from './operations.ts';

const folder = mkdtempSync(join(tmpdir(), 'foresize-api-'));
const file = (name: string, text: string, mode = 0o600) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
};
const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
beforeAll(() => {
  const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  execFileSync('openssl', [...args, '-subj', '/CN=localhost', '-keyout', key, '-out', cert], {
    stdio: 'pipe',
  });
});
afterAll(() => rmSync(folder, { recursive: true }));

function codesOf(params: object, env: Record<string, string> = {}): string[] {
  try {
    prepareApi(apiParams.parse(params), env);
    return [];
  } catch (error) {
    return (error as ForesizeError).problems.map(({ code }) => code);
  }
}

describe('the api section', () => {
  it('listens on loopback and needs nothing by default', () => {
    expect(prepareApi(apiParams.parse({}), {})).toMatchObject({ openReads: true, token: undefined });
    expect(apiParams.parse({})).toMatchObject({ host: '127.0.0.1', port: 7460 });
  });
  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.1.2.3', true],
    ['::1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['192.0.2.1', false],
    ['127.0.0.1.example', false],
    ['localhost.example', false],
  ])('%s is loopback: %s', (host, loopback) => expect(isLoopback(host)).toBe(loopback));

  it('any other address needs a token and TLS, and says so all at once', () => {
    expect(codesOf({ host: '0.0.0.0' })).toEqual(['API_TOKEN_REQUIRED', 'API_TLS_REQUIRED']);
    const tokenFile = file('token', `${SECRET}\n`);
    expect(codesOf({ host: '0.0.0.0', tokenFile })).toEqual(['API_TLS_REQUIRED']);
    expect(codesOf({ host: '0.0.0.0', tls: { cert, key } })).toEqual(['API_TOKEN_REQUIRED']);
    expect(codesOf({ host: '0.0.0.0', tokenFile, tls: { cert, key } })).toEqual([]);
    expect(codesOf({ socket: join(folder, 'api.sock') })).toEqual([]);
    expect(codesOf({ socket: join(folder, 'api.sock'), tls: { cert, key } })).toEqual([
      'API_ADDRESS_CONFLICT',
    ]);
  });
  it('takes the token from a file or the environment', () => {
    const tokenFile = file('token', `${SECRET}\n`);
    expect(prepareApi(apiParams.parse({ tokenFile }), {}).token?.matches(SECRET)).toBe(true);
    const env = { FORESIZE_TOKEN: SECRET };
    const { token } = prepareApi(apiParams.parse({ tokenEnv: 'FORESIZE_TOKEN' }), env);
    expect([token?.matches(SECRET), token?.matches(`${SECRET}x`), token?.matches('')]).toEqual([
      true,
      false,
      false,
    ]);
    // Nothing of it is left to print.
    expect(JSON.stringify(token)).toBe('{}');
  });
  it.each([
    ['API_TOKEN_EXPOSED', () => ({ tokenFile: file('open', SECRET, 0o644) })],
    ['API_TOKEN_EXPOSED', () => ({ tokenFile: file('group', SECRET, 0o640) })],
    ['API_TOKEN_WEAK', () => ({ tokenFile: file('short', 'secret') })],
    ['API_TOKEN_WEAK', () => ({ tokenFile: file('spaces', `${SECRET} ${SECRET}`) })],
    ['API_TOKEN_UNREADABLE', () => ({ tokenFile: join(folder, 'none') })],
    ['API_TOKEN_UNREADABLE', () => ({ tokenEnv: 'NOT_SET' })],
    ['API_TOKEN_CONFLICT', () => ({ tokenFile: file('token', SECRET), tokenEnv: 'X' })],
    ['API_TLS_UNREADABLE', () => ({ tls: { cert, key: join(folder, 'none') } })],
    ['API_TLS_INVALID', () => ({ tls: { cert, key: file('key', 'no key') } })],
    ['API_KEY_EXPOSED', () => ({ tls: { cert, key: file('open-key', 'x', 0o644) } })],
  ])('%s', (code, params) => expect(codesOf(params())).toEqual([code]));
});

describe('listening', () => {
  const serve = async (params: object, env = {}) => {
    const settings = prepareApi(apiParams.parse({ port: 0, ...params }), env);
    const app = await createServer(await SimulatedOperations.create(), settings);
    return { app, address: await listen(app, settings), settings };
  };
  const ask = (request: typeof httpRequest, options: object) =>
    new Promise<number | undefined>((resolve, reject) => {
      request({ path: '/api/v1/status', ...options }, (reply) => {
        reply.resume();
        resolve(reply.statusCode);
      })
        .on('error', reject)
        .end();
    });

  it('over TLS answers who brings the token', async () => {
    const tokenFile = file('token', SECRET);
    const { app, address } = await serve({ host: '0.0.0.0', tokenFile, tls: { cert, key } });
    expect(address).toMatch(/^https:/);
    const { port } = app.server.address() as AddressInfo;
    const options = { host: '127.0.0.1', port, rejectUnauthorized: false };
    expect(await ask(httpsRequest, options)).toBe(401);
    expect(await ask(httpsRequest, { ...options, headers: { authorization: `Bearer ${SECRET}` } })).toBe(200);
    await expect(ask(httpRequest, options)).rejects.toThrow();
    await app.close();
  });
  it('on a Unix socket lets its group read, and clears away a dead one', async () => {
    const socket = join(folder, 'api.sock');
    // A process that is killed leaves its socket's file behind.
    const leave = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 9))`;
    expect(() => execFileSync(process.execPath, ['-e', leave])).toThrow();
    const { app, settings } = await serve({ socket });
    expect(statSync(socket).mode & 0o777).toBe(0o660);
    expect(await ask(httpRequest, { socketPath: socket })).toBe(200);
    const second = await createServer(await SimulatedOperations.create(), settings);
    await expect(listen(second, settings)).rejects.toMatchObject({ code: 'API_ADDRESS_IN_USE' });
    await Promise.all([app.close(), second.close()]);
  });
  it('says what is wrong with an address', async () => {
    const other = createNetServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as AddressInfo;
    await expect(serve({ port })).rejects.toMatchObject({ code: 'API_ADDRESS_IN_USE' });
    other.close();
    const tokenFile = file('token', SECRET);
    const elsewhere = { host: '192.0.2.1', tokenFile, tls: { cert, key } };
    await expect(serve(elsewhere)).rejects.toMatchObject({ code: 'API_ADDRESS_UNUSABLE' });
    const settings = settingsOf({ socket: file('plain', 'a file') });
    const app = await createServer(await SimulatedOperations.create(), settings);
    await expect(listen(app, settings)).rejects.toBeInstanceOf(ForesizeError);
    await app.close();
  });
});
