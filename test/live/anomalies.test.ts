import { rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NETWORK } from '../../core/model.ts';
import type { Alert } from '../../core/ports.ts';
import { Webhook } from '../../live/webhook.ts';
import { dailyVm } from './array-plant.ts';
import { configOf, World } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const MBIT = 125_000;
const worlds: World[] = [];
afterEach(() => {
  for (const { dir } of worlds.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** A VM whose network is limited to 80 Mbit/s and uses 4 to 12, but for a flood that is switched on and off. */
function flooded(): { world: World; flood: (on: boolean) => void } {
  const world = new World();
  worlds.push(world);
  const calm = dailyVm('a', 0);
  const limit = 80 * MBIT;
  let factor = 1;
  world.plant.add({
    ...calm,
    spec: {
      ...calm.spec,
      requested: [4, 8192, 0, limit],
      min: [0.1, 512, 0, MBIT],
      max: [4, 8192, 0, limit],
    },
    allocation: [4, 8192, 0, limit],
    demand: (at) => {
      const [cpu, memory, disk] = calm.demand(at);
      // Deterministic noise of a tenth.
      const noise = 1 + 0.1 * Math.sin(at / 7919);
      return [cpu, memory, disk, factor * 8 * MBIT * (1 + 0.5 * Math.sin(at / 13_750_987)) * noise];
    },
  });
  world.config = configOf({
    policies: { still: { kind: 'static' } },
    policy: 'still',
    applications: {},
    anomalies: {
      detector: { learn: 100 },
      respond: [{ kind: 'alert' }, { kind: 'isolate', severity: 'low' }],
    },
  });
  return {
    world,
    flood: (on) => {
      factor = on ? 8 : 1;
    },
  };
}

describe('anomalies', () => {
  it('are told of, answered, and go on over a restart: the cap is lifted when all is over', async () => {
    const { world, flood } = flooded();
    await world.start();
    await world.run(72 * HOUR);
    expect(world.operations().anomalies()).toEqual([]);
    flood(true);
    // A resize at most halves: it takes some of them.
    await world.run(HOUR);
    const [before] = world.operations().anomalies();
    expect(before).toMatchObject({ vmId: 'a', applicationId: 'shop', endedAt: null });
    expect(before!.explanation).toContain('network');
    const capped = world.allocation('a', NETWORK);
    expect(capped).toBeLessThan(25 * MBIT);
    const told = () =>
      world
        .operations()
        .events(0, 1000)
        .filter(({ kind }) => kind === 'anomaly');
    const onset = told().length;
    expect(told()[0]).toMatchObject({
      vmId: 'a',
      text: expect.stringMatching(/^anomaly \(\w+\): .*network/),
    });
    await world.kill();
    await world.start();
    // Lived through again, and not told again.
    expect(world.operations().anomalies()).toEqual([before]);
    expect(told()).toHaveLength(onset);
    const responses = () => world.daemon.session.driver.controller.anomalies!.responses;
    expect(responses().isolations).toMatchObject([
      { vmId: 'a', before: [Number.NaN, Number.NaN, Number.NaN, 80 * MBIT] },
    ]);
    await world.run(20 * MINUTE);
    expect(world.allocation('a', NETWORK)).toBe(capped);
    flood(false);
    await world.run(6 * HOUR);
    expect(responses().isolations).toEqual([]);
    expect(world.allocation('a', NETWORK)).toBe(80 * MBIT);
    const [after] = world.operations().anomalies();
    expect(after!.id).toBe(before!.id);
    expect(after!.endedAt).toBeGreaterThan(before!.beganAt);
    expect(told().at(-1)!.text).toMatch(/^anomaly over/);
    await world.stop();
    expect(await world.replay()).toMatchObject({ sessions: 2, firstDifference: undefined });
  });

  it('are posted to a webhook, again if need be, and what fails is told of once', async () => {
    const taken: Alert[] = [];
    let broken = 1;
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        response.statusCode = broken-- > 0 ? 500 : 204;
        if (response.statusCode === 204) taken.push(JSON.parse(body) as Alert);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const problems: string[] = [];
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    const hook = new Webhook(url, (text) => problems.push(text), 1);
    hook.push({ id: 'one' } as Alert);
    await hook.idle();
    expect([taken.map(({ id }) => id), problems]).toEqual([['one'], []]);
    broken = 100;
    hook.push({ id: 'two' } as Alert);
    hook.push({ id: 'three' } as Alert);
    await hook.idle();
    expect(problems).toEqual([`${url} does not take alarms: it answers 500`]);
    broken = 0;
    hook.push({ id: 'four' } as Alert);
    await hook.idle();
    expect(taken.map(({ id }) => id)).toEqual(['one', 'four']);
    hook.close();
    await new Promise((resolve) => server.close(resolve));
  });
});
