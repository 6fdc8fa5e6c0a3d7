import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toAxis } from '../../../sim/sweep/axis.ts';
import { designPoints } from '../../../sim/sweep/designs/design.ts';
import { latinHypercube } from '../../../sim/sweep/designs/latin-hypercube.ts';
import { random } from '../../../sim/sweep/designs/random.ts';
import { SOBOL_DIMENSIONS, sobol } from '../../../sim/sweep/designs/sobol.ts';
import { problemOf } from './fixture.ts';

function take<T>(points: Iterable<T>, count: number): T[] {
  const taken: T[] = [];
  for (const point of points) {
    if (taken.length === count) break;
    taken.push(point);
  }
  return taken;
}

describe('grid', () => {
  it('has every combination, the last axis fastest', () => {
    const axes = [toAxis('a', [1, 2], ''), toAxis('b', ['x', 'y'], '')];
    expect([...designPoints({ kind: 'grid' }, axes)]).toEqual([
      [1, 'x'],
      [1, 'y'],
      [2, 'x'],
      [2, 'y'],
    ]);
    expect([...designPoints({ kind: 'grid' }, [])]).toEqual([[]]);
  });
});

describe('sobol', () => {
  it('is the sequence of Joe & Kuo', () => {
    // The first points of their own program's output for D = 3.
    expect(take(sobol(3), 10)).toEqual([
      [0, 0, 0],
      [0.5, 0.5, 0.5],
      [0.75, 0.25, 0.25],
      [0.25, 0.75, 0.75],
      [0.375, 0.375, 0.625],
      [0.875, 0.875, 0.125],
      [0.625, 0.125, 0.875],
      [0.125, 0.625, 0.375],
      [0.1875, 0.3125, 0.9375],
      [0.6875, 0.8125, 0.4375],
    ]);
  });

  it('puts one of 2^m points in every 2^-m part of every axis, shifted or not', () => {
    for (const seed of [undefined, 1, 77]) {
      const points = take(sobol(SOBOL_DIMENSIONS, seed), 256);
      for (let d = 0; d < SOBOL_DIMENSIONS; d++) {
        expect(new Set(points.map((point) => Math.floor(point[d]! * 256))).size).toBe(256);
      }
    }
  });

  it('puts one of 2^m points in every elementary box of the first two axes', () => {
    const points = take(sobol(2, 5), 64);
    for (const wide of [1, 2, 4, 8, 16, 32, 64]) {
      const boxes = points.map(([x, y]) => `${Math.floor(x! * wide)} ${Math.floor((y! * 64) / wide)}`);
      expect(new Set(boxes).size).toBe(64);
    }
  });

  it('has a last dimension', async () => {
    expect((await problemOf(() => take(sobol(33), 1))).code).toBe('SWEEP_SOBOL_DIMENSIONS');
  });
});

describe('latin hypercube', () => {
  it('puts one point in every part of every axis', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        (samples, seed) => {
          const points = [...latinHypercube(3, samples, seed)];
          for (let d = 0; d < 3; d++) {
            expect(new Set(points.map((point) => Math.floor(point[d]! * samples))).size).toBe(samples);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('sampled designs', () => {
  it('are the same for the same seed, and another for another', () => {
    const axes = [
      toAxis('a', { from: 0, to: 1, scale: 'linear', integer: false }, ''),
      toAxis('b', [1, 2, 3], ''),
    ];
    for (const kind of ['random', 'latin-hypercube', 'sobol'] as const) {
      const drawn = (seed: number) => take(designPoints({ kind, samples: 8, seed }, axes), 8);
      expect(drawn(1)).toEqual(drawn(1));
      expect(drawn(1)).not.toEqual(drawn(2));
    }
  });

  it('draw an axis alike whatever the others are', () => {
    expect(take(random(1, 3), 5).map(([x]) => x)).toEqual(take(random(4, 3), 5).map(([x]) => x));
  });
});
