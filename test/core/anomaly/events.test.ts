import { describe, expect, it } from 'vitest';
import { CHANGE, EventRows } from '../../../core/anomaly/events.ts';
import { type AnomalyParams, anomalyParams } from '../../../core/anomaly/params.ts';

const LONG = 1e9;

function rows(params: Partial<AnomalyParams> = {}): EventRows {
  const one = new EventRows(
    anomalyParams.parse({ alarm: 20, learn: 0, quiet: 2, accept: 50, hold: 10, ...params }),
  );
  one.grow(1);
  one.reset(0);
  return one;
}

describe('EventRows', () => {
  it('sums evidence up from its last zero, which is the onset', () => {
    const one = rows();
    expect(one.step(0, 0, -1, false, LONG)).toBe(CHANGE.none);
    expect(one.step(0, 1, 15, true, LONG)).toBe(CHANGE.none);
    expect(one.step(0, 2, -20, false, LONG)).toBe(CHANGE.none);
    expect(one.step(0, 3, 9, true, LONG)).toBe(CHANGE.none);
    // 9 + 12 = 21 >= 20, twice outside since tick 3.
    expect(one.step(0, 4, 12, true, LONG)).toBe(CHANGE.raised);
    expect(one.onset[0]).toBe(3);
    expect(one.outside[0]).toBe(2);
    expect(one.level[0]).toBe(1);
  });

  it('ends two quiet ticks after the last one that belonged to it', () => {
    const one = rows();
    one.step(0, 7, 25, true, LONG);
    expect(one.step(0, 8, -3, true, LONG)).toBe(CHANGE.none);
    expect(one.step(0, 9, -3, false, LONG)).toBe(CHANGE.none);
    expect(one.step(0, 10, -3, false, LONG)).toBe(CHANGE.returned);
    expect(one.last(0)).toBe(8);
    expect(one.level[0]).toBe(0);
  });

  it('does not raise the same again for a while, unless it is graver', () => {
    const one = rows();
    one.step(0, 0, 25, true, LONG);
    one.step(0, 1, -3, false, LONG);
    one.step(0, 2, -3, false, LONG);
    expect(one.step(0, 5, 22, true, LONG)).toBe(CHANGE.none);
    expect(one.step(0, 6, 5, true, LONG)).toBe(CHANGE.raised);
    one.step(0, 7, -30, false, LONG);
    one.step(0, 8, -3, false, LONG);
    expect(one.step(0, 20, 22, true, LONG)).toBe(CHANGE.raised);
  });

  it('gets graver at three and eight times the evidence asked for', () => {
    const one = rows();
    expect(one.step(0, 0, 59, true, LONG)).toBe(CHANGE.raised);
    expect(one.level[0]).toBe(1);
    expect(one.step(0, 1, 1, true, LONG)).toBe(CHANGE.graver);
    expect(one.level[0]).toBe(2);
    expect(one.step(0, 2, 99, true, LONG)).toBe(CHANGE.none);
    expect(one.step(0, 3, 1, true, LONG)).toBe(CHANGE.graver);
    expect(one.level[0]).toBe(3);
  });

  it('takes what lasts for the new normal', () => {
    const one = rows();
    one.step(0, 0, 25, true, LONG);
    for (let t = 1; t < 50; t++) expect(one.step(0, t, 0.1, true, LONG)).toBe(CHANGE.none);
    expect(one.step(0, 50, 0.1, true, LONG)).toBe(CHANGE.accepted);
    expect(one.evidence[0]).toBe(0);
  });

  it('asks for more evidence the less is known', () => {
    // At half of `learn`: 20 x (1 + 2^2) = 100; at `learn`: 20 x (1 + 1) = 40.
    const young = rows({ learn: 1000 });
    expect(young.step(0, 0, 99, true, 499)).toBe(CHANGE.none);
    expect(young.step(0, 1, 1, true, 499)).toBe(CHANGE.raised);
    const older = rows({ learn: 1000 });
    expect(older.step(0, 0, 40, true, 999)).toBe(CHANGE.raised);
  });
});
