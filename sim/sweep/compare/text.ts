import {
  formatLevel,
  formatMoney,
  formatNumber,
  formatShare,
  formatSigned,
  NONE,
} from '../../report/format.ts';
import type { PairedDifference } from '../../result.ts';
import { textTable } from '../text.ts';
import type { ComparedConfiguration, SweepComparison } from './compare-sweep.ts';

/** Rows of the table of configurations; the rest are in the JSON. */
const MOST_ROWS = 40;

/** The comparison for a terminal: the front and what surrounds it, then what each axis explains. */
export function comparisonText(comparison: SweepComparison): string {
  const { configurations, baseline, level, replicates, incomplete } = comparison;
  const shown = pickRows(configurations, baseline);
  const withMargin = configurations.some(({ nonInferiority }) => nonInferiority !== null);
  const interval = `[${formatLevel(level)}]`;
  const table = textTable(
    [
      '',
      'configuration',
      'cost a VM-day',
      `Δ cost, % ${interval}`,
      'd',
      'p',
      'violated, %',
      `Δ violated, points ${interval}`,
      'd',
      'p',
      ...(withMargin ? ['no worse'] : []),
    ],
    shown.map((c) => {
      const cost = c.paired.find(({ measure }) => measure === 'costPerVmDay');
      const rate = c.paired.find(({ measure }) => measure === 'violationRate.any');
      return [
        c.front ? '*' : '',
        shortLabel(c),
        formatMoney(c.costPerVmDay, comparison.currency),
        c.label === baseline ? 'baseline' : relativeText(cost),
        effectText(cost),
        pText(cost),
        formatShare(c.violationRate),
        c.label === baseline ? 'baseline' : pointsText(rate),
        effectText(rate),
        pText(rate),
        ...(withMargin
          ? [c.nonInferiority === null ? '' : c.nonInferiority.holds ? 'yes' : 'not shown']
          : []),
      ];
    }),
  );
  const notes = [
    `${configurations.length} configurations on ${replicates.length} replicates, against ${baseline}; paired over the same VM-days, bootstrap`,
    "clustered by VM, p after Holm's correction over the whole table. * no other has less cost and less violation.",
    "d: mean of the VMs' own differences over their standard deviation, how alike they respond.",
    'Cost is simulated, not money saved. An oracle saw the demand to come: it is the bound, and never on the front.',
    ...(shown.length < configurations.length
      ? [`${configurations.length - shown.length} configurations off the front are left out; --json has all.`]
      : []),
    ...(incomplete.length > 0 ? [`${incomplete.length} configurations lack runs and are left out.`] : []),
  ];
  return `${comparison.name}\n\n${table}\n${notes.join('\n')}\n\n${sensitivityText(comparison)}`;
}

/** The front, the baseline, the oracles, and the cheapest of the rest. */
function pickRows(all: readonly ComparedConfiguration[], baseline: string): readonly ComparedConfiguration[] {
  const must = all.filter((c) => c.front || c.oracle || c.label === baseline);
  const rest = all.filter((c) => !must.includes(c)).slice(0, Math.max(0, MOST_ROWS - must.length));
  return all.filter((c) => must.includes(c) || rest.includes(c));
}

/** Without the path to the policy that the label names anyway. */
function shortLabel({ label, policy }: ComparedConfiguration): string {
  return label.replaceAll(`policies.${policy}.`, '');
}

function sensitivityText({ sensitivity, level }: SweepComparison): string {
  if (sensitivity.length === 0) return '';
  const rows = [...sensitivity]
    .sort((a, b) => Number(a.policy !== null) - Number(b.policy !== null) || b.share - a.share)
    .map((s) => [
      s.policy ?? 'all',
      s.policy === null ? s.axis : s.axis.replace(`policies.${s.policy}.`, ''),
      s.measure,
      `${formatShare(s.share)} [${formatShare(s.low)}, ${formatShare(s.high)}]`,
      s.correlation === null ? NONE : formatSigned(s.correlation, (x) => formatNumber(x, 2)),
      s.points,
    ]);
  return textTable(
    ['policy', 'axis', 'measure', `explains, % [${formatLevel(level)}]`, 'rank correlation', 'points'],
    rows,
  );
}

function relativeText(difference: PairedDifference | undefined): string {
  const relative = difference?.relative;
  if (!relative) return NONE;
  return `${percent(relative.value)} ${bounds(relative.low, relative.high, percent)}`;
}

function pointsText(difference: PairedDifference | undefined): string {
  if (!difference) return NONE;
  return `${percent(difference.difference)} ${bounds(difference.low, difference.high, percent)}`;
}

function bounds(low: number | null, high: number | null, format: (x: number) => string): string {
  return low === null || high === null ? '[no interval]' : `[${format(low)}, ${format(high)}]`;
}

function percent(x: number): string {
  return formatSigned(x, (y) => formatShare(y ?? null));
}

function effectText(difference: PairedDifference | undefined): string {
  return difference ? formatSigned(difference.effectSize, (x) => formatNumber(x, 2)) : '';
}

function pText(difference: PairedDifference | undefined): string {
  if (!difference) return '';
  return difference.pHolm < 0.001 ? '< 0.001' : formatNumber(difference.pHolm, 2);
}
