import fc from 'fast-check';
import { expect, test } from 'vitest';
import { paretoFront } from '../../../sim/compare/pareto.ts';

test('keeps what nothing beats, by rising x', () => {
  const points = [
    { x: 3, y: 1 }, // front
    { x: 1, y: 5 }, // front
    { x: 3, y: 2 }, // beaten by 0
    { x: 2, y: 3 }, // front
    { x: 2, y: 3 }, // equal to it: stays
    { x: 9, y: 1 }, // beaten by 0
    { x: Number.NaN, y: 0 },
  ];
  expect(paretoFront(points)).toEqual([1, 3, 4, 0]);
});

test('exactly the points that no other dominates', () => {
  const point = fc.record({ x: fc.integer({ min: 0, max: 6 }), y: fc.integer({ min: 0, max: 6 }) });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 15 }), (points) => {
      const expected = points
        .map((_, i) => i)
        .filter((i) => {
          const p = points[i]!;
          return !points.some((q) => q.x <= p.x && q.y <= p.y && (q.x < p.x || q.y < p.y));
        });
      expect([...paretoFront(points)].sort((a, b) => a - b)).toEqual(expected);
    }),
  );
});
