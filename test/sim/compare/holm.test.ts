import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holm } from '../../../sim/compare/holm.ts';

test("the textbook's four hypotheses: 0.01, 0.04, 0.03, 0.005", () => {
  // Ascending: 0.005 * 4 = 0.02; 0.01 * 3 = 0.03; 0.03 * 2 = 0.06; 0.04 * 1 = 0.04, lifted to 0.06.
  const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
  expect(adjusted.map((p) => p.toFixed(12))).toEqual([0.03, 0.06, 0.06, 0.02].map((p) => p.toFixed(12)));
});

test('never below the p itself nor above Bonferroni; keeps the order', () => {
  const p = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(p, (raw) => {
      const adjusted = holm(raw);
      raw.forEach((x, i) => {
        expect(adjusted[i]).toBeGreaterThanOrEqual(x);
        expect(adjusted[i]).toBeLessThanOrEqual(Math.min(1, x * raw.length) + 1e-15);
        raw.forEach((y, j) => {
          if (x < y) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]!);
        });
      });
    }),
  );
});

test('of none, none', () => {
  expect(holm([])).toEqual([]);
});
