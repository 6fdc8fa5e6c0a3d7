import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Advice } from '../../core/cost/recommendation.ts';
import { type ApiSettings, apiParams, prepareApi } from '../../live/server/config.ts';
import { listen } from '../../live/server/listen.ts';
import { createServer } from '../../live/server/server.ts';
import { World } from './world.ts';

const MINUTE = 60_000;
const TOKEN = '0123456789abcdef0123456789abcdef';

/** The saving is 10 a month, 8 to 12. */
function advice(id: string): Advice {
  const effect = {
    saving: { value: 10, low: 8, high: 12 },
    violation: { value: 0, low: 0, high: 0 },
    days: 7,
    vmDays: 14,
    costBefore: 100,
    costAfter: 90,
    deadlines: { before: 0, after: 0, jobs: 0 },
    spot: null,
  };
  const one = { id, kind: 'right-size', subject: 'shop', vms: ['a'], reason: 'it uses half', effect };
  return {
    schema: 'foresize/advice/v1',
    currency: 'USD',
    recommendations: [one],
    withheld: [],
  } as unknown as Advice;
}

describe('the API on a daemon', () => {
  let world: World;
  let base = '';
  let close = async () => {};

  beforeEach(async () => {
    world = new World(['a', 0], ['b', 0.5]);
    await world.start();
    const settings: ApiSettings = prepareApi(apiParams.parse({ port: 0, tokenEnv: 'TOKEN' }), { TOKEN });
    const app = await createServer(world.operations(), settings, { now: world.clock.now });
    base = await listen(app, settings);
    close = async () => app.close();
  });
  afterEach(async () => {
    await close();
    await world.kill();
    rmSync(world.dir, { recursive: true, force: true });
  });

  const read = async (path: string) => (await fetch(`${base}${path}`)).json();
  async function write(method: string, path: string, body?: object): Promise<Response> {
    const headers = {
      authorization: `Bearer ${TOKEN}`,
      ...(body && { 'content-type': 'application/json' }),
    };
    return fetch(`${base}/api/v1${path}`, {
      method,
      headers,
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  it('shows what the daemon does, and changes it', async () => {
    await world.run(6 * 60 * MINUTE);
    expect(await read('/api/v1/status')).toMatchObject({ mode: 'apply', vms: 2, tick: 70 });
    expect((await fetch(`${base}/readyz`)).status).toBe(200);
    const { vms } = (await read('/api/v1/vms')) as { vms: { vmId: string }[] };
    expect(vms.map(({ vmId }) => vmId)).toEqual(['a', 'b']);
    const metrics = await (await fetch(`${base}/metrics`)).text();
    expect(metrics).toContain('foresize_ticks_total 71');
    expect((await write('PUT', '/applications/shop/policy', { policy: 'vpa' })).status).toBe(200);
    expect(world.daemon.book.ledger.policies.get('shop')).toBe('vpa');
    expect((await write('POST', '/stage/advance')).status).toBe(409);
    expect((await write('PUT', '/kill-switch', { reason: 'test', restore: true })).status).toBe(200);
    expect(world.allocation('a', 0)).toBe(4);
    expect(await read('/api/v1/stage')).toMatchObject({ name: 'all', inScope: 2, bundle: null });
  });

  it('shows advice that lies beside the journal, and keeps what is answered', async () => {
    expect(await read('/api/v1/recommendations')).toEqual({ recommendations: [] });
    const file = join(world.dir, 'advice.json');
    writeFileSync(file, JSON.stringify(advice('right-size-1')));
    expect(await read('/api/v1/recommendations')).toMatchObject({
      recommendations: [
        {
          id: 'right-size-1',
          state: 'open',
          saving: { perMonth: 10, low: 8, high: 12, currency: 'USD' },
          evidence: expect.stringContaining('Replayed on 7 recorded days'),
          risk: expect.stringContaining('No more time with a shortage in 14 VM-days'),
        },
      ],
    });
    expect((await write('POST', '/recommendations/right-size-1/accept', { note: 'yes' })).status).toBe(200);
    expect((await write('POST', '/recommendations/nope/dismiss', {})).status).toBe(404);
    expect(await read('/api/v1/recommendations?state=accepted')).toMatchObject({
      recommendations: [{ id: 'right-size-1', state: 'accepted' }],
    });
    // The same advice given again, after a restart of the daemon, is answered.
    await close();
    await world.kill();
    await world.start();
    writeFileSync(file, JSON.stringify(advice('right-size-1'), null, 1));
    expect(world.operations().recommendations()).toMatchObject([{ state: 'accepted' }]);
    writeFileSync(file, JSON.stringify(advice('right-size-22')));
    const operations = world.operations();
    expect(operations.recommendations()).toMatchObject([{ id: 'right-size-22', state: 'open' }]);
    await expect(operations.answerRecommendation('right-size-1', 'dismissed', 'x', '')).rejects.toThrow(
      'RECOMMENDATION_UNKNOWN',
    );
    writeFileSync(file, '{');
    expect(operations.recommendations()).toEqual([]);
    expect(operations.recommendations()).toEqual([]);
    const problems = operations.events(0, 100).filter(({ kind }) => kind === 'problem');
    expect(problems.map(({ text }) => text)).toMatchObject([expect.stringContaining('is no advice')]);
  });
});
