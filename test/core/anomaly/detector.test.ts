import { describe, expect, it } from 'vitest';
import { CPU, MEMORY, NETWORK, R } from '../../../core/model.ts';
import { Rng } from '../../../core/rng.ts';
import { EPOCH, rig, STEP, spec } from './run.ts';

/** Feeds ticks [from, to): usage(t) is a row. */
function feed(
  { frame, detector }: ReturnType<typeof rig>,
  from: number,
  to: number,
  usage: (tick: number) => readonly number[],
) {
  for (let tick = from; tick < to; tick++) {
    frame.tick = tick;
    frame.at = EPOCH + tick * STEP;
    frame.usage.set(usage(tick), 0);
    detector.observe(frame);
  }
}

function noisy(seed: number): (tick: number) => number[] {
  const rng = new Rng(seed, 'steady');
  return () => [2, 4000, 2e6, 5e6].map((level) => level * (1 + 0.05 * rng.normal()));
}

describe('AnomalyDetector', () => {
  it('explains a flood by its quantile and the rest by being normal', () => {
    const one = rig(1);
    const calm = noisy(1);
    feed(one, 0, 6000, calm);
    expect(one.detector.open).toEqual([]);
    feed(one, 6000, 6003, (t) => calm(t).map((x, r) => (r === NETWORK ? 14 * 1.12 * 5e6 : x)));
    const [event] = one.detector.open;
    expect(event).toMatchObject({
      vmId: 'vm-0',
      resource: 'network',
      onsetTick: 6000,
      raisedTick: 6000,
      endTick: undefined,
      severity: 'high',
    });
    feed(one, 6003, 6030, calm);
    expect(one.detector.open).toEqual([]);
    expect(event?.outcome).toBe('returned');
    expect(event?.explanation).toMatch(
      /^network 1[34] x its 99 % quantile for [34] ticks; CPU, memory and disk I\/O normal$/,
    );
  });

  it('names what is stuck at zero', () => {
    const one = rig(1);
    const calm = noisy(2);
    feed(one, 0, 6000, calm);
    feed(one, 6000, 6012, (t) => calm(t).map((x, r) => (r === CPU ? 0 : x)));
    const [event] = one.detector.open;
    expect(event?.resource).toBe('cpu');
    expect(event?.explanation).toMatch(/^CPU at 0 for \d+ ticks?; /);
  });

  it('takes a change that lasts for the new normal, and is silent then', () => {
    const one = rig(1);
    const calm = noisy(3);
    feed(one, 0, 6000, calm);
    const raised = new Set<object>();
    for (let t = 6000; t < 7500; t++) {
      feed(one, t, t + 1, () => calm(t).map((x, r) => (r === MEMORY ? 2 * x : x)));
      for (const event of one.detector.changes) raised.add(event);
    }
    expect([...raised]).toHaveLength(1);
    expect([...raised][0]).toMatchObject({ resource: 'memory', onsetTick: 6000, outcome: 'new-normal' });
    expect(one.detector.open).toEqual([]);
  });

  it('scores from 0 to 1, and calls only what is larger news', () => {
    const one = rig(1);
    const calm = noisy(4);
    feed(one, 0, 3000, calm);
    for (let t = 3000; t < 3050; t++) {
      feed(one, t, t + 1, () =>
        calm(t).map((x, r) => (r === CPU && t % 10 === 0 ? 20 + (t - 3000) / 100 : x)),
      );
      const { score, news } = one.detector;
      expect(score[CPU]).toBeGreaterThanOrEqual(0);
      expect(score[CPU]).toBeLessThan(1);
      if (t === 3000) expect(news[CPU]).toBeGreaterThan(0.9);
      else expect(news[CPU]).toBe(0);
    }
  });

  it('passes over lost samples and unmanaged resources', () => {
    const one = rig(1);
    const calm = noisy(5);
    feed(one, 0, 2000, (t) => (t % 7 === 3 ? [Number.NaN, Number.NaN, Number.NaN, Number.NaN] : calm(t)));
    expect(one.detector.score[CPU]).toBeGreaterThanOrEqual(0);
    feed(one, 2000, 2001, () => [Number.NaN, 4000, Number.NaN, 5e6]);
    expect(one.detector.score[CPU]).toBe(0);
    expect(one.detector.score.every(Number.isFinite)).toBe(true);
    expect(one.detector.joint.every(Number.isFinite)).toBe(true);
  });

  it('forgets a VM that has gone, and tells that its events ended', () => {
    const one = rig(1);
    const calm = noisy(6);
    feed(one, 0, 6000, calm);
    feed(one, 6000, 6002, (t) => calm(t).map((x, r) => (r === CPU ? 15 : x)));
    const [event] = one.detector.open;
    expect(event?.resource).toBe('cpu');
    one.fleet.retire('vm-0');
    one.fleet.admit(spec('vm-1'), 6002);
    feed(one, 6002, 6003, () => [15, 4000, 2e6, 5e6]);
    expect(one.detector.changes).toEqual([event]);
    expect(event).toMatchObject({ outcome: 'retired', endTick: 6001 });
    expect(one.detector.open).toEqual([]);
    expect(one.detector.score[CPU]).toBe(0);
  });

  it('gives the same scores for the same samples, in whatever slot', () => {
    const [a, b] = [rig(1), rig(3)];
    const [load, same] = [noisy(7), noisy(7)];
    for (let tick = 0; tick < 1500; tick++) {
      feed(a, tick, tick + 1, load);
      b.frame.tick = tick;
      b.frame.at = EPOCH + tick * STEP;
      b.frame.usage.set(same(tick), 2 * R);
      b.detector.observe(b.frame);
      expect(b.detector.score[2 * R + CPU]).toBe(a.detector.score[CPU]);
      expect(b.detector.joint[2]).toBe(a.detector.joint[0]);
    }
  });
});
