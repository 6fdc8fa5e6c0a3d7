import { describe, expect, it } from 'vitest';
import { SmoothedLikelihood, TailLikelihood } from '../../../core/anomaly/likelihood.ts';
import { exp } from '../../../core/math.ts';
import { Rng } from '../../../core/rng.ts';

function tail(): TailLikelihood {
  const one = new TailLikelihood();
  one.grow(1);
  return one;
}

describe('TailLikelihood', () => {
  it('is -log10 of the share that was as large, and more beyond the largest', () => {
    const one = tail();
    for (let i = 0; i < 100; i++) one.step(0, 1);
    // None of 100 was as large: (0 + 0.5) / 101. An octave beyond: half of ln 2.
    expect(one.step(0, 2)).toBeCloseTo(-Math.log10(0.5 / 101) + 0.5 * Math.LN2, 12);
    // Now one of 101 was.
    expect(one.step(0, 2)).toBeCloseTo(-Math.log10(1.5 / 102), 12);
    // All of 102 were as large as 1: nothing surprising, (102.5 / 103) rounds to no surprise.
    expect(one.step(0, 1)).toBeCloseTo(-Math.log10(102.5 / 103), 12);
    expect(one.step(0, 0)).toBe(0);
  });

  it('gives the quantile as the edge of a class, four to an octave', () => {
    const one = tail();
    expect(one.quantile(0, 0.01)).toBe(0);
    for (let i = 0; i < 100; i++) one.step(0, 1);
    one.step(0, 2);
    // 1 of 101 exceeds 1: within 1 % of 101 = 1.01, so the class of 1 holds the quantile; its edge is 2^(1/4).
    expect(one.quantile(0, 0.01)).toBeCloseTo(2 ** 0.25, 12);
    one.step(0, 2);
    expect(one.quantile(0, 0.01)).toBeCloseTo(2 * 2 ** 0.25, 12);
  });

  it('calls no more than one in a hundred a surprise of 2, whatever the distribution', () => {
    const rng = new Rng(5, 'tails');
    for (const [draw, least] of [
      // Ties count as large: all that lies within a class of the largest possible number, here a sixth.
      [() => rng.uniform(), 0],
      [() => rng.exponential(3), 0.003],
      [() => exp(2 * rng.normal()), 0.003],
    ] as const) {
      const one = tail();
      let surprises = 0;
      for (let i = 0; i < 20_000; i++) if (one.step(0, draw()) >= 2) surprises++;
      expect(surprises / 20_000).toBeGreaterThanOrEqual(least);
      expect(surprises / 20_000).toBeLessThan(0.0115);
    }
  });

  it('goes on when its 16 bits are full', () => {
    const one = tail();
    for (let i = 0; i < 130_000; i++) one.step(0, 1);
    expect(one.count(0)).toBeGreaterThanOrEqual(30_000);
    expect(one.step(0, 8)).toBeGreaterThan(4.7);
  });
});

describe('SmoothedLikelihood', () => {
  it('finds a run of moderate surprises less likely than one alone', () => {
    const rng = new Rng(1, 'runs');
    const one = new SmoothedLikelihood();
    one.grow(1);
    // The surprise of a uniform p-value: exponential with mean 1 / ln 10.
    for (let i = 0; i < 5000; i++) one.step(0, rng.exponential(1 / Math.LN10));
    const alone = one.step(0, 2);
    for (let i = 0; i < 200; i++) one.step(0, rng.exponential(1 / Math.LN10));
    let run = 0;
    for (let i = 0; i < 12; i++) run = one.step(0, 2);
    expect(alone).toBeLessThan(2);
    expect(run).toBeGreaterThan(3);
  });
});
