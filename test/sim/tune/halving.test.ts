import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rungs, runsOf } from '../../../sim/tune/halving.ts';

describe('successive halving', () => {
  it('takes a third to thrice the workloads', () => {
    expect(rungs(27, 9, 3)).toEqual([
      { candidates: 27, workloads: 1 },
      { candidates: 9, workloads: 3 },
      { candidates: 3, workloads: 9 },
    ]);
    // 27 on 1, 9 on two more, 3 on six more.
    expect(runsOf(rungs(27, 9, 3))).toBe(27 + 18 + 18);
    expect(rungs(27, 4, 3)).toEqual([
      { candidates: 27, workloads: 2 },
      { candidates: 9, workloads: 4 },
    ]);
    expect(rungs(27, 1, 3)).toEqual([{ candidates: 27, workloads: 1 }]);
    expect(rungs(1, 9, 3)).toEqual([{ candidates: 1, workloads: 9 }]);
  });

  it('always ends with all workloads, and never costs more than trying all on all', () => {
    const n = fc.integer({ min: 1, max: 300 });
    fc.assert(
      fc.property(
        n,
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 2, max: 5 }),
        (candidates, workloads, eta) => {
          const plan = rungs(candidates, workloads, eta);
          expect(plan[0]!.candidates).toBe(candidates);
          expect(plan.at(-1)!.workloads).toBe(workloads);
          expect(plan.at(-1)!.candidates).toBeGreaterThanOrEqual(1);
          expect(runsOf(plan)).toBeLessThanOrEqual(candidates * workloads);
        },
      ),
    );
  });
});
