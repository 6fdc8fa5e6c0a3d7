import { describe, expect, test } from 'vitest';
import { R } from '../../../../core/model.ts';
import { uniformAt } from '../../../../core/rng.ts';
import { DAY, isGlobal, type Replay, replay, type Usage } from './replay.ts';

/** Trains within seconds: everything else is the default. */
const quick = { firstSteps: 30, steps: 20, hidden: 8, batch: 16, personal: { steps: 10 } };
const QUANTILES = [0.02, 0.33, 0.5, 0.9, 0.98, 0.99, 0.999];

const noise = (vm: number, r: number, tick: number) => uniformAt(vm * 4 + r, tick, 9);
/** A daily swing with noise, apart by VM and resource. */
const daily: Usage = (vm, r, tick) => {
  const phase = ((tick + vm * 31) % DAY) / DAY;
  return (r + 1) * 10 ** r * (1.5 + (phase < 0.5 ? 1 : 0) + noise(vm, r, tick));
};

/** Holds every promise of the Forecaster interface; returns how many numbers were looked at. */
function check(run: Replay, seen: (vm: number, r: number) => boolean = () => true): number {
  const horizon = 13;
  const paths = run.paths(horizon, QUANTILES);
  const slots = run.fleet.slots;
  const out = new Float64Array(run.fleet.rows * R);
  let count = 0;
  for (const [q, quantile] of QUANTILES.entries()) {
    run.forecaster.peak(slots, horizon, quantile, out);
    for (let i = 0; i < slots.length; i++) {
      for (let r = 0; r < R; r++) {
        let most = 0;
        for (let h = 0; h < horizon; h++) {
          const value = paths.values[paths.index(i, r, q, h)]!;
          if (!seen(i, r)) {
            expect(value).toBeNaN();
            continue;
          }
          if (!(Number.isFinite(value) && value >= 0)) expect.fail(`vm ${i}, resource ${r}: ${value}`);
          const below = q > 0 ? paths.values[paths.index(i, r, q - 1, h)]! : 0;
          if (value < below) expect.fail(`quantiles cross: vm ${i}, resource ${r}, ${quantile}`);
          most = Math.max(most, value);
          count++;
        }
        if (seen(i, r)) expect(out[slots[i]! * R + r]).toBe(most);
        else expect(out[slots[i]! * R + r]).toBeNaN();
      }
    }
  }
  return count;
}

const bad: Record<string, Usage> = {
  'a constant series': (vm, r) => 10 ** r * (vm + 1),
  'all zeros': () => 0,
  'one spike': (_vm, r, tick) => (tick === 350 ? 1e6 : r),
  'a spike out of nothing but zeros': (_vm, _r, tick) => (tick === 420 ? 1e9 : 0),
  'a gap of a day': (vm, r, tick) => (tick >= 250 && tick < 250 + DAY ? Number.NaN : daily(vm, r, tick)),
  'NaN up to now': (vm, r, tick) => (tick > 400 ? Number.NaN : daily(vm, r, tick)),
  'a level shift in the training window': (vm, r, tick) => daily(vm, r, tick) * (tick > 300 ? 50 : 1),
  'a drop to almost nothing': (vm, r, tick) => daily(vm, r, tick) * (tick > 300 ? 1e-9 : 1),
  'every other sample missing': (vm, r, tick) => (tick % 2 ? Number.NaN : daily(vm, r, tick)),
  'values at the end of 32-bit floats': (vm, r, tick) => daily(vm, r, tick) * 1e33,
};

describe('bad input', () => {
  for (const [title, usage] of Object.entries(bad)) {
    test(`${title}: no NaN, nothing below 0, no crossing, before and after training`, async () => {
      const run = await replay(3, usage, quick);
      for (const tick of [1, 2, 14, 280, 306, 440, 580]) {
        run.run(tick);
        expect(check(run)).toBeGreaterThan(0);
      }
      expect(run.fits.some(isGlobal)).toBe(true);
      expect(run.fits.every((fit) => fit.outcome !== 'failed')).toBe(true);
    });
  }

  test('a resource that was never seen is NaN, and the others are not', async () => {
    const run = await replay(4, (vm, r, tick) => (r === 2 ? Number.NaN : daily(vm, r, tick)), quick);
    run.run(400);
    check(run, (_vm, r) => r !== 2);
  });

  test('a VM that came just now is forecast from its first sample', async () => {
    const run = await replay(4, daily, quick);
    run.run(330);
    const spec = { ...run.fleet.specs[0]!, vmId: 'new', applicationId: 'new' };
    const slot = run.fleet.admit(spec, 330);
    check(run, (vm) => vm !== slot);
    run.run(331);
    check(run);
    const peak = new Float64Array(run.fleet.rows * R);
    run.forecaster.peak(Int32Array.of(slot), 12, 0.5, peak);
    expect(Math.abs(peak[slot * R]! / daily(slot, 0, 330) - 1)).toBeLessThan(0.5);
  });

  test('a slot given to another VM forgets the one before', async () => {
    const run = await replay(
      4,
      (vm, r, tick) => (vm === 1 && tick >= 400 ? 1 : daily(vm, r, tick) * 1000),
      quick,
    );
    run.run(400);
    run.fleet.retire('vm1');
    expect(run.fleet.admit({ ...run.fleet.specs[0]!, vmId: 'next' }, 400)).toBe(1);
    run.run(420);
    const peak = new Float64Array(run.fleet.rows * R);
    run.forecaster.peak(Int32Array.of(1), 12, 0.99, peak);
    for (const value of peak.subarray(R, 2 * R)) expect(value).toBeLessThan(3);
  });
});

describe('training', () => {
  test('waits, spreads over ticks, repeats, and learns the day', async () => {
    const run = await replay(6, daily, { ...quick, stepsPerTick: 20, firstSteps: 200, batch: 32 });
    run.run(DAY);
    expect(run.fits).toEqual([]);
    run.run(DAY + 1);
    expect(run.fits).toEqual([]);
    run.run(DAY + 30);
    const [first] = run.fits;
    expect(first).toMatchObject({ tick: DAY, outcome: 'accepted', version: 1 });
    expect(first!.loss).toBeLessThan(first!.lossBefore);
    run.run(3 * DAY + 20);
    const ticks = run.fits.filter(isGlobal).map((fit) => fit.tick);
    expect(ticks).toEqual([DAY, 2 * DAY, 3 * DAY]);
  });

  test('is the same bit for bit with the same seed, and another with another', async () => {
    const figures = async (seed: number) => {
      const run = await replay(4, daily, quick, seed);
      run.run(590);
      return [...run.paths(12, [0.5, 0.9]).values];
    };
    const one = await figures(3);
    expect(await figures(3)).toEqual(one);
    expect(await figures(4)).not.toEqual(one);
  });

  test('that goes astray keeps the last good model and says so', async () => {
    const run = await replay(4, daily, { ...quick, firstSteps: 0, personal: { steps: 0 }, learningRate: 10 });
    run.run(DAY + 30);
    const steady = await replay(4, daily, { ...quick, steps: 0, firstSteps: 0, personal: { steps: 0 } });
    run.run(2 * DAY + 30);
    steady.run(2 * DAY + 30);
    const last = run.fits.at(-1)!;
    expect(['kept', 'failed']).toContain(last.outcome);
    expect(last.reason).not.toBe('');
    expect(run.forecaster.health().recent.at(-1)).toMatchObject({ tick: 2 * DAY, reason: last.reason });
    expect([...run.paths(12, [0.9]).values]).toEqual([...steady.paths(12, [0.9]).values]);
  });

  test('takes no more windows a tick than its budget, personal parts and checks included', async () => {
    const personal = { steps: 12 };
    const run = await replay(6, daily, { ...quick, firstSteps: 24, batch: 32, stepsPerTick: 2, personal });
    const reported = async (count: number) => {
      for (let tick = DAY; ; tick++) {
        run.run(tick + 1);
        if (run.fits.length >= count) return tick;
      }
    };
    run.run(DAY);
    // 24 steps of 32 windows, 64 a tick: 12 ticks, and more for the windows it is judged on.
    const global = await reported(1);
    expect(global).toBeGreaterThanOrEqual(DAY + 12);
    // Three pairs: 12 steps of 3 x 8 windows, judged at first and at two checks on 3 x 48: 720 windows, 11.25 ticks.
    expect(await reported(4)).toBeGreaterThanOrEqual(global + 11);
    expect(run.fits.every(isGlobal)).toBe(false);
  });

  test('with too little history says what is missing', async () => {
    const run = await replay(1, daily, { ...quick, firstTrainAfter: '3h' });
    run.run(40);
    expect(run.fits[0]).toMatchObject({ outcome: 'waiting', version: 0 });
    expect(run.fits[0]!.reason).toMatch(/^only \d+ moments to learn from, 64 are needed$/);
    // An hour later there is more, and in time there is enough.
    run.run(50);
    expect(run.fits.map((fit) => fit.tick)).toEqual([36, 48]);
    run.run(1050);
    expect(run.fits.at(-1)!.outcome).not.toBe('waiting');
  });
});
