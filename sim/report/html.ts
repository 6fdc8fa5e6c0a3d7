import type { Advice } from '../../core/cost/recommendation.ts';
import { UNITS } from '../../core/model.ts';
import type { Comparison, RunResult } from '../result.ts';
import { asComparison } from './measures.ts';
import { adviceSection } from './page/advice.ts';
import { anomalySection } from './page/anomalies.ts';
import { inlineScript, vegaScripts } from './page/assets.ts';
import { type PageData, reportClient } from './page/client.ts';
import { hostSection } from './page/hosts.ts';
import { html, raw, scriptJson } from './page/markup.ts';
import {
  barsSection,
  differenceSection,
  fleetSection,
  headerOf,
  methodSection,
  planeSection,
  section,
  sourceSection,
  vmSection,
} from './page/sections.ts';
import { styleSheet } from './page/style.ts';
import { groupTable, measuresTable } from './page/tables.ts';
import { pageSeries } from './series.ts';
import { CHART_CONFIG, DARK, LIGHT, looksOf, type Spec } from './theme.ts';

/**
 * The comparison, or a single run, as one HTML page that opens offline: Vega and the data are inside, nothing is
 * fetched. The same result gives the same bytes.
 *
 * @param advice what the cost advisor found for the run
 * @throws ForesizeError REPORT_NO_VEGA when Vega is not installed.
 */
export function htmlReport(result: Comparison | RunResult, advice?: Advice): string {
  const comparison = asComparison(result);
  const charts: Record<string, Spec> = {};
  const series = pageSeries(comparison);
  const sections = [
    advice ? adviceSection(advice, charts) : null,
    planeSection(comparison, charts),
    comparison.paired.length > 0 ? differenceSection(comparison, charts) : null,
    vmSection(comparison, series.vms, charts),
    fleetSection(comparison, charts),
    barsSection(comparison, charts),
    hostSection(comparison),
    anomalySection(comparison, charts),
    section('measures', 'Every measure', html`${measuresTable(comparison)}`),
    section(
      'groups',
      'By application and by user',
      html`${groupTable(comparison, 'applications')}${groupTable(comparison, 'users')}`,
    ),
    methodSection(comparison),
    sourceSection(comparison),
  ].filter((s) => s !== null);
  const data: PageData = {
    themes: { light: LIGHT, dark: DARK },
    config: CHART_CONFIG,
    charts,
    looks: looksOf(comparison.runs, comparison.baseline),
    series,
    units: UNITS,
  };
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="Foresize ${comparison.version}">
<title>${comparison.name} – Foresize</title>
<link rel="icon" href="data:,">
<style>${raw(styleSheet())}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the charts</a>
${headerOf(comparison)}
<nav class="contents" aria-label="Contents"><ul>${sections.map((s) => html`<li><a href="#${s.id}">${s.title}</a></li>`)}</ul></nav>
<main id="main">${sections.map((s) => s.body)}</main>
<footer><p>Made by Foresize ${comparison.version}. Charts by Vega, Vega-Lite and Vega-Embed, © University of Washington Interactive Data Lab, BSD 3-clause licence, contained in this file.</p></footer>
<script type="application/json" id="report-data">${scriptJson(data)}</script>
${vegaScripts().map((source) => html`<script>${raw(source)}</script>\n`)}
<script>(${raw(inlineScript(reportClient.toString()))})(JSON.parse(document.getElementById('report-data').textContent));</script>
</body>
</html>
`;
  return page.text;
}
