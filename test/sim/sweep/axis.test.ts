import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAxis } from '../../../sim/sweep/axis.ts';
import { axisSchema } from '../../../sim/sweep/spec.ts';
import { problemOf } from './fixture.ts';

const axis = (spec: unknown) => toAxis('a', axisSchema.parse(spec), 'file:1: axes.a');

describe('axis', () => {
  it('takes a list as it stands', () => {
    expect(axis([1, 'x', { model: 'last-value' }]).levels).toEqual([1, 'x', { model: 'last-value' }]);
    expect(axis([1, 2]).fields).toEqual(['a']);
    expect(axis({ field: ['b', 'c'], values: [1] }).fields).toEqual(['b', 'c']);
  });

  it('spaces levels evenly, on a line or by a factor', () => {
    expect(axis({ from: 1, to: 2, steps: 5 }).levels).toEqual([1, 1.25, 1.5, 1.75, 2]);
    expect(axis({ from: 1, to: 1000, steps: 4, scale: 'log' }).levels).toEqual([1, 10, 100, 1000]);
    expect(axis({ from: 1, to: 4, steps: 8, integer: true }).levels).toEqual([1, 2, 3, 4]);
    expect(axis({ from: '1h', to: '2h', steps: 3 }).levels).toEqual(['1h', '1h30m', '2h']);
  });

  it('gives every level and every whole number an equal share of [0, 1)', () => {
    const list = axis(['x', 'y', 'z', 'w']);
    expect([0, 0.24, 0.25, 0.5, 0.75, 0.999].map((u) => list.at(u))).toEqual(['x', 'x', 'y', 'z', 'w', 'w']);
    const whole = axis({ from: 1, to: 4, integer: true });
    expect([0, 0.24, 0.25, 0.5, 0.75, 0.999].map((u) => whole.at(u))).toEqual([1, 1, 2, 3, 4, 4]);
    // log: 1 has [0.5, 1.5), so ln 3 / ln 21 = 0.361 of the way; 10 has [9.5, 10.5): from 1 - ln(10.5/9.5)/ln 21 on.
    const log = axis({ from: 1, to: 10, integer: true, scale: 'log' });
    expect([0, 0.36, 0.362, 0.966, 0.968, 0.9999].map((u) => log.at(u))).toEqual([1, 1, 2, 9, 10, 10]);
  });

  it('stays within its range', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.constantFrom('linear', 'log'),
        fc.boolean(),
        (u, scale, integer) => {
          const value = axis({ from: 3, to: 17, scale, integer }).at(u) as number;
          expect(value).toBeGreaterThanOrEqual(3);
          expect(value).toBeLessThanOrEqual(17);
        },
      ),
    );
  });

  it('says what is wrong', async () => {
    const code = async (spec: unknown) => (await problemOf(() => axis(spec))).code;
    expect(await code([])).toBe('SWEEP_AXIS_EMPTY');
    expect(
      await code([
        { a: 1, b: 2 },
        { b: 2, a: 1 },
      ]),
    ).toBe('SWEEP_AXIS_TWICE');
    expect(await code({ from: 2, to: 1 })).toBe('SWEEP_AXIS_RANGE');
    expect(await code({ from: 0, to: 1, scale: 'log' })).toBe('SWEEP_AXIS_RANGE');
    expect(await code({ from: 0.5, to: 2, integer: true })).toBe('SWEEP_AXIS_RANGE');
    expect(await code({ from: '1h', to: 2 })).toBe('SWEEP_AXIS_RANGE');
  });
});
