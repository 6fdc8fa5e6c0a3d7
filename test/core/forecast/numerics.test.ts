import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fleet } from '../../../core/fleet.ts';
import { Experts } from '../../../core/forecast/experts.ts';
import { decodeFloats, encodeFloats } from '../../../core/forecast/float-codec.ts';
import { Hierarchy } from '../../../core/forecast/hierarchy.ts';
import { cholesky, solveFactored } from '../../../core/forecast/linear-algebra.ts';
import { NormalEquations } from '../../../core/forecast/normal-equations.ts';
import { BINS, binOf, EDGES, LAPLACE, mixtureQuantiles } from '../../../core/forecast/score-histogram.ts';
import { Spreads } from '../../../core/forecast/spreads.ts';

function fleetOf(...pairs: [string, string][]): { fleet: Fleet; rows: Hierarchy } {
  const fleet = new Fleet();
  const rows = fleet.register(new Hierarchy(fleet));
  pairs.forEach(([applicationId, userId], k) => {
    const zero = [0, 0, 0, 0] as const;
    fleet.admit({ vmId: `vm${k}`, applicationId, userId, requested: zero, min: zero, max: zero }, 0);
  });
  return { fleet, rows };
}

describe('hierarchy', () => {
  it('numbers parents before children and keeps a row per pair', () => {
    const { rows } = fleetOf(['a', 'u'], ['a', 'v'], ['b', 'u'], ['a', 'u']);
    expect(rows.keys).toEqual([
      {},
      { applicationId: 'a' },
      { applicationId: 'a', userId: 'u' },
      { applicationId: 'a', userId: 'v' },
      { applicationId: 'b' },
      { applicationId: 'b', userId: 'u' },
    ]);
    expect(rows.parent).toEqual([-1, 0, 1, 1, 0, 4]);
    expect(Array.from(rows.row.subarray(0, 4))).toEqual([2, 3, 5, 2]);
  });
});

describe('linear algebra', () => {
  it('factors and solves: [4 2; 2 3] x = [2; 5] has x = (-1/2, 2)', () => {
    const a = Float64Array.of(4, 0, 2, 3);
    expect(cholesky(a, 2)).toBe(true);
    expect(Array.from(a)).toEqual([2, 0, 1, Math.sqrt(2)]);
    const b = Float64Array.of(2, 5);
    solveFactored(a, 2, b);
    expect(b[0]).toBeCloseTo(-0.5, 12);
    expect(b[1]).toBeCloseTo(2, 12);
  });

  it('leaves the Schur complement: 3 - 2 * 2 / 4 = 2', () => {
    const a = Float64Array.of(4, 0, 2, 3);
    expect(cholesky(a, 2, 1)).toBe(true);
    expect(a[3]).toBe(2);
  });

  it('factors matrices of every size: L times its transpose is the matrix', () => {
    for (const p of [3, 4, 7, 9, 12]) {
      // A = B B' + p I with B[i][k] = (3 i + 5 k) mod 7.
      const b = (i: number, k: number) => (3 * i + 5 * k) % 7;
      const matrix = Float64Array.from({ length: p * p }, (_, at) => {
        const [i, j] = [Math.floor(at / p), at % p];
        let sum = i === j ? p : 0;
        for (let k = 0; k < p; k++) sum += b(i, k) * b(j, k);
        return sum;
      });
      const a = matrix.slice();
      expect(cholesky(a, p)).toBe(true);
      for (let i = 0; i < p; i++) {
        for (let j = 0; j <= i; j++) {
          let sum = 0;
          for (let k = 0; k <= j; k++) sum += a[i * p + k]! * a[j * p + k]!;
          expect(sum).toBeCloseTo(matrix[i * p + j]!, 9);
        }
      }
    }
  });

  it('refuses a matrix that is not positive definite', () => {
    expect(cholesky(Float64Array.of(1, 0, 2, 1), 2)).toBe(false);
    expect(cholesky(Float64Array.of(0), 1)).toBe(false);
  });
});

describe('normal equations', () => {
  const prior = Float64Array.of(1);

  it('start from the prior, and each row from its parent', () => {
    const { rows } = fleetOf(['a', 'u']);
    const equations = new NormalEquations(rows, [prior]);
    equations.grow();
    expect(equations.coefficients[equations.at(2, 0, 0)]).toBe(1);
  });

  it('weigh by absolute error: y = 3x exactly, seen with weights 1 / (0.5 + |error|)', () => {
    const { rows } = fleetOf(['a', 'u']);
    const equations = new NormalEquations(rows, [prior]);
    equations.grow();
    // Prior 1: errors are 2 and 4, weights 1/2.5 and 1/4.5. X'WX = 1/2.5 + 4/4.5, X'Wy = 3 X'WX.
    equations.learn(2, 0, 0, Float64Array.of(1), 3, 0.5);
    equations.learn(2, 0, 0, Float64Array.of(2), 6, 0.5);
    equations.solve(2);
    // The parent has seen nothing: only the ridge (1e-4 of the diagonal) pulls towards 1.
    const expected = 1 + 2 / (1 + 1e-4 + 1e-6);
    expect(equations.coefficients[equations.at(2, 0, 0)]).toBeCloseTo(expected, 6);
  });

  it('find every coefficient, however many', () => {
    for (const p of [3, 4, 9, 12]) {
      const { rows } = fleetOf(['a', 'u']);
      const equations = new NormalEquations(rows, [new Float64Array(p)]);
      equations.grow();
      // y = sum of (j + 1) x_j, exactly, seen at unit vectors and at pairs of them, all weights alike.
      for (let i = 0; i < p; i++) {
        for (let j = 0; j <= i; j++) {
          const x = new Float64Array(p);
          x[i] = 1;
          x[j] = 1;
          equations.learn(2, 0, 0, x, i === j ? i + 1 : i + j + 2, 1e9);
        }
      }
      equations.solve(2);
      // The ridge towards 0 takes off 1e-4 of the diagonal.
      const at = equations.at(2, 0, 0);
      for (let j = 0; j < p; j++) expect(equations.coefficients[at + j]).toBeCloseTo(j + 1, 2);
    }
  });

  it('shrink a pair with few observations towards its application', () => {
    const { rows } = fleetOf(['a', 'u'], ['a', 'v']);
    const equations = new NormalEquations(rows, [prior]);
    equations.grow();
    for (let k = 0; k < 500; k++) equations.learn(2, 0, 0, Float64Array.of(1), 5, 1e9);
    equations.learn(3, 0, 0, Float64Array.of(1), 2, 1e9);
    equations.solveParents();
    equations.solve(3);
    const application = equations.coefficients[equations.at(1, 0, 0)]!;
    const pair = equations.coefficients[equations.at(3, 0, 0)]!;
    // 500 fives and one two: (2500 + 2 + 20 c0) / (501 + 20) with c0 near 5; then one two against 20 of that.
    expect(application).toBeCloseTo(5, 1);
    expect(pair).toBeCloseTo((2 + 20 * application) / 21, 2);
  });
});

describe('score histogram', () => {
  it('has ascending bins of a quarter octave around zero', () => {
    for (let k = 0; k < BINS; k++) expect(EDGES[k + 1]!).toBeGreaterThan(EDGES[k]!);
    expect([binOf(0), binOf(-0)]).toEqual([(BINS - 1) / 2, (BINS - 1) / 2]);
    fc.assert(
      fc.property(fc.double({ min: -120, max: 120, noNaN: true }), (z) => {
        const bin = binOf(z);
        const magnitude = Math.abs(Math.fround(z));
        const low = z < 0 ? -EDGES[bin + 1]! : EDGES[bin]!;
        const high = z < 0 ? -EDGES[bin]! : EDGES[bin + 1]!;
        expect(magnitude).toBeLessThan(high);
        if (bin !== (BINS - 1) / 2) expect(magnitude).toBeGreaterThanOrEqual(low);
      }),
    );
  });

  it('starts as Laplace: the .9 quantile is ln 5 = 1.609', () => {
    expect(LAPLACE.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
    const out = new Float64Array(3);
    const none = { array: LAPLACE, from: 0, weight: 0 };
    mixtureQuantiles(none, { array: LAPLACE, from: 0, weight: 1 }, [0.1, 0.5, 0.9], out);
    expect(out[0]).toBeCloseTo(-Math.log(5), 1);
    expect(out[1]).toBeCloseTo(0, 12);
    expect(out[2]).toBeCloseTo(Math.log(5), 1);
  });
});

describe('experts', () => {
  it('give the trust to whoever was right', () => {
    const experts = new Experts(2);
    experts.grow(1);
    experts.clear(0);
    let combined = 0;
    for (let t = 0; t < 60; t++) {
      experts.score(0, t, 10);
      experts.weigh(0);
      // The first says 4, the second 9: errors 6 and 1, weights 1 : 6^8.
      combined = experts.combine(0, t, 1, Float64Array.of(4, 9));
    }
    expect(combined).toBeCloseTo((4 + 9 * 6 ** 8) / (1 + 6 ** 8), 6);
  });

  it('trust the first before anything is known, and forever when all are right', () => {
    const experts = new Experts(3);
    experts.grow(1);
    experts.clear(0);
    for (let t = 0; t < 30; t++) {
      experts.score(0, t, 5);
      experts.weigh(0);
      expect(experts.combine(0, t, 2, Float64Array.of(5, 5, 5))).toBe(5);
    }
  });
});

describe('spreads', () => {
  it('are the geometric mean of near and long error once a VM is known', () => {
    const spreads = new Spreads();
    spreads.grow(1);
    spreads.growShared(1);
    // Before any error: a tenth of the forecast, both near and long: sqrt(10 * 1.03 * 10).
    expect(spreads.at(0, 0, 100)).toBeCloseTo(Math.sqrt((10 + 0.03 * 10) * 10), 12);
    for (let k = 0; k < 400; k++) spreads.add(0, 0, k % 2 ? 2 : -2, 100);
    expect(spreads.at(0, 0, 100)).toBeCloseTo(Math.sqrt((2 + 0.03 * 2) * 2), 9);
  });
});

describe('float codec', () => {
  it('keeps every number bit for bit', () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (values) => {
        const decoded = decodeFloats(encodeFloats(values), values.length);
        values.forEach((v, k) => {
          expect(Object.is(decoded[k], v)).toBe(true);
        });
      }),
    );
    expect(encodeFloats([1.5, Number.NaN]).startsWith('f')).toBe(true);
  });

  it('refuses another length', () => {
    expect(() => decodeFloats(encodeFloats([1, 2]), 3)).toThrow(RangeError);
    expect(() => decodeFloats(undefined, 0)).toThrow(RangeError);
  });
});
