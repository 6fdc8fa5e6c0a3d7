import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CPU, MEMORY, R } from '../../../core/model.ts';
import { type Resampled, resample } from '../../../sim/trace/resample.ts';
import { shapeOf, VmSamples } from '../../../sim/trace/samples.ts';

const STEP = 100;
const has = [true, true, false, false];

/** Instants [time, cpu, memory], in the order they are read. */
function instants(rows: readonly (readonly [number, number, number?])[]): VmSamples {
  const vm = new VmSamples('a', 'a', 'u', shapeOf(STEP, false, has));
  for (const [time, cpu, memory] of rows) vm.add(time, 0, cpu, memory ?? Number.NaN, Number.NaN, Number.NaN);
  return vm;
}

/** Spans [time, duration, cpu]. */
function spans(rows: readonly (readonly [number, number, number])[]): VmSamples {
  const vm = new VmSamples('a', 'a', 'u', shapeOf(STEP, true, has));
  for (const [time, duration, cpu] of rows) vm.add(time, duration, cpu, Number.NaN, Number.NaN, Number.NaN);
  return vm;
}

function column(made: Resampled | null, resource: number): number[] {
  return Array.from({ length: made!.usage.length / R }, (_, k) => made!.usage[k * R + resource]!);
}

describe('instants', () => {
  test('belong to the interval their stamp lies in, which holds its start and not its end', () => {
    const made = resample(
      instants([
        [299, 1],
        [300, 2],
        [399, 4],
        [400, 8],
      ]),
      STEP,
      'avg',
    );
    expect(made!.first).toBe(2);
    expect(column(made, CPU)).toEqual([1, (2 + 4) / 2, 8]);
    expect(made!.gaps).toBe(0);
  });

  test('an interval without one is NaN and counted as a gap', () => {
    const made = resample(
      instants([
        [0, 1],
        [350, 2],
      ]),
      STEP,
      'avg',
    );
    expect(column(made, CPU)).toEqual([1, Number.NaN, Number.NaN, 2]);
    expect(made!.gaps).toBe(2);
  });

  test('rows out of order are put in order and counted', () => {
    const vm = instants([
      [200, 3],
      [0, 1],
      [100, 2],
      [300, 4],
    ]);
    expect(column(resample(vm, STEP, 'avg'), CPU)).toEqual([1, 2, 3, 4]);
    expect(vm.outOfOrder).toBe(2);
  });

  test('of rows with one stamp the last read wins, value by value; a missing value never replaces one', () => {
    const vm = instants([
      [10, 1, 10],
      [120, 9, 90],
      [10, 5, Number.NaN],
      [10, Number.NaN, 30],
      [20, 7, 50],
    ]);
    const made = resample(vm, STEP, 'avg');
    // Interval 0 has the stamps 10 (cpu 5, memory 30) and 20 (cpu 7, memory 50).
    expect(column(made, CPU)).toEqual([(5 + 7) / 2, 9]);
    expect(column(made, MEMORY)).toEqual([(30 + 50) / 2, 90]);
    expect(made!.duplicates).toBe(2);
  });

  test('a missing value counts in no mean, and a VM lasts from its first value to its last', () => {
    const vm = instants([
      [0, Number.NaN],
      [110, 2, Number.NaN],
      [120, Number.NaN, 6],
      [300, 4],
      [500, Number.NaN],
    ]);
    const made = resample(vm, STEP, 'avg');
    expect(made!.first).toBe(1);
    expect(column(made, CPU)).toEqual([2, Number.NaN, 4]);
    expect(column(made, MEMORY)).toEqual([6, Number.NaN, Number.NaN]);
    expect(made!.gaps).toBe(1);
  });

  test('maxima are put together by their maximum', () => {
    expect(
      column(
        resample(
          instants([
            [0, 1],
            [10, 9],
            [20, 4],
            [100, 2],
          ]),
          STEP,
          'max',
        ),
        CPU,
      ),
    ).toEqual([9, 2]);
  });

  test('a VM without a value gives nothing', () => {
    expect(resample(instants([[0, Number.NaN]]), STEP, 'avg')).toBeNull();
    expect(resample(instants([]), STEP, 'avg')).toBeNull();
  });

  test('the scale makes units', () => {
    const vm = instants([[0, 50]]);
    vm.scale[CPU] = 4 / 100;
    expect(column(resample(vm, STEP, 'avg'), CPU)).toEqual([2]);
  });
});

describe('spans', () => {
  test('give their value to every interval they touch, weighted by how long', () => {
    // 0-150 at 2, 150-200 at 6: interval 0 all 2; interval 1 half 2, half 6.
    const made = resample(
      spans([
        [0, 150, 2],
        [150, 50, 6],
      ]),
      STEP,
      'avg',
    );
    expect(column(made, CPU)).toEqual([2, (2 * 50 + 6 * 50) / 100]);
  });

  test('the part of an interval nobody measured does not count as zero', () => {
    expect(
      column(
        resample(
          spans([
            [0, 20, 3],
            [90, 10, 9],
          ]),
          STEP,
          'avg',
        ),
        CPU,
      ),
    ).toEqual([(3 * 20 + 9 * 10) / 30]);
  });

  test('a long one fills many intervals, a pause leaves a gap', () => {
    const made = resample(
      spans([
        [0, 300, 1],
        [400, 100, 5],
      ]),
      STEP,
      'avg',
    );
    expect(column(made, CPU)).toEqual([1, 1, 1, Number.NaN, 5]);
    expect(made!.gaps).toBe(1);
  });

  test('one without length still counts', () => {
    expect(column(resample(spans([[50, 0, 4]]), STEP, 'avg'), CPU)).toEqual([4]);
  });
});

describe('whatever the rows', () => {
  const row = fc.tuple(fc.nat(3000), fc.float({ min: 0, max: 1000, noNaN: true }));

  test('the order they are read in does not matter when stamps differ', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(row, { selector: ([time]) => time, minLength: 1, maxLength: 40 }),
        (rows) => {
          const sorted = [...rows].sort((a, b) => a[0] - b[0]);
          const a = resample(instants(rows), STEP, 'max')!;
          const b = resample(instants(sorted), STEP, 'max')!;
          expect(a.usage).toEqual(b.usage);
          expect(a.first).toBe(b.first);
        },
      ),
    );
  });

  test('every value lies between the least and the greatest sample of its interval', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), (rows) => {
        const made = resample(instants(rows), STEP, 'avg')!;
        const last = new Map(rows);
        for (let k = 0; k < made.usage.length / R; k++) {
          const inside = [...last]
            .filter(([time]) => Math.floor(time / STEP) === made.first + k)
            .map(([, v]) => v);
          const value = made.usage[k * R]!;
          if (inside.length === 0) expect(value).toBeNaN();
          else {
            expect(value).toBeGreaterThanOrEqual(Math.fround(Math.min(...inside)) * (1 - 1e-6));
            expect(value).toBeLessThanOrEqual(Math.fround(Math.max(...inside)) * (1 + 1e-6));
          }
        }
        expect(made.duplicates).toBe(rows.length - last.size);
      }),
    );
  });
});
