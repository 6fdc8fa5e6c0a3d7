import fc from 'fast-check';
import { expect, test } from 'vitest';
import { placeLabels } from '../../../sim/report/charts/labels.ts';

const at = (x: number, y: number, text: string, reach = { x0: x, x1: x, y0: y, y1: y }) => ({
  x,
  y,
  text,
  reach,
});

test('a point alone has its label to the right', () => {
  expect(placeLabels([at(100, 100, 'vpa')], 400, 300)).toEqual([{ dx: 11, dy: 0, align: 'left' }]);
});

test('at the right edge the label goes to the left', () => {
  expect(placeLabels([at(395, 100, 'quantile')], 400, 300)[0]!.align).toBe('right');
});

test('a label keeps off the interval of its own point', () => {
  const [label] = placeLabels([at(100, 100, 'vpa', { x0: 20, x1: 180, y0: 100, y1: 100 })], 400, 300);
  expect(label!.dy).not.toBe(0);
});

test('two points side by side do not write over one another', () => {
  const [left, right] = placeLabels([at(100, 100, 'static'), at(125, 100, 'oracle')], 400, 300);
  expect(left).not.toEqual({ dx: 11, dy: 0, align: 'left' });
  expect(right).toEqual({ dx: 11, dy: 0, align: 'left' });
});

test('every point gets one label, whatever the crowd', () => {
  const point = fc.record({ x: fc.integer({ min: 0, max: 400 }), y: fc.integer({ min: 0, max: 300 }) });
  fc.assert(
    fc.property(fc.array(point, { maxLength: 10 }), (points) => {
      const placed = placeLabels(
        points.map(({ x, y }, i) => at(x, y, `policy-${i}`)),
        400,
        300,
      );
      expect(placed).toHaveLength(points.length);
    }),
  );
});
