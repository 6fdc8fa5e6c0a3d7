/**
 * Jain's index of fairness, (sum x)^2 / (n sum x^2): 1 when all are served alike, 1/n when one has everything
 * (Jain, Chiu & Hawe, DEC TR-301, 1984).
 */
export function jainIndex(satisfaction: readonly number[]): number {
  let sum = 0;
  let squares = 0;
  for (const x of satisfaction) {
    sum += x;
    squares += x * x;
  }
  return squares === 0 ? 1 : (sum * sum) / (satisfaction.length * squares);
}
