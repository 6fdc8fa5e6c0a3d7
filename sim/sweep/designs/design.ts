import { ForesizeError } from '../../../core/errors.ts';
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

/** Rejected draws a wanted point, above which constraints are taken to be impossible. */
const MOST_DRAWS = 1000;

/**
 * What `make` makes of each point of a design, without the points it makes nothing of, because they break a
 * constraint. Random and Sobol designs draw on until they have as many points as they should.
 * @param where place to name in errors
 * @throws ForesizeError SWEEP_CONSTRAINTS_TOO_TIGHT
 */
export function* constrained<T>(
  design: DesignSpec,
  axes: readonly Axis[],
  where: string,
  make: (values: unknown[]) => T[],
): Generator<T> {
  const endless = design.kind === 'random' || design.kind === 'sobol';
  const wanted = design.kind === 'grid' ? Number.POSITIVE_INFINITY : design.samples;
  let taken = 0;
  let drawn = 0;
  for (const values of designPoints(design, axes)) {
    drawn++;
    const made = make(values);
    yield* made;
    if (made.length > 0) taken++;
    if (taken >= wanted || (endless && drawn > MOST_DRAWS * (taken + 10))) break;
  }
  if (taken === 0 || (endless && taken < wanted)) {
    throw new ForesizeError({
      code: 'SWEEP_CONSTRAINTS_TOO_TIGHT',
      what: `of ${drawn} points ${taken} meet the constraints`,
      where,
      remedy: 'loosen the constraints, or narrow the axes to where they hold',
    });
  }
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
