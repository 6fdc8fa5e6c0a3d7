import { rmSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { controllerSchema } from '../../core/config.ts';
import { persistent } from '../../core/forecast/stateful.ts';
import type { OpenBundle } from '../../live/promote/open-bundle.ts';
import { Journal } from '../../live/store/journal.ts';
import { bundle, plan } from './promote/bundle.ts';
import { configOf, World } from './world.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const worlds: World[] = [];
afterEach(() => {
  for (const { dir } of worlds.splice(0)) rmSync(dir, { recursive: true, force: true });
});

/** Promises at most 30 % of the time under pressure; all else is wide open. */
function promoted(more: object = {}, id = 'b'.repeat(64)): OpenBundle {
  const of = (measure: string, high: number) => ({ measure, unit: '', estimate: high / 2, low: 0, high });
  const base = bundle(plan({ canaryShare: 0.5, minVmDays: 0.25, ...more }), id);
  const policies = { ahead: { kind: 'quantile', forecast: { model: 'last-value' } } };
  return {
    ...base,
    config: { ...base.config, controller: controllerSchema.parse({ policies, policy: 'ahead' }) },
    evidence: {
      ...base.evidence,
      observed: [of('pressureRate', 0.3), of('costRatio', 1), of('resizesPerVmDay', 1e6)],
    },
  };
}

function worldOf(of: OpenBundle): World {
  const world = new World(['a', 0], ['b', 0.2], ['c', 0.5], ['d', 0.7]);
  worlds.push(world);
  world.config = configOf({
    bundle: of.path,
    policies: undefined,
    policy: undefined,
    applications: undefined,
    guards: undefined,
  });
  world.bundle = of;
  return world;
}

const resized = ({ plant }: World) => new Set(plant.writes.map(([vmId]) => vmId));
const stage = (world: World) => world.operations().stage();
/** From now on every VM wants what no VM may have. */
function starve({ plant }: World): void {
  for (const vm of plant.vms.values()) vm.demand = () => [100, 3000, 0, 0];
}

describe('a bundle in the daemon', () => {
  it('goes from shadow to canary to all, and back with all limits lifted, over restarts', async () => {
    const world = worldOf(promoted({ automatic: true }));
    await world.start();
    expect(stage(world)).toMatchObject({ name: 'shadow', inScope: 0, bundle: { id: 'b'.repeat(64) } });
    // 4 VMs: a quarter of a VM-day is 90 minutes. Tick 0 only begins the figures.
    await world.run(90 * MINUTE);
    expect(stage(world).name).toBe('shadow');
    expect(world.plant.writes).toEqual([]);
    await world.run(10 * MINUTE);
    expect(stage(world).name).toBe('canary');
    await world.run(90 * MINUTE);
    const canary = resized(world);
    expect(canary.size).toBe(stage(world).inScope);
    expect(canary.size).toBeLessThan(4);
    await world.kill();
    await world.start();
    expect(stage(world)).toMatchObject({ name: 'canary', inScope: canary.size });
    // What was seen since the figures were last saved is seen again.
    await world.run(4 * HOUR);
    expect(stage(world).name).toBe('all');
    await world.run(2 * HOUR);
    expect(resized(world).size).toBe(4);
    await world.kill();
    await world.start();
    expect(stage(world).name).toBe('all');
    starve(world);
    await world.run(4 * HOUR);
    expect(stage(world)).toMatchObject({ name: 'shadow', inScope: 0 });
    for (const vm of world.plant.vms.values()) expect(vm.allocation).toEqual([4, 8192, 0, 0]);
    const events = world.operations().events(0, 1000);
    const told = events.filter(({ kind, text }) => kind === 'stage' || text.includes('lifted'));
    expect(told.map(({ text }) => text.split(':')[0])).toEqual([
      'the bundle bbbbbbbbbbbbbbbb begins in shadow',
      'shadow -> canary by foresize',
      'canary -> all by foresize',
      'all -> shadow by foresize',
      'the limits of b, d, a, c were lifted',
    ]);
    expect(events.some(({ kind, text }) => kind === 'alarm' && text.startsWith('pressureRate is'))).toBe(
      true,
    );
    await world.stop();
    expect(await world.replay()).toMatchObject({ sessions: 3, firstDifference: undefined, cutShort: 0 });
  });

  it('is advanced and rolled back by hand', async () => {
    const world = worldOf(promoted({ canaryShare: 1 }));
    await world.start();
    const operations = world.operations();
    await expect(operations.advanceStage('alice')).rejects.toThrow('STAGE_TOO_SOON');
    await world.run(2 * HOUR);
    await operations.advanceStage('alice');
    expect(operations.status().stage).toMatchObject({ name: 'canary', bundle: 'b'.repeat(64) });
    await world.run(HOUR);
    expect(resized(world).size).toBe(4);
    await operations.rollBack('maintenance', 'bob');
    expect(stage(world).name).toBe('shadow');
    for (const vm of world.plant.vms.values()) expect(vm.allocation).toEqual([4, 8192, 0, 0]);
    const before = world.plant.writes.length;
    await world.run(HOUR);
    expect(world.plant.writes.length).toBe(before);
    await world.stop();
    const journal = Journal.attach(world.dir, false);
    const moves = [...journal.entries()].flatMap(({ entry }) => (entry.kind === 'stage' ? entry : []));
    await journal.close();
    expect(moves.map(({ name, by }) => [name, by])).toEqual([
      ['canary', 'alice'],
      ['shadow', 'bob'],
    ]);
    expect(await world.replay()).toMatchObject({ firstDifference: undefined });
  });

  it('keeps its stage through a dry run, which cannot advance it', async () => {
    const world = worldOf(promoted({ canaryShare: 1, automatic: true }));
    await world.start();
    await world.run(4 * HOUR);
    expect(stage(world).name).toBe('all');
    await world.stop();
    world.apply = false;
    await world.start();
    const before = world.plant.writes.length;
    await expect(world.operations().advanceStage('alice')).rejects.toThrow('STAGE_DRY_RUN');
    starve(world);
    await world.run(3 * HOUR);
    expect(stage(world).name).toBe('all');
    expect(world.plant.writes.length).toBe(before);
    await world.stop();
    expect(await world.replay()).toMatchObject({ sessions: 2, firstDifference: undefined });
  });

  it('another bundle begins in shadow, and frees what the first had limited', async () => {
    const world = worldOf(promoted({ canaryShare: 1, automatic: true }));
    await world.start();
    await world.run(4 * HOUR);
    expect(resized(world).size).toBe(4);
    await world.kill();
    world.bundle = promoted({}, 'c'.repeat(64));
    await world.start();
    expect(stage(world)).toMatchObject({ name: 'shadow', bundle: { id: 'c'.repeat(64) } });
    for (const vm of world.plant.vms.values()) expect(vm.allocation).toEqual([4, 8192, 0, 0]);
    await world.run(HOUR);
    await world.stop();
    expect(await world.replay()).toMatchObject({ sessions: 2, firstDifference: undefined });
  });

  it('is refused where the tick is another', async () => {
    const world = worldOf(promoted());
    world.config = { ...world.config, tick: '1m' };
    await expect(world.start()).rejects.toThrow('BUNDLE_OTHER_TICK');
    expect(world.plant.writes).toEqual([]);
    await world.kill();
  });

  it('begins with the models that fit, journaled, and tells of those that do not', async () => {
    const forecast = { model: 'prophet-ridge', minDays: 0.5 };
    const policies = { ahead: { kind: 'quantile', forecast } };
    const controller = controllerSchema.parse({ policies, policy: 'ahead' });
    // What a daemon of the same clock has learnt in a day.
    const first = worldOf(promoted());
    first.bundle = { ...promoted(), config: { ...promoted().config, controller } };
    await first.start();
    const { driver } = first.daemon.session;
    await first.run(24 * HOUR);
    const models = driver.controller.forecasters.flatMap((one) => persistent(one)?.models() ?? []);
    expect(models.length).toBeGreaterThan(3);
    await first.stop();
    const second = worldOf(promoted());
    second.bundle = { ...first.bundle, models: [...models, { ...models[0]!, epochMs: 0 }] };
    await second.start();
    await second.run(HOUR);
    expect(second.daemon.session.start.models).toBe(1);
    await second.kill();
    await second.start();
    expect(second.daemon.session.start.models).toBe(1);
    await second.run(HOUR);
    await second.stop();
    const journal = Journal.attach(second.dir, false);
    const [kept] = [...journal.entries()].flatMap(({ entry }) => (entry.kind === 'models' ? entry : []));
    await journal.close();
    expect(kept!.documents).toHaveLength(models.length);
    const report = await second.replay();
    expect(report).toMatchObject({ sessions: 2, firstDifference: undefined });
    expect(report.decisions).toBeGreaterThan(0);
    const third = worldOf(promoted());
    third.clock.pass(7 * MINUTE);
    third.bundle = second.bundle;
    await third.start();
    expect(third.daemon.session.start.models).toBeUndefined();
    const texts = third.operations().events(0, 100);
    expect(texts.some(({ text }) => text.includes('models are trained live'))).toBe(true);
    await third.stop();
  });
});
