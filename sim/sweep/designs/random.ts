import { Rng } from '../../../core/rng.ts';

/** Independent uniform points, without end. Each axis draws from a stream of its own. */
export function* random(dimensions: number, seed: number): Generator<number[]> {
  const streams = Array.from({ length: dimensions }, (_, d) => new Rng(seed, 'sweep', 'random', d));
  for (;;) yield streams.map((rng) => rng.uniform());
}
