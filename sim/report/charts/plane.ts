import type { Starvation } from '../../compare/align.ts';
import { paretoFront } from '../../compare/pareto.ts';
import type { Comparison, PairedDifference } from '../../result.ts';
import { describeDifference } from '../finding.ts';
import { formatMoney, formatPercent, NONE } from '../format.ts';
import { costPerVmDay, isOracle, RESOURCE_NAMES, violationRate } from '../measures.ts';
import { colorScale, haloText, looksOf, type Spec } from '../theme.ts';
import { placeLabels } from './labels.ts';

interface Point {
  policy: string;
  cost: number;
  /** Per cent of VM-time. */
  violation: number;
  costLow: number;
  costHigh: number;
  violationLow: number;
  violationHigh: number;
  oracle: boolean;
  front: boolean;
  tooltip: Record<string, string>;
}

/**
 * Cost against violations, a point a policy, with crosses for the intervals of the differences from the
 * baseline, the front of policies none of which beats another, and the cost of perfect foresight as the bound.
 * `size` is the plot in pixels the labels are placed for; `fluid` lets the width follow the page.
 */
export function planeSpec(
  comparison: Comparison,
  of: Starvation,
  size: { width: number; height: number; fluid: boolean },
): Spec {
  const { runs, baseline } = comparison;
  const currency = runs[0]?.currency ?? '';
  const looks = looksOf(runs, baseline);
  const points = pointsOf(comparison, of);
  const oracle = points.find((p) => p.oracle);
  const x = paddedDomain(points.flatMap((p) => [p.costLow, p.costHigh, p.cost]));
  const yMax = Math.max(0.1, ...points.flatMap((p) => [p.violation, p.violationHigh])) * 1.18;
  const root = wantsRoot(points);
  const yScale = root ? { type: 'sqrt', domain: [0, yMax], nice: false } : { domain: [0, yMax], nice: false };
  const px = (cost: number) => ((cost - x[0]) / (x[1] - x[0])) * size.width;
  const py = (v: number) => (1 - (root ? Math.sqrt(v / yMax) : v / yMax)) * size.height;
  const placed = placeLabels(
    points.map((p) => ({
      x: px(p.cost),
      y: py(p.violation),
      text: p.policy,
      reach: { x0: px(p.costLow), x1: px(p.costHigh), y0: py(p.violationHigh), y1: py(p.violationLow) },
    })),
    size.width,
    size.height,
    oracle ? [{ x0: px(oracle.cost), x1: px(oracle.cost) + 160, y0: 0, y1: 18 }] : [],
  );
  const rows = points.map((p, i) => ({ ...p, ...placed[i] }));
  const what = of === 'any' ? 'any resource' : RESOURCE_NAMES[of];

  const X = (field: string) => ({
    field,
    type: 'quantitative',
    scale: { domain: x, zero: false, nice: false },
    axis: {
      title: `Cost per VM-day (${currency}, simulated)`,
      grid: false,
      tickCount: Math.max(3, Math.floor(size.width / 110)),
      labelFlush: true,
    },
  });
  const Y = (field: string) => ({
    field,
    type: 'quantitative',
    scale: yScale,
    axis: {
      title: `VM-time short of ${what}${root ? ' (square-root scale)' : ''}`,
      titleAngle: 0,
      titleAlign: 'left',
      titleAnchor: 'end',
      titleX: 0,
      titleY: -18,
      titleBaseline: 'bottom',
      tickCount: 6,
      labelExpr: "format(datum.value, '~g') + ' %'",
    },
  });
  const color = { field: 'policy', type: 'nominal', scale: colorScale(looks), legend: null };

  const layer: Spec[] = [];
  if (oracle) {
    layer.push(
      {
        data: { values: [{ from: x[0], to: oracle.cost }] },
        mark: { type: 'rect', color: '@oracle', opacity: 0.1 },
        encoding: { x: X('from'), x2: { field: 'to' } },
      },
      {
        data: { values: [{ at: oracle.cost }] },
        mark: { type: 'rule', color: '@oracle', strokeDash: [4, 3] },
        encoding: { x: X('at') },
      },
      ...haloText(
        { align: 'left', dx: 6, y: 8, color: '@muted', fontStyle: 'italic' },
        {
          data: {
            values: [{ at: oracle.cost, text: `perfect foresight ${formatMoney(oracle.cost, currency)}` }],
          },
          encoding: { x: X('at'), text: { field: 'text' } },
        },
      ),
    );
  }
  if (rows.filter((r) => r.front).length > 1)
    layer.push({
      transform: [{ filter: 'datum.front' }],
      mark: { type: 'line', interpolate: 'step-after', color: '@muted', strokeDash: [2, 3], strokeWidth: 1 },
      encoding: { x: X('cost'), y: Y('violation'), order: { field: 'cost', type: 'quantitative' } },
    });
  layer.push(
    {
      mark: { type: 'rule', strokeWidth: 2, opacity: 0.55 },
      encoding: { x: X('costLow'), x2: { field: 'costHigh' }, y: Y('violation'), color },
    },
    {
      mark: { type: 'rule', strokeWidth: 2, opacity: 0.55 },
      encoding: { x: X('cost'), y: Y('violationLow'), y2: { field: 'violationHigh' }, color },
    },
    {
      mark: { type: 'point', filled: true, size: 130, opacity: 1, stroke: '@ground', strokeWidth: 1.5 },
      encoding: {
        x: X('cost'),
        y: Y('violation'),
        color,
        shape: {
          field: 'policy',
          type: 'nominal',
          scale: { domain: looks.map((l) => l.policy), range: looks.map((l) => l.shape) },
          legend: null,
        },
        tooltip: Object.keys(points[0]?.tooltip ?? {}).map((name) => ({
          field: `tooltip.${name}`,
          type: 'nominal',
          title: name,
        })),
      },
    },
    ...haloText(
      {
        fontSize: 13,
        fontWeight: 600,
        align: { expr: 'datum.align' },
        dx: { expr: 'datum.dx' },
        dy: { expr: 'datum.dy' },
        baseline: 'middle',
      },
      { encoding: { x: X('cost'), y: Y('violation'), text: { field: 'policy' } } },
    ),
  );
  return {
    width: size.fluid ? 'container' : size.width,
    height: size.height,
    data: { values: rows },
    layer,
  };
}

function pointsOf({ runs, paired, baseline }: Comparison, of: Starvation): Point[] {
  const points = runs.flatMap((run): Point[] => {
    const cost = costPerVmDay(run.fleet);
    const share = violationRate(run, of);
    if (cost === null || share === null) return [];
    const find = (measure: string) => paired.find((p) => p.policy === run.policy && p.measure === measure);
    const dCost = find('costPerVmDay');
    const dViolation = find(`violationRate.${of}`);
    const at = (p: PairedDifference | undefined, bound: 'low' | 'high', value: number) =>
      p?.[bound] === null || p === undefined ? value : p.baselineMean + p[bound]!;
    // In per cent of the baseline: VMs differ in size, and money alone would show that and not the policies.
    const relative = (p: PairedDifference | undefined, bound: 'low' | 'high', value: number) => {
      const share = p?.relative?.[bound] ?? null;
      return share === null ? value : p!.baselineMean * (1 + share);
    };
    const money = (x: number) => formatMoney(x, run.currency);
    return [
      {
        policy: run.policy,
        cost,
        violation: share * 100,
        costLow: relative(dCost, 'low', cost),
        costHigh: relative(dCost, 'high', cost),
        violationLow: Math.max(0, at(dViolation, 'low', share) * 100),
        violationHigh: at(dViolation, 'high', share) * 100,
        oracle: isOracle(run.policy),
        front: false,
        tooltip: {
          Policy: run.policy === baseline && runs.length > 1 ? `${run.policy} (baseline)` : run.policy,
          'Cost per VM-day': money(cost),
          ...(paired.length > 0 && { 'Cost, difference': dCost ? describeDifference(dCost) : NONE }),
          'VM-time short': formatPercent(share),
          ...(paired.length > 0 && {
            'VM-time short, difference': dViolation ? describeDifference(dViolation) : NONE,
          }),
        },
      },
    ];
  });
  const rivals = points.filter((p) => !p.oracle);
  for (const i of paretoFront(rivals.map((p) => ({ x: p.cost, y: p.violation })))) rivals[i]!.front = true;
  return points;
}

/** One policy far above the rest would press them flat: then the scale is by square root, and says so. */
function wantsRoot(points: readonly Point[]): boolean {
  const shares = points.map((p) => p.violation).sort((a, b) => a - b);
  const median = shares[Math.floor(shares.length / 2)] ?? 0;
  return (shares.at(-1) ?? 0) > 4 * median;
}

function paddedDomain(values: readonly number[]): [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const pad = high > low ? (high - low) * 0.08 : Math.max(0.1 * Math.abs(high), 0.01);
  return [Math.max(0, low - pad), high + pad];
}
