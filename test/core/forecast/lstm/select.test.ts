import fc from 'fast-check';
import { expect, test } from 'vitest';
import { select } from '../../../../core/forecast/lstm/select.ts';

test('puts the asked ranks where sorting puts them, also among equal numbers', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double({ noNaN: true })), {
        minLength: 1,
        maxLength: 300,
      }),
      fc.array(fc.nat(), { maxLength: 10 }),
      (numbers, wishes) => {
        const values = Float64Array.from(numbers);
        const sorted = values.slice().sort();
        const ranks = Int32Array.from(
          [...new Set(wishes.map((w) => w % numbers.length))].sort((a, b) => a - b),
        );
        select(values, 0, values.length - 1, ranks, 0, ranks.length - 1);
        for (const rank of ranks) expect(values[rank]! + 0).toBe(sorted[rank]! + 0);
        expect(
          values
            .slice()
            .sort()
            .map((v) => v + 0),
        ).toEqual(sorted.map((v) => v + 0));
      },
    ),
  );
});
