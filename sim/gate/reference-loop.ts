const VALUES = 16_384;
const ROUNDS = 400;
/** Columns begin at different offsets within a page: at equal ones they would wait for each other, or not, by chance. */
const STAGGER = 320;

/**
 * The yardstick of timings: a fixed piece of work of the simulator's kind, typed-array columns read and written with
 * a few comparisons an entry. Whatever machine it runs on, a simulation takes about so many times as long.
 * @returns a number that depends on all of it, so that nothing is optimised away
 */
export function referenceLoop(): number {
  const bytes = VALUES * 8 + STAGGER;
  const buffer = new ArrayBuffer(3 * bytes);
  const column = (k: number) => new Float64Array(buffer, k * bytes, VALUES);
  const demand = column(0);
  const allocation = column(1).fill(1);
  const starved = column(2);
  for (let i = 0; i < VALUES; i++) demand[i] = 0.5 + (i % 97) / 97;
  let used = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const swing = 1 + ((round * 7) % 13) / 26;
    for (let i = 0; i < VALUES; i++) {
      const d = demand[i]! * swing;
      const a = allocation[i]!;
      const usage = Math.min(d, a);
      used += usage;
      if (d > a) starved[i] = starved[i]! + d - a;
      if (d > 1.2 * a || d < 0.8 * a) allocation[i] = d;
    }
  }
  return used + starved[VALUES - 1]!;
}
