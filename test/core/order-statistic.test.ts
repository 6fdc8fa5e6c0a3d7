import fc from 'fast-check';
import { expect, it } from 'vitest';
import { orderStatistic } from '../../core/order-statistic.ts';

it('selects what sorting would put there', () => {
  const value = fc.oneof(fc.float({ noNaN: true }), fc.constantFrom(0, 1, 1, 2));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), fc.nat(), (values, seed) => {
      const rank = seed % values.length;
      const expected = Float32Array.from(values).sort()[rank];
      expect(orderStatistic(Float32Array.from(values), values.length, rank)).toBe(expected);
    }),
  );
});
