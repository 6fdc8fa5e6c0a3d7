import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shareOut } from '../../../sim/cluster/contention.ts';

function shares(want: readonly number[], weight: readonly number[], capacity: number): number[] {
  const out = new Float64Array(want.length);
  shareOut(want.length, Float64Array.from(want), Float64Array.from(weight), capacity, out);
  return [...out];
}

describe('contention', () => {
  it('gives all what they want when there is enough', () => {
    expect(shares([1, 2, 3], [1, 1, 1], 6)).toEqual([1, 2, 3]);
  });

  it('shares by weight, and hands on what the modest leave', () => {
    // Level 10 / 4 = 2.5 a weight: 2.5, 2.5, 5. The first wants 1: left 9 / 3 = 3 a weight: 1, 3, 6.
    expect(shares([1, 8, 8], [1, 1, 2], 10)).toEqual([1, 3, 6]);
  });

  it('never gives more than there is or is wanted, wastes nothing, and treats the short alike', () => {
    const vm = fc.tuple(
      fc.double({ min: 0, max: 100, noNaN: true }),
      fc.double({ min: 0.1, max: 10, noNaN: true }),
    );
    fc.assert(
      fc.property(
        fc.array(vm, { minLength: 1, maxLength: 30 }),
        fc.double({ min: 0.1, max: 500, noNaN: true }),
        (vms, capacity) => {
          const want = vms.map(([w]) => w);
          const weight = vms.map(([, w]) => w);
          const got = shares(want, weight, capacity);
          const sum = got.reduce((a, b) => a + b, 0);
          const wanted = want.reduce((a, b) => a + b, 0);
          expect(sum).toBeCloseTo(Math.min(capacity, wanted), 6);
          got.forEach((x, i) => {
            expect(x).toBeGreaterThanOrEqual(0);
            expect(x).toBeLessThanOrEqual(want[i]!);
          });
          const levels = got.flatMap((x, i) => (x < want[i]! ? [x / weight[i]!] : []));
          for (const level of levels) expect(level).toBeCloseTo(levels[0]!, 6);
          got.forEach((x, i) => {
            // Nobody who is content has a higher level than those who are not.
            if (x === want[i] && levels.length > 0)
              expect(x / weight[i]!).toBeLessThanOrEqual(levels[0]! + 1e-6);
          });
        },
      ),
    );
  });
});
