import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Design } from '../../../../core/forecast/prophet-ridge/design.ts';
import { ProphetRidge } from '../../../../core/forecast/prophet-ridge/fit.ts';
import {
  type ProphetRidgeParameters,
  prophetRidgeSchema,
  quantileAt,
  seasonalAt,
  trendAt,
  valueAt,
} from '../../../../core/forecast/prophet-ridge/parameters.ts';
import { Rng } from '../../../../core/rng.ts';
import { DAY, fitProphet, objectiveOf, PROPHET_DEFAULTS } from './real-prophet.ts';

const HOUR = DAY / 24;
const FROM = Date.UTC(2024, 0, 3);

function trained(
  values: Float64Array,
  options: Partial<typeof PROPHET_DEFAULTS> = {},
  stepMs = HOUR,
): ProphetRidgeParameters {
  const model = new ProphetRidge({ ...PROPHET_DEFAULTS, ...options, stepMs }).fit(values, FROM);
  if ('failed' in model) throw new Error(model.failed);
  return model;
}

/** Days and weeks as sines, a trend that turns once, and noise. */
function generated(n: number, seed: number, noise: number): Float64Array {
  const rng = new Rng(seed, 'series');
  return Float64Array.from({ length: n }, (_, i) => {
    const days = i / 24;
    const trend = 20 + 0.3 * days + (i > 0.4 * n ? -0.7 * (days - (0.4 * n) / 24) : 0);
    const season = 4 * Math.sin(2 * Math.PI * days) + 2 * Math.cos((2 * Math.PI * days) / 7);
    return trend + season + noise * rng.normal();
  });
}

describe('design matrix', () => {
  it('places change points as Prophet does: evenly over the first 80 % of the samples', () => {
    // n = 20, range .8: 16 samples, indices round(j * 15 / 5) for j = 1..5
    const design = new Design(20, { ...PROPHET_DEFAULTS, stepMs: HOUR, changepoints: 5 });
    expect(Array.from(design.changepoints)).toEqual([3, 6, 9, 12, 15]);
  });

  it('has moments and Gram matrix equal to those summed row by row', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 30, max: 90 }),
        fc.infiniteStream(fc.double({ min: -5, max: 5, noNaN: true })),
        (n, stream) => {
          const design = new Design(n, {
            stepMs: HOUR,
            changepoints: 7,
            changepointRange: 0.8,
            seasonalities: [
              { name: 'daily', periodMs: DAY, order: 2 },
              { name: 'odd', periodMs: 7.3 * HOUR, order: 1 },
            ],
          });
          const y = Float64Array.from({ length: n }, () => stream.next().value);
          const row = new Float64Array(design.p);
          const expected = new Float64Array(design.p);
          let corner = 0;
          for (let i = 0; i < n; i++) {
            design.row(i, row);
            for (let c = 0; c < design.p; c++) expected[c]! += row[c]! * y[i]!;
            corner += row[design.p - 1]! * row[2]!;
          }
          const actual = new Float64Array(design.p);
          design.moments(y, actual);
          for (let c = 0; c < design.p; c++) expect(actual[c]).toBeCloseTo(expected[c]!, 9);
          expect(design.gram[(design.p - 1) * design.p + 2]).toBeCloseTo(corner, 9);
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('fit', () => {
  it('is ridge regression when there are no change points and no seasons', () => {
    // y = 1, 3, 2 at t = 0, 1/2, 1; scale 3, so y/scale = 1/3, 1, 2/3. With sigma^2 = s and precisions 1/25:
    // (X'X + s/25 I) (m, k)' = X'y, X'X = [3 1.5; 1.5 1.25], X'y = (2, 1/2 + 2/3 = 7/6).
    const model = trained(Float64Array.of(1, 3, 2), { changepoints: 0 as 25, seasonalities: [] as never });
    const s = (model.sigma / 3) ** 2;
    const [a, b, d] = [3 + s / 25, 1.5, 1.25 + s / 25];
    const det = a * d - b * b;
    expect(model.scale).toBe(3);
    expect(model.intercept / 3).toBeCloseTo((2 * d - (b * 7) / 6) / det, 6);
    expect(model.slope / 3).toBeCloseTo(((a * 7) / 6 - 2 * b) / det, 6);
  });

  it('recovers a turning trend and its seasons', () => {
    const n = 24 * 21;
    const model = trained(generated(n, 1, 0.05));
    const at = (i: number): number => FROM + i * HOUR;
    expect(seasonalAt(model, at(6)) - seasonalAt(model, at(18))).toBeCloseTo(8, 0);
    const slope = (from: number, to: number): number =>
      (24 * (trendAt(model, at(to)) - trendAt(model, at(from)))) / (to - from);
    expect(slope(0, 150)).toBeCloseTo(0.3, 1);
    expect(slope(300, n)).toBeCloseTo(-0.4, 1);
  });

  it('does not depend on where the epoch falls in the season', () => {
    const values = generated(24 * 15, 2, 0.5);
    const ridge = new ProphetRidge({ ...PROPHET_DEFAULTS, stepMs: HOUR });
    const a = ridge.fit(values, FROM) as ProphetRidgeParameters;
    const b = ridge.fit(values, FROM + 31 * HOUR) as ProphetRidgeParameters;
    for (let i = 0; i < 400; i += 7) {
      expect(valueAt(a, FROM + i * HOUR)).toBeCloseTo(valueAt(b, FROM + (i + 31) * HOUR), 8);
    }
  });

  it('bridges a gap of a day without bending', () => {
    const values = generated(24 * 21, 3, 0.2);
    const whole = trained(values);
    const gappy = trained(values.map((v, i) => (i >= 200 && i < 224 ? Number.NaN : v)));
    expect(gappy.observed).toBe(whole.observed - 24);
    for (let i = 180; i < 240; i += 5) {
      expect(valueAt(gappy, FROM + i * HOUR)).toBeCloseTo(valueAt(whole, FROM + i * HOUR), 0);
    }
  });

  it.each([
    ['constant', Float64Array.from({ length: 100 }, () => 7)],
    ['zeros', new Float64Array(100)],
    ['one spike', Float64Array.from({ length: 100 }, (_, i) => (i === 60 ? 1000 : 0))],
    ['a level shift', Float64Array.from({ length: 400 }, (_, i) => (i < 200 ? 1 : 50))],
    ['shorter than a season', Float64Array.from({ length: 9 }, (_, i) => i % 3)],
    ['mostly missing', Float64Array.from({ length: 300 }, (_, i) => (i % 50 ? Number.NaN : i))],
    ['two samples', Float64Array.of(1, 2)],
  ])('stays finite on %s', (_, values) => {
    const model = trained(values);
    for (let i = 0; i < values.length + 48; i++) {
      expect(valueAt(model, FROM + i * HOUR)).toBeLessThan(1e5);
      expect(quantileAt(model, FROM + i * HOUR, 0.9)).toBeGreaterThanOrEqual(
        quantileAt(model, FROM + i * HOUR, 0.5),
      );
    }
  });

  it('fits a constant exactly', () => {
    const model = trained(Float64Array.from({ length: 100 }, () => 7));
    expect(valueAt(model, FROM + 500 * HOUR)).toBe(7);
  });

  it('says why it cannot fit', () => {
    const ridge = new ProphetRidge({ ...PROPHET_DEFAULTS, stepMs: HOUR });
    expect(ridge.fit(new Float64Array(50).fill(Number.NaN), FROM)).toEqual({
      failed: '0 samples in the training window',
    });
    expect(ridge.fit(Float64Array.of(1, Number.POSITIVE_INFINITY, 2), FROM)).toEqual({
      failed: 'a sample that is not finite',
    });
  });

  it('keeps its forecasts bit for bit through JSON', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e9, noNaN: true }), { minLength: 30, maxLength: 200 }),
        (v) => {
          const model = trained(Float64Array.from(v));
          const again = prophetRidgeSchema.parse(JSON.parse(JSON.stringify(model)));
          for (let i = 0; i < 300; i += 11) {
            const at = FROM + i * HOUR;
            expect(valueAt(again, at)).toBe(valueAt(model, at));
            expect(quantileAt(again, at, 0.95)).toBe(quantileAt(model, at, 0.95));
          }
        },
      ),
      { numRuns: 20 },
    );
  });
});

describe('against the real Prophet', () => {
  const n = 24 * 16;
  const times = Array.from({ length: n }, (_, i) => FROM + i * HOUR);
  const ask = Array.from({ length: n + 48 }, (_, i) => FROM + i * HOUR);
  const holiday = {
    name: 'release',
    occurrences: [
      [FROM + 100 * HOUR, FROM + 112 * HOUR],
      [FROM + 300 * HOUR, FROM + 312 * HOUR],
      [FROM + 400 * HOUR, FROM + 412 * HOUR],
    ] as const,
  };
  const cases: [string, Float64Array, boolean][] = [
    ['a turning trend', generated(n, 4, 1), false],
    ['gaps', generated(n, 5, 1).map((v, i) => (i % 37 === 0 ? Number.NaN : v)), false],
    [
      'a holiday',
      generated(n, 6, 0.5).map((v, i) => v + ((i >= 100 && i < 112) || (i >= 300 && i < 312) ? 9 : 0)),
      true,
    ],
  ];

  it.each(cases)('finds as good a posterior and the same forecasts on %s', async (_, values, withHoliday) => {
    const real = await fitProphet(times, values, ask, withHoliday ? holiday : undefined);
    const ours = trained(values, withHoliday ? ({ holidays: [holiday] } as never) : {});
    const objective = objectiveOf(ours, values, (i) => valueAt(ours, times[i]!));
    // Both minimise the same negative log posterior; ours must not end higher (up to its tolerance).
    expect(objective).toBeLessThan(real.objective + 0.5);
    let squared = 0;
    for (let i = 0; i < ask.length; i++) squared += (valueAt(ours, ask[i]!) - real.point[i]!) ** 2;
    expect(Math.sqrt(squared / ask.length) / ours.scale).toBeLessThan(0.01);
    // The upper end of the 80 % interval, simulated there and in closed form here, in standard deviations.
    let gap = 0;
    for (let i = 0; i < ask.length; i++) gap += quantileAt(ours, ask[i]!, 0.9) - real.upper[i]!;
    expect(Math.abs(gap / ask.length / ours.sigma)).toBeLessThan(0.25);
  });
});
