import { expect, test } from 'vitest';
import { allocate } from '../../../../core/forecast/lstm/kernels.ts';
import { CANDIDATES, LIMIT, QUANTILES, RARE } from '../../../../core/forecast/lstm/sizes.ts';
import { Rng } from '../../../../core/rng.ts';

const Q = QUANTILES.length;

test('candidates of a row are cut to their limits, and are 0 where something is missing', () => {
  const horizon = 8;
  const path = Q * horizon;
  const { kernels, arrays } = allocate({
    out: CANDIDATES * path,
    base: path,
    slow: path,
    quantiles: 3 * Q,
    steps: 3 * horizon,
    limits: 3,
  });
  const { out, base, slow, quantiles, steps, limits } = arrays;
  const rng = new Rng(3, 'candidates');
  for (const values of [base, slow, quantiles, steps]) {
    for (let i = 0; i < values.length; i++) values[i] = 6 * rng.normal();
  }
  for (const i of [1, horizon + 2, 2 * horizon + 5]) steps[i] = Number.NaN;
  const [near, daily, recent] = [2.5, 4, 7];
  limits.set([near, daily, recent]);
  kernels.candidates(
    out.byteOffset,
    base.byteOffset,
    slow.byteOffset,
    quantiles.byteOffset,
    steps.byteOffset,
    limits.byteOffset,
    horizon,
    4 * path,
  );
  const cut = (x: number, limit: number) => (Number.isNaN(x) ? 0 : Math.min(limit, Math.max(-limit, x)));
  for (let q = 0; q < Q; q++) {
    for (let h = 0; h < horizon; h++) {
      const i = q * horizon + h;
      const b = base[i]!;
      const [level, slowLevel, seasonal] = [quantiles[q]!, quantiles[Q + q]!, quantiles[2 * Q + q]!];
      const expected = [
        cut(level - b, near),
        cut(slowLevel - b, near),
        cut(slow[i]! - b, LIMIT),
        cut(steps[h]! + seasonal - b, daily),
        cut(steps[horizon + h]! + seasonal - b, daily),
        cut(recent - b, LIMIT) * RARE,
        cut(steps[2 * horizon + h]! - b, LIMIT) * RARE,
        cut(level - b, LIMIT) * RARE,
      ];
      for (const [j, value] of expected.entries())
        expect(out[j * path + i], `${j} ${i}`).toBeCloseTo(value, 4);
    }
  }
});
