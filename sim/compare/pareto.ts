/**
 * Indices of the points that no other point beats: another beats it when it is no worse in both and better in
 * one (less is better in both). By rising `x`. Equal points all stay; points with a NaN never enter.
 */
export function paretoFront(points: readonly { x: number; y: number }[]): number[] {
  const order = points
    .map((_, i) => i)
    .filter((i) => !Number.isNaN(points[i]!.x) && !Number.isNaN(points[i]!.y))
    .sort((a, b) => points[a]!.x - points[b]!.x || points[a]!.y - points[b]!.y || a - b);
  const front: number[] = [];
  let best = Number.POSITIVE_INFINITY;
  let bestX = Number.NaN;
  for (const i of order) {
    const { x, y } = points[i]!;
    if (y < best || (y === best && x === bestX)) {
      front.push(i);
      best = y;
      bestX = x;
    }
  }
  return front;
}
