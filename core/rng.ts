import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { cosTurns, log } from './math.ts';

/** A 32-bit hash of a string (FNV-1a, finished by `mix`), for naming streams. */
export function hashString(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
}

/** The finaliser of MurmurHash3: a bijection on 32 bits. */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * A uniform number in [0, 1) that depends only on its arguments. Draws keyed by what they are for (VM, tick)
 * stay the same whatever a policy does in between: the common random numbers of a paired comparison.
 */
export function uniformAt(seed: number, a: number, b: number): number {
  const h = mix(mix(mix(seed ^ 0x9e3779b9) ^ a) + Math.imul(b, 0x9e3779b1));
  return h / 4294967296;
}

/** A named stream of random numbers. The same seed and names give the same stream, on every machine. */
export class Rng {
  readonly #next: () => number;
  #spare = Number.NaN;

  constructor(seed: number, ...names: readonly (string | number)[]) {
    let h = mix(seed | 0);
    for (const name of names) h = mix(h ^ (typeof name === 'number' ? mix(name | 0) : hashString(name)));
    const generator = xoroshiro128plus(h | 0);
    this.#next = () => generator.next();
  }

  /** 32 random bits as an unsigned integer. */
  bits(): number {
    return this.#next() >>> 0;
  }

  /** Uniform in [0, 1), 32 bits of resolution. */
  uniform(): number {
    return (this.#next() >>> 0) / 4294967296;
  }

  /** Uniform integer in [0, n). */
  int(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** Standard normal (Box and Muller 1958). */
  normal(): number {
    if (!Number.isNaN(this.#spare)) {
      const spare = this.#spare;
      this.#spare = Number.NaN;
      return spare;
    }
    const radius = Math.sqrt(-2 * log(1 - this.uniform()));
    const turn = this.uniform();
    this.#spare = radius * cosTurns(turn - 0.25);
    return radius * cosTurns(turn);
  }

  /** Exponential with the given mean. */
  exponential(mean: number): number {
    return -mean * log(1 - this.uniform());
  }
}
