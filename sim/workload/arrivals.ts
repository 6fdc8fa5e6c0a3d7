import { DAY, parseDuration } from '../../core/duration.ts';
import { Rng } from '../../core/rng.ts';
import type { Size } from './ingredients.ts';

/** VMs that one tenant starts together. */
export interface Batch {
  /** ms from the workload's start; negative for VMs that were there before. */
  readonly atMs: number;
  /** Size of each VM; undefined where it is the application's to say. */
  readonly sizes: readonly (Size | undefined)[];
  /** Lifetime of each VM, ms; Infinity for one that outlives the workload. */
  readonly lifetimesMs: readonly number[];
}

/**
 * Batches in order of time, without end or until there are no more. Those from before 0 are the past whose
 * survivors make up the stock at the start, so that a workload begins in its steady state.
 */
export type ArrivalProcess = Iterator<Batch, void>;

/** An exponential lifetime is over after this many means, but for 1 in 3,000. */
const MEMORY = 8;

/** Single VMs at exponential times with exponential lifetimes: M/M/infinity, whose mean stock is rate x lifetime. */
export function* poissonArrivals(
  { perDay, lifetime }: { perDay: number; lifetime: string },
  seed: number,
): Generator<Batch, void> {
  const rng = new Rng(seed, 'arrivals', 'poisson');
  const meanMs = parseDuration(lifetime);
  let atMs = -MEMORY * meanMs;
  for (;;) {
    atMs += rng.exponential(DAY / perDay);
    yield { atMs, sizes: [undefined], lifetimesMs: [rng.exponential(meanMs)] };
  }
}
