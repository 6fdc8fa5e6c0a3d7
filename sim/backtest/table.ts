import { RESOURCES, type Resource } from '../../core/model.ts';
import { formatNumber } from '../report/format.ts';
import { type AccuracySummary, type ModelAccuracy, QUANTILES, summarize } from './accuracy.ts';
import type { AccuracyDifference } from './paired-accuracy.ts';

export interface AccuracyTable {
  readonly resource: Resource;
  readonly rows: readonly { readonly model: ModelAccuracy; readonly summary: AccuracySummary }[];
}

export function accuracyTables(models: readonly ModelAccuracy[]): AccuracyTable[] {
  return RESOURCES.flatMap((resource) => {
    const rows = models.flatMap((model) => {
      const summary = summarize(model, resource);
      return summary ? [{ model, summary }] : [];
    });
    return rows.length > 0 ? [{ resource, rows }] : [];
  });
}

/** The figures of a line, in the order of `HEADS`. */
export function cells({ model, summary }: AccuracyTable['rows'][number]): string[] {
  const at = (tau: number) => QUANTILES.indexOf(tau as (typeof QUANTILES)[number]);
  const percent = (share: number) => (100 * share).toFixed(1);
  return [
    formatNumber(summary.mase),
    ...[0.5, 0.9, 0.95, 0.99].map((tau) => formatNumber(summary.pinball[at(tau)]!)),
    ...[0.9, 0.95, 0.99].map((tau) => percent(summary.coverage[at(tau)]!)),
    formatNumber(summary.width),
    formatNumber(model.fitSeconds),
    formatNumber((1e6 * model.predictSeconds) / Math.max(1, model.forecasts)),
  ];
}

export const HEADS = [
  'MASE',
  'p.5',
  'p.9',
  'p.95',
  'p.99',
  'c.9 %',
  'c.95 %',
  'c.99 %',
  'width',
  'fit s',
  'us/fc',
] as const;

/** Tables for a terminal, one a resource, and the differences to the references below. */
export function terminalAccuracy(
  models: readonly ModelAccuracy[],
  differences: readonly AccuracyDifference[],
): string {
  const lines: string[] = [];
  const name = Math.max(...models.map((m) => m.model.length), 5) + 1;
  for (const { resource, rows } of accuracyTables(models)) {
    lines.push('', resource, `${'model'.padEnd(name)}${HEADS.map((h) => h.padStart(8)).join('')}`);
    for (const row of rows) {
      lines.push(
        `${row.model.model.padEnd(name)}${cells(row)
          .map((c) => c.padStart(8))
          .join('')}`,
      );
    }
    const shown = differences.filter(
      (d) => d.resource === resource && /pinball\.(0\.9|0\.95)$/.test(d.measure),
    );
    for (const d of shown) {
      lines.push(
        `  ${d.model} - ${d.reference}, ${d.measure}: ${percent(d.relative)} [${d.low === null ? '-' : formatNumber(d.low)}, ${d.high === null ? '-' : formatNumber(d.high)}]${d.pHolm < 0.05 ? '*' : ''}`,
      );
    }
  }
  lines.push(
    '',
    "p.q: mean pinball loss of quantile q, in units of the VM's mean step (as MASE). c.q: share of actual values at",
    'or below the quantile. width: of the 90 % interval. [..]: 95 % interval of the difference, clustered by VM;',
    "* p < 0.05 after Holm's correction.",
  );
  return lines.join('\n').trimStart();
}

function percent(share: number): string {
  return `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)} %`;
}
