/** What a candidate came to: objectives and how far it is beyond its limits; less is better. */
export interface Outcome {
  readonly objectives: readonly number[];
  /** Sum over the limits of the excess as a share of the limit; 0 when it keeps all. */
  readonly excess: number;
}

/**
 * Indices from best to worst: by the front they are on, and within a front the more solitary first, so that a cut
 * keeps the front's breadth (NSGA-II: Deb et al. 2002, non-dominated sorting, crowding distance and constrained
 * domination).
 */
export function rank(outcomes: readonly Outcome[]): number[] {
  let rest = outcomes.map((_, i) => i);
  const order: number[] = [];
  while (rest.length > 0) {
    const front = rest.filter((i) => !rest.some((j) => dominates(outcomes[j]!, outcomes[i]!)));
    const crowding = crowdingDistances(front.map((i) => outcomes[i]!.objectives));
    const sorted = front
      .map((i, k) => ({ i, distance: crowding[k]! }))
      .sort((a, b) => (a.distance === b.distance ? a.i - b.i : b.distance - a.distance));
    order.push(...sorted.map(({ i }) => i));
    rest = rest.filter((i) => !front.includes(i));
  }
  return order;
}

/** One that keeps its limits beats one that does not; else the lesser excess; else no worse in all, better in one. */
export function dominates(a: Outcome, b: Outcome): boolean {
  if (a.excess !== b.excess && (a.excess > 0 || b.excess > 0)) return a.excess < b.excess;
  let better = false;
  for (let k = 0; k < a.objectives.length; k++) {
    if (a.objectives[k]! > b.objectives[k]!) return false;
    if (a.objectives[k]! < b.objectives[k]!) better = true;
  }
  return better;
}

/** Sum over the objectives of the distance between a point's neighbours; infinite for the ends. */
function crowdingDistances(points: readonly (readonly number[])[]): number[] {
  const distance = points.map(() => 0);
  const objectives = points[0]?.length ?? 0;
  for (let k = 0; k < objectives; k++) {
    const order = points.map((_, i) => i).sort((a, b) => points[a]![k]! - points[b]![k]! || a - b);
    const span = points[order.at(-1)!]![k]! - points[order[0]!]![k]!;
    distance[order[0]!] = Number.POSITIVE_INFINITY;
    distance[order.at(-1)!] = Number.POSITIVE_INFINITY;
    if (!(span > 0)) continue;
    for (let i = 1; i < order.length - 1; i++) {
      distance[order[i]!]! += (points[order[i + 1]!]![k]! - points[order[i - 1]!]![k]!) / span;
    }
  }
  return distance;
}
