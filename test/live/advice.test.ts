import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import yargs from 'yargs';
import { R } from '../../core/model.ts';
import { journalHistory } from '../../live/history-columns.ts';
import { recommendCommandWith } from '../../sim/commands/recommend.ts';
import { dailyVm } from './array-plant.ts';
import { configOf, World } from './world.ts';

const HOUR = 3_600_000;
const worlds: World[] = [];
afterEach(() => {
  for (const { dir } of worlds.splice(0)) rmSync(dir, { recursive: true, force: true });
});

function still(...vms: ConstructorParameters<typeof World>): World {
  const world = new World(...vms);
  worlds.push(world);
  world.config = configOf({ policies: { still: { kind: 'static' } }, policy: 'still', applications: {} });
  return world;
}

describe('advice on a journal', () => {
  it('reads the history as columns on one grid', async () => {
    const world = still(['a', 0], ['b', 0.5]);
    await world.start();
    await world.run(2 * HOUR);
    world.plant.remove('b');
    await world.run(HOUR);
    world.plant.add(dailyVm('b', 0.5));
    await world.run(HOUR);
    await world.kill();
    const { columns, controller } = (await journalHistory(world.dir))!;
    expect(controller.policy).toBe('still');
    const [a, b] = columns.vms;
    expect(columns.vms.map(({ vmId, start, usage }) => [vmId, start, usage.length / R])).toEqual([
      ['a', 0, 47],
      ['b', 0, 47],
    ]);
    const gone = Array.from({ length: 47 }, (_, t) => t).filter((t) => Number.isNaN(b!.usage[t * R]!));
    // An hour of ticks, in which it was not there.
    expect([gone.length, gone.at(-1)! - gone[0]!]).toEqual([12, 11]);
    expect(a!.usage.slice(-R)[1]).toBeGreaterThan(2000);
    expect(await journalHistory('/nowhere')).toBeUndefined();
  });

  it('is given on what a daemon saw, and shown by that daemon', async () => {
    const world = still(['a', 0], ['b', 0.1]);
    await world.start();
    await world.run(48 * HOUR);
    const print = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
    try {
      await yargs(['recommend', world.dir, '--quiet', '--kinds', 'right-size'])
        .command(recommendCommandWith(journalHistory))
        .exitProcess(false)
        .parseAsync();
    } finally {
      print.mockRestore();
    }
    const [one] = world.operations().recommendations();
    expect(one).toMatchObject({ kind: 'right-size', subject: 'shop', state: 'open' });
    // Of 4 cores and 8 GiB at most 2.5 and 4000 MiB are used.
    expect(one!.saving.perMonth).toBeGreaterThan(0);
    expect(one!.saving.low).toBeGreaterThan(0);
    await world.stop();
  });
});
