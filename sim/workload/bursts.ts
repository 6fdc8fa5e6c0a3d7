import { parseDuration } from '../../core/duration.ts';
import { exp } from '../../core/math.ts';
import { grown } from '../../core/model.ts';
import { hashString, mix } from '../../core/rng.ts';
import type { Grid } from './grid.ts';
import type { Population } from './population.ts';
import { tickKey, uniformOf } from './random.ts';
import type { Ingredient, Rows } from './rows.ts';

const STEP = hashString('bursts');
const START = hashString('bursts start');

/**
 * Markov-modulated bursts: each VM is quiet or in a burst, and changes over at exponential times (a two-state
 * continuous-time Markov chain, seen at the ticks; Fischer and Meier-Hellstern 1993 for the process it modulates).
 * With mean quiet time q and mean length b it is in a burst b / (q + b) of the time. Each burst draws its own
 * height: 1 + (height - 1) x burstiness of the user x a uniform number from 0.5 to 1.5.
 */
export class Bursts implements Ingredient {
  readonly #rows: Rows;
  /** Per pair: chance a tick that a burst begins, that it ends, that a new VM is in one; height less 1. */
  readonly #begin: Float64Array;
  readonly #end: Float64Array;
  readonly #share: Float64Array;
  readonly #height: Float64Array;
  /** 1 in quiet times, else the height of the burst. */
  #factor = new Float64Array(0);

  constructor({ applications, pairs }: Population, rows: Rows, grid: Grid) {
    this.#rows = rows;
    const [begin, end, share, height] = [0, 1, 2, 3].map(() => new Float64Array(pairs.length));
    pairs.forEach(({ application, traits }, p) => {
      const { bursts } = applications[application]!.ingredients;
      if (bursts === 'none') return;
      const quiet = parseDuration(bursts.every);
      const lasts = parseDuration(bursts.lasts);
      const busy = lasts / (quiet + lasts);
      // Exact for a step of any length: memory of the state decays with rate 1 / quiet + 1 / lasts.
      const forget = 1 - exp(-grid.stepMs * (1 / quiet + 1 / lasts));
      begin![p] = busy * forget;
      end![p] = (1 - busy) * forget;
      share![p] = busy;
      height![p] = (bursts.height - 1) * traits.burstiness;
    });
    this.#begin = begin!;
    this.#end = end!;
    this.#share = share!;
    this.#height = height!;
  }

  grow(capacity: number): void {
    this.#factor = grown(this.#factor, capacity);
  }

  admit(row: number): void {
    const u = uniformOf(this.#rows.key[row]!, START);
    const p = this.#rows.pair[row]!;
    this.#factor[row] = u < this.#share[p]! ? this.#draw(p, u / this.#share[p]!) : 1;
  }

  apply(t: number, load: Float64Array): void {
    const { high, pair, key } = this.#rows;
    const begin = this.#begin;
    const end = this.#end;
    const factor = this.#factor;
    const now = tickKey(t, STEP);
    for (let row = 0; row < high; row++) {
      const p = pair[row]!;
      const u = mix(key[row]! ^ now) / 4294967296;
      if (factor[row] === 1) {
        // A uniform number known to be below b is, divided by b, a uniform number once more.
        if (u < begin[p]!) factor[row] = this.#draw(p, u / begin[p]!);
      } else if (u < end[p]!) factor[row] = 1;
      load[row]! *= factor[row]!;
    }
  }

  #draw(pair: number, u: number): number {
    // The least bit above 1 keeps a burst of no height apart from quiet.
    return 1 + Math.max(Number.EPSILON, this.#height[pair]! * (0.5 + u));
  }
}
