import { exp, normalQuantile } from '../../core/math.ts';
import { hashString, mix } from '../../core/rng.ts';

/**
 * Random numbers by name. A draw is a hash of who it is for (a 32-bit key) and when, so that a VM's demand is the
 * same whichever other VMs there are, in whatever order they are asked. One hash, one multiplication and one
 * table look-up make a normal number: about as cheap as randomness gets.
 */

/** Key of a named thing: `keyOf(seed, 'vm', id)`. */
export function keyOf(seed: number, ...names: readonly string[]): number {
  let h = mix(seed | 0);
  for (const name of names) h = mix(h ^ hashString(name));
  return h;
}

/**
 * Key of interval t for one purpose, made once a tick and then mixed with each VM's key. Whitening t first keeps
 * two VMs from seeing the same sequence at different times.
 */
export function tickKey(t: number, purpose: number): number {
  return mix(Math.imul(t + 1, 0x9e3779b1) ^ purpose);
}

/** Uniform in [0, 1) from a key, for one purpose. */
export function uniformOf(key: number, purpose: number): number {
  return mix(key ^ purpose) / 4294967296;
}

/** Standard normal from a key, for one purpose. */
export function normalOf(key: number, purpose: number): number {
  return NORMAL[mix(key ^ purpose) >>> 20]!;
}

/**
 * 4,096 equally likely standard normal values: look up by 12 bits of a hash. The mid-quantiles, scaled to a
 * variance of exactly 1; they end at 3.7, and the smooth noise made of them has tails close to normal.
 */
export const NORMAL: Float64Array = (() => {
  const n = 4096;
  const table = new Float64Array(n);
  let squares = 0;
  for (let i = 0; i < n; i++) {
    const z = normalQuantile((i + 0.5) / n);
    table[i] = z;
    squares += z * z;
  }
  const scale = Math.sqrt(n / squares);
  for (let i = 0; i < n; i++) table[i]! *= scale;
  return table;
})();

const EXP_STEPS = 64;
const EXP_RANGE = 16;
const EXP: Float64Array = (() => {
  const table = new Float64Array(2 * EXP_RANGE * EXP_STEPS + 1);
  for (let i = 0; i < table.length; i++) table[i] = exp(i / EXP_STEPS - EXP_RANGE);
  return table;
})();

/** e^x to 1e-9 relative for |x| < 16, beyond which x counts as 16: a look-up and a short Taylor series. */
export function fastExp(x: number): number {
  const clipped = Math.min(EXP_RANGE, Math.max(-EXP_RANGE, x));
  const i = Math.floor((clipped + EXP_RANGE) * EXP_STEPS + 0.5);
  const rest = clipped + EXP_RANGE - i / EXP_STEPS;
  return EXP[i]! * (1 + rest * (1 + rest * (0.5 + rest * (1 / 6))));
}
