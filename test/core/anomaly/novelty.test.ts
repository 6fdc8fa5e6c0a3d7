import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Novelty } from '../../../core/anomaly/novelty.ts';

function feed(remember: number, numbers: readonly number[], floor = 0.01): number[] {
  const novelty = new Novelty(remember);
  novelty.grow(2);
  novelty.reset(1);
  return numbers.map((x, seen) => novelty.step(1, x, seen, floor));
}

describe('Novelty', () => {
  it('is the distance to the nearest remembered number in mean deviations, less a quarter', () => {
    // Third number: mean 10, off by 4, weight 1/3, so the deviation is 4/3; distance 4 to the nearest.
    const [first, second, third, fourth] = feed(8, [10, 10, 14, 14]);
    expect([first, second]).toEqual([0, 0]);
    expect(third).toBeCloseTo(4 / (4 / 3 + 0.01) - 0.25, 12);
    expect(fourth).toBe(0);
  });

  it('sees the gap between two clusters, which no tail does', () => {
    const numbers = Array.from({ length: 200 }, (_, i) => (i % 2) * 100);
    expect(
      feed(8, numbers)
        .slice(2)
        .every((news) => news === 0),
    ).toBe(true);
    // The deviation is 50 about the mean of 50; 50 lies 50 from both clusters: about 1 deviation.
    expect(feed(8, [...numbers, 50]).at(-1)).toBeCloseTo(0.75, 1);
  });

  it('keeps a constant series quiet, whatever its digits', () => {
    expect(feed(8, new Array(500).fill(0.1), 1e-9).every((news) => news === 0)).toBe(true);
  });

  it('merges the closest two when full, and keeps the rest', () => {
    const novelty = new Novelty(4);
    novelty.grow(1);
    // 1000 makes a fifth: 0 and 10 are closest and become 5.
    for (const [seen, x] of [0, 200, 500, 10, 1000].entries()) novelty.step(0, x, seen, 1e-9);
    for (const x of [200, 500, 1000]) expect(novelty.step(0, x, 5, 1e-9)).toBe(0);
  });

  it('is never negative, and never finds the same number new twice', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 }), (numbers) => {
        const novelty = new Novelty(64);
        novelty.grow(1);
        let seen = 0;
        for (const x of numbers) {
          expect(novelty.step(0, x, seen++, 1e-3)).toBeGreaterThanOrEqual(0);
          expect(novelty.step(0, x, seen++, 1e-3)).toBe(0);
        }
      }),
    );
  });
});
