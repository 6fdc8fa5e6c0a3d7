import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cosTurns, exp, exp2, log, normalQuantile, pow, sinTurns } from '../../core/math.ts';

const close = (actual: number, expected: number, relative = 1e-14): void => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(
    relative * Math.max(Math.abs(expected), 1e-300) + 1e-320,
  );
};

describe('elementary functions agree with the platform', () => {
  it('exp', () => {
    fc.assert(
      fc.property(fc.double({ min: -740, max: 709, noNaN: true }), (x) => close(exp(x), Math.exp(x), 1e-13)),
    );
    expect([exp(0), exp(-1000), exp(1000)]).toEqual([1, 0, Number.POSITIVE_INFINITY]);
    expect(exp(Number.NaN)).toBeNaN();
  });
  it('log', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-320, max: 1e300, noNaN: true }), (x) => {
        const expected = Math.log(x);
        expect(Math.abs(log(x) - expected)).toBeLessThanOrEqual(1e-14 * Math.max(1, Math.abs(expected)));
      }),
    );
    expect([log(1), log(0)]).toEqual([0, Number.NEGATIVE_INFINITY]);
    expect(log(-1)).toBeNaN();
  });
  it('pow and exp2', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        fc.double({ min: -20, max: 20, noNaN: true }),
        (b, e) => close(pow(b, e), b ** e, 1e-12),
      ),
    );
    close(pow(1.05, 100), 1.05 ** 100, 1e-13);
    expect([exp2(3), exp2(-2), pow(2, 10), pow(0, 3)]).toEqual([8, 0.25, 1024, 0]);
  });
  it('sine and cosine of turns', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (x) => {
        expect(Math.abs(sinTurns(x) - Math.sin(2 * Math.PI * x))).toBeLessThan(1e-12);
        expect(Math.abs(cosTurns(x) - Math.cos(2 * Math.PI * x))).toBeLessThan(1e-12);
      }),
    );
    expect([cosTurns(0), sinTurns(0.25), cosTurns(0.25), sinTurns(0.5)]).toEqual([1, 1, 0, 0]);
  });
  it('normal quantiles (Wichura 1988, table of check values)', () => {
    close(normalQuantile(0.25), -0.6744897501960817, 1e-15);
    close(normalQuantile(0.001), -3.090232306167814, 1e-14);
    close(normalQuantile(1e-20), -9.262340089798408, 1e-14);
    expect(normalQuantile(0.5)).toBe(0);
  });
});
