import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BucketGrid, Histograms } from '../../core/histogram.ts';

describe('exponential buckets', () => {
  const cpu = new BucketGrid(0.01, 1000, 1.05);

  it('are those of VPA for cores', () => {
    // ceil(log(1000 x .05 / .01 + 1) / log 1.05) + 1 = ceil(174.57) + 1
    expect(cpu.count).toBe(176);
    expect([cpu.starts[0], cpu.starts[1]]).toEqual([0, 0.01]);
    expect(cpu.starts[2]).toBeCloseTo(0.0205, 12); // .01 + .0105
    expect(cpu.starts[3]).toBeCloseTo(0.031525, 12); // + .01 x 1.05^2
    expect(cpu.ends[1]).toBe(cpu.starts[2]);
    expect(cpu.ends[175]).toBe(cpu.starts[175]);
    expect([0, 0.0099, 0.01, 0.0204, 0.03, 1e9].map((v) => cpu.find(v))).toEqual([0, 0, 1, 1, 2, 175]);
  });

  it('find the bucket that holds a value, at any magnitude and on every edge', () => {
    const grids = [
      cpu,
      new BucketGrid(1e7 / 1_048_576, 1e12 / 1_048_576, 1.05),
      new BucketGrid(1e5, 1e10, 1.05),
    ];
    const holds = (grid: BucketGrid, value: number): void => {
      const bucket = grid.find(value);
      expect(grid.starts[bucket]).toBeLessThanOrEqual(value);
      if (bucket < grid.count - 1) expect(grid.starts[bucket + 1]).toBeGreaterThan(value);
    };
    for (const grid of grids) {
      fc.assert(
        fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 12 }), (m, e) => {
          holds(grid, m * 10 ** e);
        }),
        { numRuns: 2000 },
      );
      for (let b = 0; b < grid.count; b++) {
        expect(grid.find(grid.starts[b]!)).toBe(b);
        if (b > 0) expect(grid.find(grid.starts[b]! * (1 - 1e-15))).toBe(b - 1);
      }
    }
  });
});

describe('histograms', () => {
  it('put a percentile in the first bucket whose cumulative weight reaches p x total', () => {
    const h = new Histograms(10, [0.5, 0.9], 1e-4);
    h.grow(3);
    h.clear(1);
    h.add(1, 4, 1);
    expect([h.bucket(1, 0), h.bucket(1, 1)]).toEqual([4, 4]);
    h.add(1, 7, 3); // total 4: .5 x 4 = 2 > 1, so 7
    expect([h.bucket(1, 0), h.bucket(1, 1)]).toEqual([7, 7]);
    h.add(1, 2, 4); // total 8: 4 reaches 4, so 2; 7.2 needs 4 + 1 + 3
    expect([h.bucket(1, 0), h.bucket(1, 1)]).toEqual([2, 7]);
    h.subtract(1, 7, 3); // total 5: 2.5 and 4.5 are reached by 4 and by 4 + 1
    expect([h.bucket(1, 0), h.bucket(1, 1)]).toEqual([2, 4]);
    expect(h.total(1)).toBe(5);
  });

  it('drop what scaling brings below epsilon', () => {
    const h = new Histograms(10, [0.5], 1e-4);
    h.grow(1);
    h.clear(0);
    h.add(0, 1, 0.1);
    h.add(0, 8, 100);
    h.scale(0, 2 ** -10); // .1 / 1024 < 1e-4: the lowest bucket is now 8
    expect(h.search(0, 0)).toBe(8);
    expect(h.bucket(0, 0)).toBe(8);
  });

  it('follow percentiles as a search in exact arithmetic would, and keep them in order', () => {
    const step = fc.oneof(
      {
        weight: 30,
        arbitrary: fc.record({
          bucket: fc.integer({ min: 0, max: 39 }),
          grow: fc.double({ min: 1, max: 1.1, noNaN: true }),
        }),
      },
      { weight: 1, arbitrary: fc.constant('scale' as const) },
      { weight: 1, arbitrary: fc.constant('subtract' as const) },
    );
    const percentiles = [0.5, 0.9, 0.95];
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 400 }), (steps) => {
        const h = new Histograms(40, percentiles, 1e-12);
        h.grow(2);
        h.clear(1);
        const exact = new Float64Array(40);
        let weight = 0.1;
        let last: number | undefined;
        for (const s of steps) {
          if (s === 'scale') {
            h.scale(1, 0.125);
            for (let b = 0; b < 40; b++) exact[b]! *= 0.125;
            weight *= 0.125;
            last = undefined;
          } else if (s === 'subtract') {
            if (last === undefined) continue;
            h.subtract(1, last, weight);
            exact[last]! -= weight;
            last = undefined;
          } else {
            weight *= s.grow;
            h.add(1, s.bucket, weight);
            exact[s.bucket]! += weight;
            last = s.bucket;
          }
          const total = exact.reduce((a, b) => a + b, 0);
          if (total < 1e-3) continue;
          let previous = 0;
          percentiles.forEach((p, k) => {
            const bucket = h.bucket(1, k);
            expect(bucket).toBeGreaterThanOrEqual(previous);
            previous = bucket;
            const before = exact.subarray(0, bucket).reduce((a, b) => a + b, 0);
            expect(before).toBeLessThanOrEqual((p + 1e-5) * total);
            expect(before + exact[bucket]!).toBeGreaterThanOrEqual((p - 1e-5) * total);
          });
        }
      }),
      { numRuns: 100 },
    );
  });
});
