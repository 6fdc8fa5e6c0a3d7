import type { Resource } from '../../../core/model.ts';
import type { Comparison, Measures, RunResult } from '../../result.ts';
import { describeDifference, leadStarvation } from '../finding.ts';
import {
  formatCount,
  formatLevel,
  formatMoney,
  formatNumber,
  formatP,
  formatPercent,
  NONE,
} from '../format.ts';
import {
  bestRuns,
  costPerVmDay,
  fleetRows,
  isOracle,
  type MeasureRow,
  managedResources,
  RESOURCE_NAMES,
  resizesPerVmDay,
  resourceRows,
  violationRate,
} from '../measures.ts';
import { looksOf } from '../theme.ts';
import { html, type Markup, raw } from './markup.ts';

/** A policy's name with its dot of colour. */
export function policyName(comparison: Comparison, policy: string): Markup {
  const look = looksOf(comparison.runs, comparison.baseline).find((l) => l.policy === policy);
  const color = look ? look.color.slice(1) : 'muted';
  return html`<span class="dot" style="color: var(--${color})"></span> ${policy}`;
}

/** The few figures that decide, a line a policy, each difference with its interval and p. */
export function glanceTable(comparison: Comparison): Markup {
  const { runs, baseline, paired } = comparison;
  const of = leadStarvation(comparison);
  const resources = managedResources(runs);
  const difference = (run: RunResult, measure: string) => {
    if (paired.length === 0) return null;
    const p = paired.find((d) => d.policy === run.policy && d.measure === measure);
    const text = run.policy === baseline ? 'baseline' : p ? describeDifference(p) : NONE;
    return html`<td>${text}${p ? html`<span class="delta">${formatP(p.pHolm)}</span>` : null}</td>`;
  };
  const head = (text: string) => (paired.length > 0 ? html`<th scope="col">${text}</th>` : null);
  const short = of === 'any' ? 'something' : RESOURCE_NAMES[of];
  const caption =
    paired.length > 0
      ? `Differences from ${baseline} with ${formatLevel(paired[0]!.level)} intervals; p after Holm's correction. pp: percentage points of VM-time.`
      : 'Means of the scored time.';
  return scrolling(
    'The figures that decide',
    html`<table><caption><span>${caption}</span></caption><thead><tr><th scope="col">Policy</th><th scope="col">Cost per VM-day</th>${head('Difference')}<th scope="col">VM-time short of ${short}</th>${head('Difference')}${resources.slice(0, 2).map((r) => html`<th scope="col">Slack, ${RESOURCE_NAMES[r]}</th>`)}<th scope="col">Resizes per VM-day</th><th scope="col">OOM kills per VM-day</th></tr></thead><tbody>${runs.map(
      (run) =>
        html`<tr class="${isOracle(run.policy) ? 'oracle' : ''}"><th scope="row">${policyName(comparison, run.policy)}</th><td>${formatMoney(costPerVmDay(run.fleet), run.currency)}</td>${difference(run, 'costPerVmDay')}<td>${formatPercent(violationRate(run, of))}</td>${difference(run, `violationRate.${of}`)}${resources.slice(0, 2).map((r) => html`<td>${formatPercent(run.fleet.resources[r]?.slack)}</td>`)}<td>${formatNumber(resizesPerVmDay(run.fleet))}</td><td>${formatNumber(run.fleet.oomKillsPerVmDay)}</td></tr>`,
    )}</tbody></table>`,
  );
}

/** Every measure of every policy; differences from the baseline, with interval and p, where they were tested. */
export function measuresTable(comparison: Comparison): Markup {
  const { runs, baseline, paired } = comparison;
  const currency = runs[0]?.currency ?? '';
  const row = (measure: MeasureRow) => {
    const best = bestRuns(measure, runs);
    return html`<tr><th scope="row">${measure.label} ${measure.unit ? html`<span class="unit">${measure.unit}</span>` : null}</th>${runs.map(
      (run) => {
        const p =
          measure.paired && paired.find((d) => d.policy === run.policy && d.measure === measure.paired);
        const kind = best.has(run.policy) ? 'best' : isOracle(run.policy) ? 'oracle' : '';
        const mark = best.has(run.policy)
          ? raw('<span class="mark" aria-hidden="true">▾ </span><span class="unseen">least: </span>')
          : null;
        const delta = p
          ? html`<span class="delta">${describeDifference(p)}<br>${formatP(p.pHolm)}</span>`
          : null;
        return html`<td class="${kind}">${mark}${measure.format(measure.value(run.fleet, run))}${delta}</td>`;
      },
    )}</tr>`;
  };
  const group = (title: string, rows: readonly MeasureRow[]) =>
    html`<tbody><tr><th class="span" scope="rowgroup" colspan="${runs.length + 1}">${title}</th></tr>${rows.map(row)}</tbody>`;
  const caption =
    paired.length > 0
      ? `Under cost and violation rates: the difference from ${baseline} with its ${formatLevel(paired[0]!.level)} interval, and p after Holm's correction over all ${paired.length} comparisons. ▾ marks the least of a row, the oracle left out.`
      : 'Fleet totals and means of the scored time.';
  return scrolling(
    'Measures of every policy',
    html`<table><caption><span>${caption}</span></caption><thead><tr><th scope="col">Measure</th>${runs.map(
      (run) =>
        html`<th scope="col" class="${isOracle(run.policy) ? 'oracle' : ''}">${policyName(comparison, run.policy)}</th>`,
    )}</tr></thead>${group('All resources', fleetRows(currency))}${managedResources(runs).map((r) =>
      group(RESOURCE_NAMES[r][0]!.toUpperCase() + RESOURCE_NAMES[r].slice(1), resourceRows(r)),
    )}</table>`,
  );
}

/** Groups above which a table waits to be opened. */
const MANY = 4;

/** Groups a table shows at most: the page must stay small. */
const MOST = 40;

/** One line a policy and group (application or user). */
export function groupTable(comparison: Comparison, kind: 'applications' | 'users'): Markup {
  const { runs } = comparison;
  const resources = managedResources(runs);
  const all = [...new Set(runs.flatMap((run) => Object.keys(run[kind])))].sort();
  const vmsOf = (name: string) => Math.max(...runs.map((run) => run[kind][name]?.vms ?? 0));
  const names = all.toSorted((a, b) => vmsOf(b) - vmsOf(a)).slice(0, MOST);
  const one = kind === 'applications' ? 'application' : 'user';
  const body = names.map((name) => {
    const lines = runs.filter((run) => run[kind][name] !== undefined);
    const vms = lines[0]?.[kind][name]?.vms ?? 0;
    return html`<tbody><tr><th class="span" scope="rowgroup" colspan="${4 + 2 * resources.length}">${name} <span class="unit">${formatCount(vms)} VMs</span></th></tr>${lines.map((run) => groupLine(comparison, run, run[kind][name]!, resources))}</tbody>`;
  });
  if (names.length === 0) return html``;
  const table = scrolling(
    `Measures by ${one}`,
    html`<table><caption><span>The differences between policies were not tested within each ${one}: read them as description.${all.length > MOST ? ` The ${MOST} with the most VMs; the rest is in the JSON result.` : ''}</span></caption><thead>
<tr><td></td><td></td><th class="group" scope="colgroup" colspan="${resources.length}">Violation rate, of VM-time</th><th class="group" scope="colgroup" colspan="${resources.length}">Slack, of allocation</th><th class="group" scope="colgroup" colspan="2">Per VM-day</th></tr>
<tr><th scope="col">Policy</th><th scope="col">Cost per VM-day</th>${[0, 1].map(() => resources.map((r) => html`<th scope="col">${RESOURCE_NAMES[r]}</th>`))}<th scope="col">resizes</th><th scope="col">OOM kills</th></tr></thead>${body}</table>`,
  );
  return html`<details${raw(names.length <= MANY ? ' open' : '')}><summary>By ${one}: ${all.length}</summary>${table}</details>`;
}

function groupLine(
  comparison: Comparison,
  run: RunResult,
  m: Measures,
  resources: readonly Resource[],
): Markup {
  const cells = (value: (r: Resource) => number | undefined) =>
    resources.map((r) => html`<td>${formatPercent(value(r))}</td>`);
  return html`<tr class="${isOracle(run.policy) ? 'oracle' : ''}"><th scope="row">${policyName(comparison, run.policy)}</th><td>${formatMoney(costPerVmDay(m), run.currency)}</td>${cells((r) => m.resources[r]?.violationRate)}${cells((r) => m.resources[r]?.slack)}<td>${formatNumber(resizesPerVmDay(m))}</td><td>${formatNumber(m.oomKillsPerVmDay)}</td></tr>`;
}

/** Where each run came from: what another must match to be the same. */
export function provenanceTable(comparison: Comparison): Markup {
  return scrolling(
    'Provenance of every run',
    html`<table><caption><span>The same scenario, seed and version give the same decisions, byte for byte: the SHA-256 of the decision log.</span></caption>
<thead><tr><th scope="col">Policy</th><th scope="col">Decisions</th><th scope="col">Failed</th><th scope="col">Refused</th><th scope="col">VM-ticks</th><th scope="col">Backend</th><th scope="col">Decision SHA-256</th></tr></thead>
<tbody>${comparison.runs.map(
      (run) =>
        html`<tr><th scope="row">${policyName(comparison, run.policy)}</th><td>${formatCount(run.decisions.intents)}</td><td>${formatCount(run.decisions.failed)}</td><td>${formatCount(run.decisions.refused)}</td><td>${formatCount(run.vmTicks)}</td><td>${run.backend}</td><td class="hash"><code>${run.decisions.sha256}</code></td></tr>`,
    )}</tbody></table>`,
  );
}

/** A wide table scrolls inside its own frame, which the keyboard can reach. */
export function scrolling(label: string, table: Markup): Markup {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${table}</div>`;
}
