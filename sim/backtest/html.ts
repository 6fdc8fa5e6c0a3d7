import { UNITS } from '../../core/model.ts';
import { formatNumber, formatP } from '../report/format.ts';
import { vegaScripts } from '../report/page/assets.ts';
import { html, type Markup, raw, scriptJson } from '../report/page/markup.ts';
import { styleSheet } from '../report/page/style.ts';
import { CHART_CONFIG, LIGHT, type Spec, themed } from '../report/theme.ts';
import { type ModelAccuracy, QUANTILES } from './accuracy.ts';
import type { AccuracyDifference } from './paired-accuracy.ts';
import { forecastPlot, type PlotInput } from './plot.ts';
import { type AccuracyTable, accuracyTables, cells, HEADS } from './table.ts';

export interface BacktestReport {
  readonly name: string;
  /** What was done, one sentence. */
  readonly setting: string;
  readonly version: string;
  readonly models: readonly ModelAccuracy[];
  readonly differences: readonly AccuracyDifference[];
  readonly plots: readonly PlotInput[];
}

/** The backtest as one HTML page that opens offline. */
export function backtestHtml(report: BacktestReport): string {
  const charts: Spec[] = [];
  const chart = (spec: Spec, label: string): Markup => {
    charts.push(themed(spec, LIGHT));
    return html`<div class="chart" id="chart-${charts.length - 1}" role="img" aria-label="${label}"></div>`;
  };
  const tables = accuracyTables(report.models).map((table) => resourceSection(table, report, chart));
  const plots = report.plots.map((plot) =>
    chart(forecastPlot(plot), `Forecasts of ${plot.vmId} by ${plot.model}`),
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light">
<title>${report.name} - forecasts - Foresize</title>
<link rel="icon" href="data:,">
<style>${raw(styleSheet())}
:root { color-scheme: light; }
.chart { background: #fff; padding: 8px; overflow-x: auto; }</style>
</head>
<body>
<main id="main">
<h1>${report.name}: rolling-origin backtest</h1>
<p>${report.setting}</p>
<p>Losses are in units of each VM's own mean step from one tick to the next (the scale of MASE), so that VMs of every
size count alike. Coverage is the share of actual values at or below the quantile. Differences are paired on the same
forecasts, with two-stage bootstrap intervals clustered by VM and Holm's correction.</p>
${tables}
${plots.length > 0 ? html`<section><h2>Some VMs</h2>${plots}</section>` : null}
</main>
<footer><p>Made by Foresize ${report.version}.</p></footer>
<script type="application/json" id="charts">${scriptJson(charts)}</script>
${vegaScripts().map((source) => html`<script>${raw(source)}</script>\n`)}
<script>JSON.parse(document.getElementById('charts').textContent).forEach(function (spec, i) {
  vegaEmbed('#chart-' + i, spec, { actions: false, renderer: 'svg' });
});</script>
</body>
</html>
`;
  return page.text;
}

function resourceSection(
  table: AccuracyTable,
  report: BacktestReport,
  chart: (spec: Spec, label: string) => Markup,
): Markup {
  const differences = report.differences.filter((d) => d.resource === table.resource);
  return html`<section>
<h2>${table.resource} (${UNITS[table.resource]})</h2>
<div class="scroll"><table>
<caption>Accuracy by model. p: pinball loss, c: coverage, fc: forecast of a VM over the whole horizon.</caption>
<thead><tr><th scope="col">model</th>${HEADS.map((head) => html`<th scope="col">${head}</th>`)}</tr></thead>
<tbody>${table.rows.map((row) => html`<tr><th scope="row">${row.model.model}</th>${cells(row).map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
</table></div>
${chart(lossSpec(table), `Pinball loss of ${table.resource} by model`)}
${chart(coverageSpec(table), `Coverage of ${table.resource} by model`)}
${differences.length > 0 ? differenceTable(differences) : null}
</section>`;
}

function differenceTable(differences: readonly AccuracyDifference[]): Markup {
  return html`<div class="scroll"><table>
<caption>Paired differences of the mean scaled loss; below 0 the model is better.</caption>
<thead><tr><th scope="col">model</th><th scope="col">against</th><th scope="col">measure</th><th scope="col">difference</th><th scope="col">interval</th><th scope="col">relative</th><th scope="col">p (Holm)</th></tr></thead>
<tbody>${differences.map(
    (d) =>
      html`<tr><th scope="row">${d.model}</th><td>${d.reference}</td><td>${d.measure}</td><td>${formatNumber(d.difference)}</td><td>${d.low === null || d.high === null ? 'one VM: none' : `${formatNumber(d.low)} to ${formatNumber(d.high)}`}</td><td>${(100 * d.relative).toFixed(1)} %</td><td>${formatP(d.pHolm)}</td></tr>`,
  )}</tbody></table></div>`;
}

const MODEL_AXIS = { field: 'model', type: 'nominal', title: null, sort: null };

function lossSpec({ rows }: AccuracyTable): Spec {
  const values = rows.flatMap(({ model, summary }) =>
    [0.9, 0.95].map((tau) => ({
      model: model.model,
      quantile: `quantile ${tau}`,
      loss: summary.pinball[QUANTILES.indexOf(tau as (typeof QUANTILES)[number])]!,
    })),
  );
  return {
    title: 'Mean pinball loss, in steps of the VM',
    data: { values },
    width: 620,
    mark: { type: 'bar', color: '@c0' },
    encoding: {
      y: MODEL_AXIS,
      x: { field: 'loss', type: 'quantitative', title: null },
      row: { field: 'quantile', type: 'nominal', title: null, header: { labelAngle: 0, labelAlign: 'left' } },
    },
    config: CHART_CONFIG,
  };
}

function coverageSpec({ rows }: AccuracyTable): Spec {
  const values = rows.flatMap(({ model, summary }) =>
    [0.9, 0.95, 0.99].map((tau) => ({
      model: model.model,
      nominal: 100 * tau,
      covered: 100 * summary.coverage[QUANTILES.indexOf(tau as (typeof QUANTILES)[number])]!,
    })),
  );
  return {
    title: 'Coverage of the .9, .95 and .99 quantiles, % (ticks: as promised)',
    data: { values },
    width: 620,
    layer: [
      {
        mark: { type: 'tick', color: '@muted', thickness: 2 },
        encoding: {
          y: MODEL_AXIS,
          x: { field: 'nominal', type: 'quantitative', scale: { zero: false }, title: null },
        },
      },
      {
        mark: { type: 'point', filled: true, size: 60, color: '@c0' },
        encoding: { y: MODEL_AXIS, x: { field: 'covered', type: 'quantitative' } },
      },
    ],
    config: CHART_CONFIG,
  };
}
