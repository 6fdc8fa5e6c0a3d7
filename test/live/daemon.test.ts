import { copyFileSync, rmSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { OUTCOME } from '../../core/intents.ts';
import { CPU, MEMORY } from '../../core/model.ts';
import { fileIn, Journal } from '../../live/store/journal.ts';
import { dailyVm } from './array-plant.ts';
import { configOf, forgetHolder, folder as newFolder, World } from './world.ts';

const MINUTE = 60_000;

const folders: string[] = [];
function folder(): string {
  const dir = newFolder();
  folders.push(dir);
  return dir;
}
function worldOf(...vms: ConstructorParameters<typeof World>): World {
  const world = new World(...vms);
  folders.push(world.dir);
  return world;
}
afterEach(() => {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});

describe('daemon', () => {
  it('resizes VMs by the wall clock, and puts their limits back when it is stopped', async () => {
    const world = worldOf(['a', 0], ['b', 0.5]);
    await world.start();
    await world.run(6 * 60 * MINUTE);
    expect(world.daemon.times.tick).toBe(70);
    expect(world.allocation('a', CPU)).toBeLessThan(4);
    expect(world.allocation('b', MEMORY)).toBeLessThan(8192);
    await world.stop();
    expect([world.allocation('a', CPU), world.allocation('b', MEMORY)]).toEqual([4, 8192]);
    const report = await world.replay();
    expect(report).toMatchObject({
      sessions: 1,
      ticks: 71,
      same: 71,
      cutShort: 0,
      firstDifference: undefined,
    });
    expect(report.decisions).toBeGreaterThan(4);
    expect(report.replayedSha256).toBe(report.recordedSha256);
  });

  it('touches nothing in a dry run, and decides all the same', async () => {
    const world = worldOf(['a', 0]);
    world.apply = false;
    await world.start();
    await world.run(60 * MINUTE);
    await world.stop();
    expect(world.plant.writes).toEqual([]);
    expect(await world.replay()).toMatchObject({
      ticks: 11,
      same: 11,
      decidingTicks: 3,
    });
  });

  it('decides after a kill as if there had been none', async () => {
    const [straight, killed] = [
      worldOf(['a', 0], ['b', 0.3, 'batch']),
      worldOf(['a', 0], ['b', 0.3, 'batch']),
    ];
    await straight.start();
    await straight.run(26 * 60 * MINUTE + MINUTE);
    await killed.start();
    await killed.run(20 * 60 * MINUTE + MINUTE);
    await killed.kill();
    await killed.start();
    await killed.run(6 * 60 * MINUTE);
    expect(killed.daemon.times.tick).toBe(straight.daemon.times.tick);
    // Model, baselines and cooldowns: all that decides. A new daemon takes its first sample at once.
    expect(killed.plant.writes).toEqual(straight.plant.writes);
    await straight.kill();
    await killed.kill();
    expect(await killed.replay()).toMatchObject({ sessions: 2, firstDifference: undefined, cutShort: 0 });
  });

  it('counts ticks while it is down as missed, and goes on with the numbers of the wall clock', async () => {
    const world = worldOf(['a', 0]);
    await world.start();
    await world.run(60 * MINUTE);
    await world.kill();
    world.clock.pass(47 * MINUTE);
    await world.start();
    await world.run(30 * MINUTE);
    expect(world.daemon.times.at).toBe(world.clock.now() - (world.clock.now() % (5 * MINUTE)));
    await world.kill();
    const journal = Journal.attach(world.dir, false);
    const missed = [...journal.entries()].flatMap(({ entry }) => (entry.kind === 'missed' ? entry : []));
    await journal.close();
    expect(missed).toMatchObject([{ from: 11, to: 20, reason: 'down' }]);
    expect(await world.replay()).toMatchObject({ firstDifference: undefined });
  });

  it('begins with what it remembers when the journal is longer than that', async () => {
    const world = worldOf(['a', 0], ['b', 0.3, 'batch']);
    world.config = configOf({ remember: '10h' });
    await world.start();
    await world.run(30 * 60 * MINUTE);
    world.plant.remove('a');
    world.plant.add(dailyVm('c', 0.2));
    await world.run(30 * 60 * MINUTE);
    await world.kill();
    await world.start();
    await world.run(5 * 60 * MINUTE);
    await world.stop();
    expect(await world.replay()).toMatchObject({ sessions: 2, firstDifference: undefined });
  });

  it('keeps going when VMs come and go, and forgets nothing of those that stay', async () => {
    const world = worldOf(['a', 0], ['b', 0.5]);
    await world.start();
    await world.run(60 * MINUTE);
    world.plant.remove('a');
    world.plant.add(dailyVm('c', 0.1, 'batch'));
    await world.run(60 * MINUTE);
    await world.kill();
    // Made anew while nobody looked.
    world.plant.remove('c');
    world.plant.add({ ...dailyVm('c', 0.1), uuid: 'another' });
    await world.start();
    await world.run(60 * MINUTE);
    expect(world.daemon.book.ledger.roster.get('c')).toMatchObject({ number: 3, uuid: 'another' });
    await world.stop();
    expect(await world.replay()).toMatchObject({ firstDifference: undefined });
  });

  it('finds out what became of a resize it was killed in, and does not make it twice', async () => {
    const world = worldOf(['a', 0], ['b', 0.5]);
    await world.start();
    // The disk and the host as they are in the middle of a tick's resizes.
    const copy = folder();
    let resizes = 0;
    let allocations: number[][] = [];
    world.plant.beforeResize = () => {
      if (++resizes !== 3) return;
      copyFileSync(fileIn(world.dir), fileIn(copy));
      allocations = [...world.plant.vms.values()].map(({ allocation }) => [...allocation]);
    };
    await world.run(6 * MINUTE);
    await world.kill();
    expect(resizes).toBe(4);
    world.dir = copy;
    await forgetHolder(copy);
    [...world.plant.vms.values()].forEach((vm, i) => {
      vm.allocation = allocations[i]!;
    });
    const before = world.plant.writes.length;
    await world.start();
    expect(world.plant.writes.length).toBe(before);
    const journal = Journal.attach(world.dir, false);
    const outcomes = [...journal.entries()].flatMap(({ entry }) => (entry.kind === 'outcomes' ? entry : []));
    await journal.close();
    expect(outcomes.at(-1)).toMatchObject({
      reconciled: true,
      outcomes: [OUTCOME.applied, OUTCOME.applied, OUTCOME.failed, OUTCOME.failed],
    });
    await world.run(30 * MINUTE);
    await world.stop();
    expect(await world.replay()).toMatchObject({ firstDifference: undefined });
  });

  it('is the same in the replay wherever it is killed', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({ run: fc.integer({ min: 3, max: 200 }), down: fc.integer({ min: 0, max: 30 }) }),
          {
            minLength: 1,
            maxLength: 4,
          },
        ),
        async (lives) => {
          const world = worldOf(['a', 0], ['b', 0.3, 'batch']);
          world.config = configOf({ remember: '3h' });
          for (const { run, down } of lives) {
            await world.start();
            await world.run(run * MINUTE);
            await world.kill();
            world.clock.pass(down * MINUTE);
          }
          expect(await world.replay()).toMatchObject({ sessions: lives.length, firstDifference: undefined });
        },
      ),
      { numRuns: 6 },
    );
  });

  it('goes on when the clock is set back or forward', async () => {
    const world = worldOf(['a', 0]);
    await world.start();
    await world.run(60 * MINUTE);
    world.clock.wall -= 3 * 60 * MINUTE;
    await world.run(60 * MINUTE);
    expect(world.daemon.times.tick).toBe(21);
    expect(world.daemon.session.start.epochMs).toBe(
      // Tick 11 was due, and is due now.
      Date.UTC(2026, 0, 4, 21, 10),
    );
    world.clock.wall += 60 * MINUTE;
    await world.run(60 * MINUTE);
    expect(world.daemon.times.tick).toBe(45);
    world.clock.wall += 40 * 86_400_000;
    await world.run(60 * MINUTE);
    await world.stop();
    const report = await world.replay();
    expect(report).toMatchObject({ sessions: 3, firstDifference: undefined });
  });

  it('leaves a VM alone whose monitor hangs, and goes on with the others', async () => {
    const world = worldOf(['a', 0], ['b', 0.5]);
    await world.start();
    let letGo = () => {};
    world.plant.hung.set('a', new Promise((resolve) => (letGo = resolve)));
    await world.run(60 * MINUTE);
    expect(world.plant.writes.filter(([vmId]) => vmId === 'a')).toEqual([]);
    expect(world.plant.writes.filter(([vmId]) => vmId === 'b').length).toBeGreaterThan(0);
    letGo();
    world.plant.hung.clear();
    await world.run(60 * MINUTE);
    expect(world.plant.writes.filter(([vmId]) => vmId === 'a').length).toBeGreaterThan(0);
    await world.stop();
    expect(await world.replay()).toMatchObject({ firstDifference: undefined });
  });

  it('tells once of a resource that keeps failing, and again when that changes', async () => {
    const world = worldOf(['a', 0]);
    let words = 'no such qdisc';
    const resize = world.plant.resize.bind(world.plant);
    world.plant.resize = async (...args) =>
      args[1] === CPU
        ? { outcome: OUTCOME.failed, granted: Number.NaN, latencyMs: 1, problem: new Error(words) }
        : resize(...args);
    await world.start();
    const told = () =>
      world.daemon.book.ledger.events.flatMap(({ kind, text }) => (kind === 'problem' ? text : []));
    await world.run(50 * MINUTE);
    expect(world.daemon.book.ledger.resizes.failed).toBeGreaterThan(1);
    expect(told()).toHaveLength(1);
    words = 'no such device';
    await world.run(30 * MINUTE);
    expect(told()).toMatchObject([expect.stringContaining('qdisc'), expect.stringContaining('device')]);
    // Each hour again.
    await world.run(90 * MINUTE);
    expect(told()).toHaveLength(3);
    await world.kill();
  });

  it('sees what a watchdog of an earlier session wrote into its journal', async () => {
    const world = worldOf(['a', 0]);
    await world.start();
    await world.run(60 * MINUTE);
    await world.kill();
    world.apply = false;
    await world.start();
    expect([...world.daemon.book.ledger.originals.keys()]).toEqual(['a']);
    const watchdog = Journal.attach(world.dir, true);
    watchdog.append(
      { kind: 'restored', at: 0, vmIds: ['a'], by: 'the watchdog' },
      { kind: 'event', at: 0, event: { kind: 'alarm', text: 'lifted by the watchdog' } },
    );
    await watchdog.close();
    await world.run(10 * MINUTE);
    expect(world.daemon.book.ledger.originals.size).toBe(0);
    expect(world.daemon.book.ledger.events.map(({ text }) => text)).toContain('lifted by the watchdog');
    await world.stop();
    expect(await world.replay()).toMatchObject({ sessions: 2, firstDifference: undefined });
  });
});
