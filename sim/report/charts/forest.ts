import type { Comparison, PairedDifference } from '../../result.ts';
import { formatInterval, formatP, formatPercent, formatShare, formatSigned, NONE } from '../format.ts';
import { colorScale, haloText, looksOf, type Spec } from '../theme.ts';

/** One panel of the forest plot: all policies, one measure. */
export interface ForestPanel {
  measure: string;
  title: string;
  unit: string;
  /** What it says, for those who do not see it. */
  summary: string;
  spec: Spec;
}

/**
 * The paired differences, a panel a measure: cost in per cent of the baseline's, violations in percentage
 * points. A filled point stands for p < 0.05 after Holm's correction.
 */
export function forestPanels(comparison: Comparison, titleOf: (measure: string) => string): ForestPanel[] {
  const measures = [...new Set(comparison.paired.map((p) => p.measure))];
  return measures.map((measure) => {
    const paired = comparison.paired.filter((p) => p.measure === measure);
    const relative = measure === 'costPerVmDay' && paired.every((p) => p.relative !== null);
    const rows = paired.map((p) => rowOf(p, relative));
    const title = titleOf(measure);
    return {
      measure,
      title,
      unit: relative ? `per cent of ${comparison.baseline}` : 'percentage points of VM-time',
      summary: rows.map((r) => `${r.policy}: ${r.text}`).join('; '),
      spec: panelSpec(comparison, rows),
    };
  });
}

interface Row {
  policy: string;
  value: number;
  low: number;
  high: number;
  sure: boolean;
  text: string;
  p: string;
}

function rowOf(p: PairedDifference, relative: boolean): Row {
  const from = relative ? p.relative! : { value: p.difference, low: p.low, high: p.high };
  const interval = formatInterval(from.low, from.high, formatShare);
  const value = relative
    ? formatSigned(from.value, (x) => formatPercent(x))
    : formatSigned(from.value, (x) => formatShare(x));
  return {
    policy: p.policy,
    value: from.value * 100,
    low: (from.low ?? from.value) * 100,
    high: (from.high ?? from.value) * 100,
    sure: p.pHolm < 0.05,
    text: interval === NONE ? `${value}, no interval` : `${value} ${interval}`,
    p: formatP(p.pHolm),
  };
}

function panelSpec({ runs, baseline }: Comparison, rows: readonly Row[]): Spec {
  const looks = looksOf(runs, baseline);
  const color = { field: 'policy', type: 'nominal', scale: colorScale(looks), legend: null };
  const bounds = rows.flatMap((r) => [r.low, r.high, 0]);
  const low = Math.min(...bounds);
  const high = Math.max(...bounds);
  const pad = (high - low || 1) * 0.06;
  const y = {
    field: 'policy',
    type: 'nominal',
    sort: rows.map((r) => r.policy),
    axis: null,
  };
  const x = (field: string) => ({
    field,
    type: 'quantitative',
    scale: { domain: [low - pad, high + pad], nice: false, zero: false },
    axis: {
      title: null,
      tickCount: 4,
      labelExpr: "replace(format(datum.value, '+~g'), '+0', '0')",
      gridOpacity: 0.7,
    },
  });
  const tooltip = [
    { field: 'policy', type: 'nominal', title: 'Policy' },
    { field: 'text', type: 'nominal', title: `Difference from ${baseline}` },
    { field: 'p', type: 'nominal', title: 'Holm' },
  ];
  return {
    width: 'container',
    height: 46 * rows.length,
    data: { values: rows },
    layer: [
      {
        data: { values: [{ zero: 0 }] },
        mark: { type: 'rule', color: '@ink', strokeWidth: 1 },
        encoding: { x: x('zero') },
      },
      ...haloText(
        { align: 'left', baseline: 'bottom', x: 0, dy: -8, fontWeight: 600 },
        { encoding: { y, text: { field: 'policy' } } },
      ),
      ...haloText(
        { align: 'right', baseline: 'bottom', x: { expr: 'width' }, dy: -8, color: '@muted' },
        { encoding: { y, text: { field: 'text' } } },
      ),
      {
        mark: { type: 'rule', strokeWidth: 3, opacity: 0.5 },
        encoding: { y, x: x('low'), x2: { field: 'high' }, color, tooltip },
      },
      {
        transform: [{ filter: 'datum.sure' }],
        mark: { type: 'point', filled: true, size: 90, opacity: 1 },
        encoding: { y, x: x('value'), color, tooltip },
      },
      {
        transform: [{ filter: '!datum.sure' }],
        mark: { type: 'point', filled: true, size: 90, opacity: 1, fill: '@ground', strokeWidth: 2 },
        encoding: { y, x: x('value'), stroke: color, tooltip },
      },
    ],
  };
}
