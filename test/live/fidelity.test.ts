import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { recordingOf } from '../../live/recording.ts';
import { Journal } from '../../live/store/journal.ts';
import { fidelity } from '../../sim/fidelity.ts';
import { World } from './world.ts';

const HOUR = 3_600_000;
const worlds: World[] = [];
afterEach(() => {
  for (const { dir } of worlds.splice(0)) rmSync(dir, { recursive: true, force: true });
});

describe('fidelity', () => {
  it('finds the simulator close to a live run of the same demand', async () => {
    const world = new World(['a', 0], ['b', 0.4, 'batch']);
    worlds.push(world);
    await world.start();
    await world.run(20 * HOUR);
    world.plant.remove('b');
    await world.run(2 * HOUR);
    await world.kill();
    const journal = Journal.attach(world.dir, false);
    const recording = recordingOf(journal);
    await journal.close();
    expect(recording.vms.map(({ spec, from, until }) => [spec.vmId, from, until])).toEqual([
      ['a', 0, recording.intervals],
      ['b', 0, 238],
    ]);
    const { resources, vms, intervals } = await fidelity(recording);
    expect([vms, intervals]).toEqual([2, 262]);
    expect(Object.keys(resources)).toEqual(['cpu', 'memory']);
    for (const { allocation, usage, resizes } of Object.values(resources)) {
      expect(usage.meanError).toBeLessThan(0.02);
      expect(allocation.meanError).toBeLessThan(0.05);
      expect(resizes.simulated / resizes.live).toBeGreaterThan(0.7);
      expect(resizes.simulated / resizes.live).toBeLessThan(1.4);
    }
  });

  it('begins with what was granted, not with what was requested', async () => {
    const world = new World(['a', 0]);
    worlds.push(world);
    // A limit of the operator's own, which the first ticks go up from.
    world.plant.vms.get('a')!.allocation[0] = 1;
    await world.start();
    await world.run(HOUR);
    await world.kill();
    const journal = Journal.attach(world.dir, false);
    const recording = recordingOf(journal);
    await journal.close();
    expect([...recording.vms[0]!.granted]).toEqual([1, 8192, 0, 0]);
    const { resources } = await fidelity(recording);
    expect(resources.cpu!.allocation.meanError).toBeLessThan(0.1);
  });
});
