import type { Interval } from '../../../core/interval.ts';

/** What an interval says of an index (slot x R); at rest where it does not list it. */
export function disturbance({ disturbed: d }: Interval, index: number) {
  const k = d.index.subarray(0, d.count).indexOf(index);
  if (k < 0) return { starved: 0, unmet: 0, dropped: 0, backlog: 0, stretch: 1, oomKills: 0 };
  return {
    starved: d.starved[k]!,
    unmet: d.unmet[k]!,
    dropped: d.dropped[k]!,
    backlog: d.backlog[k]!,
    stretch: d.stretch[k]!,
    oomKills: d.oomKills[k]!,
  };
}
