import type { Comparison, Measures } from '../../result.ts';
import { colorScale, looksOf, type Spec } from '../theme.ts';

/** A bar a policy, the figure at its end. null when no run has a value. */
export function barSpec(
  { runs, baseline }: Comparison,
  value: (measures: Measures) => number | null,
  format: (x: number | null) => string,
): Spec | null {
  const rows = runs.flatMap((run) => {
    const x = value(run.fleet);
    return x === null ? [] : [{ policy: run.policy, x, end: Math.max(0, x), text: format(x) }];
  });
  if (rows.length === 0) return null;
  const looks = looksOf(runs, baseline);
  const most = Math.max(0, ...rows.map((r) => r.x));
  const least = Math.min(0, ...rows.map((r) => r.x));
  const y = {
    field: 'policy',
    type: 'nominal',
    sort: rows.map((r) => r.policy),
    axis: { title: null, labelLimit: 130, labelColor: '@ink' },
  };
  // A quarter of the width is left for the figure at the end of the longest bar.
  const x = {
    field: 'x',
    type: 'quantitative',
    scale: { domain: [least, most > least ? most + 0.33 * (most - least) : 1], nice: false },
    axis: null,
  };
  return {
    width: 'container',
    height: 24 * rows.length,
    data: { values: rows },
    layer: [
      {
        mark: { type: 'bar', height: 13, cornerRadiusEnd: 2 },
        encoding: {
          y,
          x,
          color: { field: 'policy', type: 'nominal', scale: colorScale(looks), legend: null },
          tooltip: [
            { field: 'policy', type: 'nominal', title: 'Policy' },
            { field: 'text', type: 'nominal', title: 'Value' },
          ],
        },
      },
      {
        mark: { type: 'text', align: 'left', dx: 6 },
        encoding: { y, x: { ...x, field: 'end' }, text: { field: 'text' } },
      },
    ],
  };
}
