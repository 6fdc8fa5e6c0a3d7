import type { Figures } from '../../../sim/gate/figures.ts';
import { type BenchSpec, benchSchema } from '../../../sim/gate/spec.ts';
import type { Spec } from '../../../sim/sweep/spec.ts';
import type { Bench } from '../sweep/fixture.ts';

/** A gate over the small scenario in a bench's folder. */
export function gate(here: Bench, spec: object): Spec<BenchSpec> {
  const value = benchSchema.parse({ apiVersion: 'foresize/v1', name: 'Gate', ...spec });
  return {
    value,
    file: here.path('bench.yaml'),
    baseDir: here.folder,
    place: (path) => path.map(String).join('.'),
  };
}

/** Figures as if measured; each `again` gives the next of `ratios`. */
export function figures(
  measures: Record<string, number | null>,
  ratios: number[] = [],
  key = 'case/vpa',
  backend = 'none',
): Figures {
  let next = 1;
  return { key, backend, measures, ratio: ratios[0], again: async () => ratios[next++] };
}
