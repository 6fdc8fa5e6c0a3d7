import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dominates, type Outcome, rank } from '../../../sim/tune/rank.ts';

const of = (objectives: number[], excess = 0): Outcome => ({ objectives, excess });

describe('rank', () => {
  it('sorts by front, and within a front the solitary first', () => {
    // Front 1: a (1, 9), b (2, 5), c (3, 4.9), d (9, 1). Spans 8 and 8. b: (3 - 1)/8 + (9 - 4.9)/8 = 0.7625,
    // c: (9 - 2)/8 + (5 - 1)/8 = 1.375; a and d are ends. Front 2: e (4, 6).
    const outcomes = [of([2, 5]), of([4, 6]), of([1, 9]), of([3, 4.9]), of([9, 1])];
    expect(rank(outcomes)).toEqual([2, 4, 3, 0, 1]);
  });

  it('puts those that keep their limits first, then those nearest to them', () => {
    expect(rank([of([1], 0.5), of([9]), of([1], 0.1), of([8])])).toEqual([3, 1, 2, 0]);
  });

  it('never puts one before another that dominates it', () => {
    const outcome = fc.record({
      objectives: fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 2 }),
      excess: fc.constantFrom(0, 0, 1, 2),
    });
    fc.assert(
      fc.property(fc.array(outcome, { minLength: 1, maxLength: 20 }), (outcomes) => {
        const order = rank(outcomes);
        expect([...order].sort((a, b) => a - b)).toEqual(outcomes.map((_, i) => i));
        for (let i = 0; i < order.length; i++) {
          for (let j = i + 1; j < order.length; j++) {
            expect(dominates(outcomes[order[j]!]!, outcomes[order[i]!]!)).toBe(false);
          }
        }
      }),
    );
  });
});
