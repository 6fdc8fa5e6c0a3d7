import type { Comparison, RunResult } from '../result.ts';
import {
  DETECTION_HEAD,
  detectionCells,
  detectionLines,
  detectionNote,
  responseText,
  watchedRuns,
} from './anomalies.ts';
import { CLUSTER_ROWS, hostRuns } from './cluster.ts';
import { describeDifference, findings, leadStarvation, measureTitle } from './finding.ts';
import {
  formatCount,
  formatLevel,
  formatMoney,
  formatNumber,
  formatP,
  formatPercent,
  formatTime,
  NONE,
} from './format.ts';
import {
  asComparison,
  bestRuns,
  costPerVmDay,
  fleetRows,
  type MeasureRow,
  managedResources,
  RESOURCE_NAMES,
  resizesPerVmDay,
  resourceRows,
  violationRate,
} from './measures.ts';

/** The comparison, or a single run, as Markdown with GitHub's tables. */
export function markdownReport(result: Comparison | RunResult): string {
  const comparison = asComparison(result);
  const { name, description, version, runs, paired } = comparison;
  const run = runs[0];
  const parts = [`# ${literal(name)}`];
  if (description) parts.push(literal(description));
  if (run)
    parts.push(
      `${formatCount(run.fleet.vms)} VMs, ${formatTime(run.span.from)} to ${formatTime(run.span.to)} UTC, seed ${run.seed}, backend ${[...new Set(runs.map((r) => r.backend))].join(', ')}, Foresize ${version}.`,
    );
  parts.push(
    findings(comparison)
      .map((sentence) => `- ${literal(sentence)}`)
      .join('\n'),
  );
  parts.push(
    '> Simulated cost, not money saved: the figures compare policies, they do not tell what a bill will be.',
  );
  parts.push(glance(comparison));
  if (paired.length > 0) parts.push('## Differences', differences(comparison));
  parts.push('## Measures', 'Bold: least of the row, the oracle left out.');
  parts.push(measures(comparison, 'All resources', fleetRows(run?.currency ?? '')));
  for (const r of managedResources(runs))
    parts.push(measures(comparison, RESOURCE_NAMES[r], resourceRows(r)));
  parts.push(hosts(comparison), anomalies(comparison));
  parts.push('## Decisions', decisions(comparison));
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function glance(comparison: Comparison): string {
  const { runs, baseline, paired } = comparison;
  const of = leadStarvation(comparison);
  const resources = managedResources(runs).slice(0, 2);
  const compared = paired.length > 0;
  const difference = (run: RunResult, measure: string) => {
    if (run.policy === baseline) return 'baseline';
    const p = paired.find((d) => d.policy === run.policy && d.measure === measure);
    return p ? describeDifference(p) : NONE;
  };
  const level = compared ? ` [${formatLevel(paired[0]!.level)} interval]` : '';
  return table(
    [
      'Policy',
      'Cost per VM-day',
      ...(compared ? [`Δ${level}`] : []),
      measureTitle(`violationRate.${of}`),
      ...(compared ? [`Δ${level}`] : []),
      ...resources.map((r) => `Slack, ${RESOURCE_NAMES[r]}`),
      'Resizes per VM-day',
      'OOM kills per VM-day',
    ],
    runs.map((run) => [
      run.policy,
      formatMoney(costPerVmDay(run.fleet), run.currency),
      ...(compared ? [difference(run, 'costPerVmDay')] : []),
      formatPercent(violationRate(run, of)),
      ...(compared ? [difference(run, `violationRate.${of}`)] : []),
      ...resources.map((r) => formatPercent(run.fleet.resources[r]?.slack)),
      formatNumber(resizesPerVmDay(run.fleet)),
      formatNumber(run.fleet.oomKillsPerVmDay),
    ]),
  );
}

function differences({ paired, baseline }: Comparison): string {
  const note = `Paired differences from ${literal(baseline)} over the same VM-days, with ${formatLevel(paired[0]!.level)} bootstrap intervals clustered by VM; p after Holm's correction over all ${paired.length}. pp: percentage points of VM-time.`;
  return `${note}\n\n${table(
    ['Policy', 'Measure', 'Difference', 'Holm', 'Effect size', 'VMs'],
    paired.map((p) => [
      p.policy,
      measureTitle(p.measure),
      describeDifference(p),
      formatP(p.pHolm),
      formatNumber(p.effectSize),
      formatCount(p.vms),
    ]),
    2,
  )}`;
}

function measures({ runs }: Comparison, title: string, rows: readonly MeasureRow[]): string {
  const head = title[0]!.toUpperCase() + title.slice(1);
  return table(
    [head, ...runs.map((run) => run.policy)],
    rows.map((row) => {
      const best = bestRuns(row, runs);
      const cells = runs.map((run) => {
        const text = row.format(row.value(run.fleet, run));
        return best.has(run.policy) ? `**${text}**` : text;
      });
      return [row.unit ? `${row.label}, ${row.unit}` : row.label, ...cells];
    }),
  );
}

function hosts({ runs }: Comparison): string {
  const having = hostRuns(runs);
  if (having.length === 0) return '';
  return `## Hosts\n\n${table(
    ['', ...having.map((run) => run.policy)],
    CLUSTER_ROWS.map(({ label, unit, text }) => [
      unit ? `${label}, ${unit}` : label,
      ...having.map((run) => text(run.cluster)),
    ]),
  )}`;
}

function anomalies({ runs }: Comparison): string {
  const watched = watchedRuns(runs);
  if (watched.length === 0) return '';
  const rows = watched.flatMap((run) =>
    detectionLines(run.anomalies).map(([name, of]) => [run.policy, name, ...detectionCells(of)]),
  );
  const responses = watched
    .map((run) => `- ${literal(run.policy)}: ${responseText(run.anomalies)}`)
    .join('\n');
  return `## Anomalies\n\n${detectionNote(watched[0]!.anomalies)}\n\n${table(['Policy', 'Kind', ...DETECTION_HEAD], rows, 2)}\n\nResponses:\n\n${responses}`;
}

function decisions({ runs }: Comparison): string {
  return table(
    ['Policy', 'Decisions', 'Failed', 'Refused', 'SHA-256'],
    runs.map(({ policy, decisions: d }) => [
      policy,
      formatCount(d.intents),
      formatCount(d.failed),
      formatCount(d.refused),
      `\`${d.sha256}\``,
    ]),
  );
}

/** The first `words` columns to the left, figures to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[], words = 1): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replace(/\|/g, '\\|')).join(' | ')} |`;
  const rule = head.map((_, i) => (i < words ? ':--' : '--:'));
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/** Text that Markdown must not read as markup. */
function literal(text: string): string {
  return text.replace(/[\\`*_<>[\]#]/g, '\\$&').replace(/\s+/g, ' ');
}
