import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { CPU } from '../../core/model.ts';
import type { OperationsEvent } from '../../live/operations.ts';
import { World } from './world.ts';

const MINUTE = 60_000;
const worlds: World[] = [];
function worldOf(...vms: ConstructorParameters<typeof World>): World {
  const world = new World(...vms);
  worlds.push(world);
  return world;
}
afterEach(async () => {
  for (const world of worlds.splice(0)) {
    await world.kill();
    rmSync(world.dir, { recursive: true });
  }
});

describe('operations', () => {
  it('tells what was used, granted and forecast, over a restart', async () => {
    const world = worldOf(['a', 0]);
    await world.start();
    await world.run(60 * MINUTE + MINUTE);
    await world.kill();
    await world.start();
    await world.run(30 * MINUTE);
    const operations = world.operations();
    const track = operations.track('a', 'cpu', 1000);
    expect(track.at.length).toBe(world.daemon.times.tick + 1);
    expect(track.usage.at(-1)).toBeCloseTo(1.5 + Math.sin((89 / 1440) * 2 * Math.PI), 1);
    expect(track.upperQuantile).toBe(0.9);
    expect(track.upper.at(-1)!).toBeGreaterThanOrEqual(track.median.at(-1)!);
    expect(track.median[0]).toBeNaN();
    expect(() => operations.track('b', 'cpu', 10)).toThrow('VM_UNKNOWN');
    expect(operations.status()).toMatchObject({ mode: 'apply', vms: 1, frozen: 0, stage: { name: 'all' } });
  });

  it('stops resizing by the kill switch, also over a restart, and lifts limits if asked', async () => {
    const world = worldOf(['a', 0]);
    await world.start();
    await world.run(2 * 60 * MINUTE);
    expect(world.allocation('a', CPU)).toBeLessThan(4);
    await world.operations().engageKillSwitch('maintenance', true, 'alice');
    expect(world.allocation('a', CPU)).toBe(4);
    await world.run(60 * MINUTE);
    await world.kill();
    await world.start();
    await world.run(60 * MINUTE);
    expect(world.allocation('a', CPU)).toBe(4);
    const operations = world.operations();
    expect(operations.status().killSwitch).toMatchObject({ engaged: true, reason: 'maintenance' });
    await operations.releaseKillSwitch('bob');
    await world.run(60 * MINUTE);
    expect(world.allocation('a', CPU)).toBeLessThan(4);
    await world.kill();
    expect(await world.replay()).toMatchObject({ firstDifference: undefined });
  });

  it('sets policies that hold over a restart, and refuses those that are not', async () => {
    const world = worldOf(['a', 0]);
    await world.start();
    await world.run(30 * MINUTE);
    const operations = world.operations();
    await expect(operations.setPolicy('shop', 'nope', 'alice')).rejects.toThrow('POLICY_UNKNOWN');
    await operations.setPolicy('shop', 'vpa', 'alice');
    await world.run(60 * MINUTE);
    await world.kill();
    await world.start();
    expect(world.operations().controller.policyOf('shop')).toBe('vpa');
    await world.kill();
    expect(await world.replay()).toMatchObject({ firstDifference: undefined });
  });

  it('numbers events over the life of the journal', async () => {
    const world = worldOf(['a', 0]);
    await world.start();
    const heard: OperationsEvent[] = [];
    const operations = world.operations();
    operations.subscribe((event) => heard.push(event));
    await world.run(2 * 60 * MINUTE);
    expect(heard.filter(({ kind }) => kind === 'tick').length).toBe(23);
    await world.kill();
    await world.start();
    const events = world.operations().events(0, 1000);
    expect(events[0]).toMatchObject({ kind: 'fleet', text: 'started to resize: 1 VMs, from tick 0' });
    const resizes = events.filter(({ kind }) => kind === 'resize');
    expect(resizes).toEqual(
      heard.filter(({ kind, text }) => kind === 'resize' && !text.includes('not done')),
    );
    const seqs = events.map(({ seq }) => seq);
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b));
  });
});
