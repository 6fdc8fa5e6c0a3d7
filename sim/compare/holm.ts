/**
 * Holm's step-down adjustment (1979): p-values that hold for all comparisons of a table at once. The k-th
 * smallest of m is multiplied by m - k + 1 (k from 1), and no adjusted value is below an earlier one.
 */
export function holm(pValues: readonly number[]): number[] {
  const m = pValues.length;
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]! || a - b);
  const adjusted = new Array<number>(m);
  let floor = 0;
  order.forEach((index, k) => {
    floor = Math.max(floor, Math.min(1, (m - k) * pValues[index]!));
    adjusted[index] = floor;
  });
  return adjusted;
}
