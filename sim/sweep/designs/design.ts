import type { Axis } from '../axis.ts';
import type { DesignSpec } from '../spec.ts';
import { latinHypercube } from './latin-hypercube.ts';
import { random } from './random.ts';
import { sobol } from './sobol.ts';

/**
 * Values of every axis, a point at a time. Grids and Latin hypercubes end; random and Sobol sequences go on, so
 * that a caller can draw until enough points meet its constraints.
 */
export function* designPoints(design: DesignSpec, axes: readonly Axis[]): Generator<unknown[]> {
  if (design.kind === 'grid') {
    yield* combinations(axes);
    return;
  }
  for (const point of unitPoints(design, axes.length)) yield axes.map((axis, d) => axis.at(point[d]!));
}

/** Every combination of the levels; the last axis moves fastest. */
export function* combinations(axes: readonly Axis[]): Generator<unknown[]> {
  const [first, ...rest] = axes;
  if (!first) {
    yield [];
    return;
  }
  for (const level of first.levels ?? []) {
    for (const others of combinations(rest)) yield [level, ...others];
  }
}

function unitPoints(design: Exclude<DesignSpec, { kind: 'grid' }>, dimensions: number): Generator<number[]> {
  switch (design.kind) {
    case 'random':
      return random(dimensions, design.seed);
    case 'latin-hypercube':
      return latinHypercube(dimensions, design.samples, design.seed);
    case 'sobol':
      return sobol(dimensions, design.seed);
  }
}
