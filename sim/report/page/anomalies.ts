import type { Comparison } from '../../result.ts';
import {
  DETECTION_HEAD,
  detectionCells,
  detectionLines,
  detectionNote,
  responseText,
  type WatchedRun,
  watchedRuns,
} from '../anomalies.ts';
import { alarmSpec } from '../charts/alarms.ts';
import type { Spec } from '../theme.ts';
import { html, type Markup } from './markup.ts';
import { type Section, section } from './sections.ts';
import { policyName, scrolling } from './tables.ts';

/** Charts over time of at most so many policies: their alarms are much alike. */
const CHARTS = 2;
/** Alarms that are written out. */
const WRITTEN = 12;

/** How well anomalies were found, and what was done; null where nobody looked for them. */
export function anomalySection(comparison: Comparison, charts: Record<string, Spec>): Section | null {
  const runs = watchedRuns(comparison.runs);
  if (runs.length === 0) return null;
  return section(
    'anomalies',
    'Anomalies',
    html`<p>${detectionNote(runs[0]!.anomalies)}</p>${detectionTable(comparison, runs)}${runs
      .slice(0, CHARTS)
      .map((run, k) => timeline(run, k, charts))}${runs.slice(0, 1).map(words)}`,
  );
}

function detectionTable(comparison: Comparison, runs: readonly WatchedRun[]): Markup {
  return scrolling(
    'Detection of anomalies by policy and kind',
    html`<table><caption><span>Responses: a raise provides for more, an isolation caps disk and network, for a while.</span></caption><thead><tr><th scope="col">Kind</th>${DETECTION_HEAD.map((text) => html`<th scope="col">${text}</th>`)}</tr></thead>${runs.map(
      (run) =>
        html`<tbody><tr><th class="span" scope="rowgroup" colspan="${DETECTION_HEAD.length + 1}">${policyName(comparison, run.policy)} <span class="unit">responses: ${responseText(run.anomalies)}</span></th></tr>${detectionLines(
          run.anomalies,
        ).map(
          ([name, of]) =>
            html`<tr><th scope="row">${name}</th>${detectionCells(of).map((cell) => html`<td>${cell}</td>`)}</tr>`,
        )}</tbody>`,
    )}</table>`,
  );
}

function timeline(run: WatchedRun, k: number, charts: Record<string, Spec>): Markup | null {
  const spec = alarmSpec(run);
  if (!spec) return null;
  charts[`alarms-${k}`] = spec;
  return html`<figure><h3>What happened and what was told, some VMs, under ${run.policy}</h3>
<div class="chart" data-chart="alarms-${k}" role="img" aria-label="Injected anomalies and alarms of some VMs over time. The figures are in the table above."></div>
<figcaption>Wide bars: anomalies that were injected, red-rimmed where missed. Lines within: alarms, green where true, red where false, amber where excused.</figcaption></figure>`;
}

function words(run: WatchedRun): Markup | null {
  const alarms = run.anomalies.alarms.slice(0, WRITTEN);
  if (alarms.length === 0) return null;
  return html`<details><summary>The first ${alarms.length} alarms under ${run.policy}, in words</summary><ul class="findings">${alarms.map(
    (alarm) =>
      html`<li>${alarm.vmId}, tick ${alarm.raised}: ${alarm.explanation} <span class="note">(${alarm.severity}, ${alarm.verdict})</span></li>`,
  )}</ul></details>`;
}
