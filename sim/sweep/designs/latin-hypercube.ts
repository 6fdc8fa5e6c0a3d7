import { Rng } from '../../../core/rng.ts';

/**
 * A Latin hypercube (McKay, Beckman & Conover 1979): of `samples` points, each axis has one in every of its
 * `samples` equal parts, at a random place within the part.
 */
export function* latinHypercube(dimensions: number, samples: number, seed: number): Generator<number[]> {
  const columns = Array.from({ length: dimensions }, (_, d) => {
    const rng = new Rng(seed, 'sweep', 'latin-hypercube', d);
    const part = Array.from({ length: samples }, (_, i) => i);
    for (let i = samples - 1; i > 0; i--) {
      const j = rng.int(i + 1);
      [part[i], part[j]] = [part[j]!, part[i]!];
    }
    return part.map((p) => (p + rng.uniform()) / samples);
  });
  for (let i = 0; i < samples; i++) yield columns.map((column) => column[i]!);
}
