import { parseDuration } from '../../core/duration.ts';
import { exp } from '../../core/math.ts';
import { Rng } from '../../core/rng.ts';
import type { Grid } from './grid.ts';
import type { Population } from './population.ts';
import type { SharedIngredient } from './rows.ts';

export interface CrowdShape {
  readonly riseMs: number;
  readonly holdMs: number;
  readonly decayMs: number;
}

/** A crowd dwindles for this many time constants, to 0.03 %, and is then over. */
const FORGOTTEN = 8;

/**
 * Size of a crowd `ms` after its first visitors, relative to its peak: a steep rise, a time at the peak and an
 * exponential decay (the three phases of Ari et al., "Managing flash crowds on the Internet", MASCOTS 2003).
 */
export function crowdAt(ms: number, { riseMs, holdMs, decayMs }: CrowdShape): number {
  if (ms <= 0) return 0;
  if (ms < riseMs) return ms / riseMs;
  const gone = ms - riseMs - holdMs;
  if (gone <= 0) return 1;
  return gone < FORGOTTEN * decayMs ? exp(-gone / decayMs) : 0;
}

interface Stage {
  readonly rng: Rng;
  readonly shape: CrowdShape;
  readonly everyMs: number;
  /** Load at the peak of a mean crowd, relative to without it, less 1. */
  readonly extra: number;
  /** The next crowd's first visitors, ms from the start. */
  next: number;
  crowds: { readonly from: number; readonly extra: number }[];
}

/**
 * Flash crowds: they come to an application at exponential times, and all its users' VMs feel them at once, by
 * their burstiness. Each has its own size, 0.6 to 1.4 of the mean.
 */
export class FlashCrowds implements SharedIngredient {
  /** Per pair: its application, and how much its user feels a crowd. */
  readonly #application: Int32Array;
  readonly #burstiness: Float64Array;
  readonly #stepMs: number;
  readonly #stages: readonly (Stage | undefined)[];

  constructor(population: Population, grid: Grid, seed: number) {
    this.#application = Int32Array.from(population.pairs, ({ application }) => application);
    this.#burstiness = Float64Array.from(population.pairs, ({ traits }) => traits.burstiness);
    this.#stepMs = grid.stepMs;
    this.#stages = population.applications.map(({ id, ingredients: { flashCrowds } }) => {
      if (flashCrowds === 'none') return undefined;
      const rng = new Rng(seed, 'flash crowds', id);
      const everyMs = parseDuration(flashCrowds.every);
      const shape = {
        riseMs: parseDuration(flashCrowds.rise),
        holdMs: parseDuration(flashCrowds.hold),
        decayMs: parseDuration(flashCrowds.decay),
      };
      return { rng, shape, everyMs, extra: flashCrowds.peak - 1, next: rng.exponential(everyMs), crowds: [] };
    });
  }

  apply(t: number, factor: Float64Array): void {
    const now = (t + 0.5) * this.#stepMs;
    const sizes = this.#stages.map((stage) => (stage ? sizeOf(stage, now) : 0));
    if (sizes.every((size) => size === 0)) return;
    for (let p = 0; p < factor.length; p++) {
      factor[p]! *= 1 + sizes[this.#application[p]!]! * this.#burstiness[p]!;
    }
  }
}

function sizeOf(stage: Stage, now: number): number {
  while (stage.next <= now) {
    stage.crowds.push({ from: stage.next, extra: stage.extra * (0.6 + 0.8 * stage.rng.uniform()) });
    stage.next += stage.rng.exponential(stage.everyMs);
  }
  const { riseMs, holdMs, decayMs } = stage.shape;
  const longest = riseMs + holdMs + FORGOTTEN * decayMs;
  stage.crowds = stage.crowds.filter((crowd) => now - crowd.from < longest);
  return stage.crowds.reduce((sum, crowd) => sum + crowd.extra * crowdAt(now - crowd.from, stage.shape), 0);
}
