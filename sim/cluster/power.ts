/**
 * Power of servers in W at 0, 10, ..., 100 % CPU load, as measured by SPECpower_ssj2008. The first two are Table I of
 * Beloglazov and Buyya (CCPE 2012); the others are the published results spec.org lists for these machines.
 */
export const POWER_TABLES = {
  'hp-ml110-g4': [86, 89.4, 92.6, 96, 99.5, 102, 106, 108, 112, 114, 117],
  'hp-ml110-g5': [93.7, 97, 101, 105, 110, 116, 121, 125, 129, 133, 135],
  'ibm-x3250-x3470': [41.6, 46.7, 52.3, 57.9, 65.4, 73, 80.7, 89.5, 99.6, 105, 113],
  'ibm-x3550-x5675': [58.4, 98, 109, 118, 128, 140, 153, 170, 189, 205, 222],
} as const satisfies Record<string, readonly number[]>;

export type PowerTableName = keyof typeof POWER_TABLES;

/** Steps between the eleven entries of a table. */
export const POWER_STEPS = 10;

export const JOULES_PER_KWH = 3_600_000;

/**
 * Power at a CPU load of 0..1, linear between the measured steps, W. A load outside is taken as the nearest end. Two
 * hosts on the same step rise alike, so that a placement by power is decided by the last bit: the operations and their
 * order are those of CloudSim 3.0.3's PowerModelSpecPower.
 */
export function powerAt(watts: ArrayLike<number>, load: number): number {
  const at = Math.min(1, Math.max(0, load));
  if (at % 0.1 === 0) return watts[Math.trunc(at * POWER_STEPS)]!;
  const below = Math.floor(at * POWER_STEPS);
  const low = watts[below]!;
  const slope = (watts[Math.ceil(at * POWER_STEPS)]! - low) / 10;
  return low + slope * (at - below / 10) * 100;
}

/**
 * Energy over an interval whose load goes from one value to another: the mean of the two powers times its length, J.
 * A host that was idle at the start was switched off and takes nothing (CCPE 2012, section 7).
 */
export function energyBetween(watts: ArrayLike<number>, from: number, to: number, seconds: number): number {
  if (from === 0) return 0;
  return ((powerAt(watts, from) + powerAt(watts, to)) / 2) * seconds;
}
