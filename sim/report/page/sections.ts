import { RESOURCES } from '../../../core/model.ts';
import type { Starvation } from '../../compare/align.ts';
import type { Comparison } from '../../result.ts';
import { barSpec } from '../charts/bars.ts';
import { forestPanels } from '../charts/forest.ts';
import { planeSpec } from '../charts/plane.ts';
import { allocationSpec, fleetSpec, forecastSpec, linesSpec } from '../charts/time.ts';
import { findings, leadStarvation, measureTitle } from '../finding.ts';
import { formatCount, formatLevel, formatNumber, formatPercent, formatTime } from '../format.ts';
import { isOracle, managedResources, RESOURCE_NAMES, violationRate } from '../measures.ts';
import type { PageSeries } from '../series.ts';
import { looksOf, type Spec } from '../theme.ts';
import { html, type Markup, raw } from './markup.ts';
import { glanceTable, policyName, provenanceTable } from './tables.ts';

/** A part of the page that the contents lead to. */
export interface Section {
  id: string;
  title: string;
  body: Markup;
}

export function section(id: string, title: string, body: Markup): Section {
  return {
    id,
    title,
    body: html`<section id="${id}" aria-labelledby="${id}-title"><h2 id="${id}-title">${title}</h2>${body}</section>`,
  };
}

function chart(name: string, label: string): Markup {
  return html`<div class="chart" data-chart="${name}" role="img" aria-label="${label}"></div>`;
}

function picker(
  id: string,
  label: string,
  options: readonly (readonly [value: string, text: string])[],
  chosen?: string,
): Markup {
  return html`<label for="pick-${id}">${label}<select id="pick-${id}" autocomplete="off">${options.map(
    ([value, text]) =>
      html`<option value="${value}"${raw(value === chosen ? ' selected' : '')}>${text}</option>`,
  )}</select></label>`;
}

function keyOf(comparison: Comparison): Markup {
  return html`<ul class="key" aria-label="Colours of the policies">${comparison.runs.map((run) => html`<li>${policyName(comparison, run.policy)}</li>`)}</ul>`;
}

export function headerOf(comparison: Comparison): Markup {
  const { name, description, version, runs, baseline } = comparison;
  const run = runs[0];
  const facts: (readonly [string, string])[] = run
    ? [
        ['Scored', `${formatTime(run.span.from)} to ${formatTime(run.span.to)} UTC`],
        ['VMs', `${formatCount(run.fleet.vms)} (${formatNumber(run.fleet.vmDays)} VM-days)`],
        [
          'Tick',
          `${formatNumber(run.span.tickMs / 60_000)} min, ${formatCount(run.span.warmupTicks)} for warm-up`,
        ],
        ['Seed', String(run.seed)],
        ['Backend', [...new Set(runs.map((r) => r.backend))].join(', ')],
        ['Version', version],
        ...(runs.length > 1 ? [['Baseline', baseline] as const] : []),
        ['Decisions', `${runs.length > 1 ? 'SHA-256 below' : run.decisions.sha256}`],
      ]
    : [];
  return html`<header>
<p class="kicker">Foresize ${runs.length > 1 ? `comparison of ${runs.length} policies` : 'run'}</p>
<h1>${name}</h1>
${description ? html`<p class="standfirst">${description}</p>` : null}
<div class="lead"><ul class="findings">${findings(comparison).map((sentence) => html`<li>${sentence}</li>`)}</ul>
<aside class="notice" aria-label="Notice"><p><strong>Simulated cost, not money saved.</strong> Every amount here is what a simulated fleet would have been charged under the scenario’s prices. It compares policies with one another; it does not tell what a bill will be.</p></aside></div>
<dl class="facts">${facts.map(([term, value]) => html`<div><dt>${term}</dt><dd>${value}</dd></div>`)}</dl>
</header>`;
}

export function planeSection(comparison: Comparison, charts: Record<string, Spec>): Section {
  const { runs, baseline, paired } = comparison;
  const lead = leadStarvation(comparison);
  const kinds: Starvation[] = (['any', ...managedResources(runs)] as const).filter((of) =>
    runs.some((run) => violationRate(run, of) !== null),
  );
  for (const of of kinds) {
    charts[`plane-${of}-wide`] = planeSpec(comparison, of, { width: 940, height: 440, fluid: true });
    charts[`plane-${of}-narrow`] = planeSpec(comparison, of, { width: 300, height: 380, fluid: true });
  }
  const name = (of: Starvation) => (of === 'any' ? 'any resource' : RESOURCE_NAMES[of]);
  const crosses =
    paired.length > 0
      ? ` Crosses are ${formatLevel(paired[0]!.level)} intervals of the paired difference from ${baseline}, which has none itself.`
      : '';
  return section(
    'plane',
    'Cost against violations',
    html`<p>Down and to the left is better: cheaper, and less time with demand above the allocation. The dotted steps join the policies that no other beats on both.</p>
<div class="pickers">${picker(
      'plane-of',
      'VM-time short of',
      kinds.map((of) => [of, name(of)] as const),
      lead,
    )}</div>
<figure>${chart('plane', `Cost per VM-day against the share of VM-time in violation, a point a policy. The figures are in the table “Every measure”.`)}
<figcaption>${crosses} Left of the dashed line a policy is cheaper than perfect foresight; it can only get there by leaving VMs short.</figcaption></figure>
${glanceTable(comparison)}`,
  );
}

export function differenceSection(comparison: Comparison, charts: Record<string, Spec>): Section {
  const panels = forestPanels(comparison, measureTitle);
  for (const panel of panels) charts[`forest-${panel.measure}`] = panel.spec;
  const { paired, baseline } = comparison;
  return section(
    'differences',
    `What differs from ${baseline}`,
    html`<p>Both policies met the same workload, VM by VM and day by day, so their differences are far sharper than their means. Points are differences, bars their ${formatLevel(paired[0]!.level)} intervals. A filled point: p < 0.05 after Holm’s correction over all ${paired.length} comparisons. Left of the line is better.</p>
<div class="panels">${panels.map(
      (panel) =>
        html`<figure><h3>${panel.title}</h3><p class="note">${panel.unit}</p>${chart(`forest-${panel.measure}`, `${panel.title}, difference from ${baseline} in ${panel.unit}. ${panel.summary}.`)}</figure>`,
    )}</div>`,
  );
}

export function vmSection(
  comparison: Comparison,
  vms: PageSeries['vms'],
  charts: Record<string, Spec>,
): Section | null {
  if (vms.length === 0) return null;
  charts['forecast'] = forecastSpec();
  charts['allocation'] = allocationSpec();
  const resources = RESOURCES.filter((r) => vms.some((vm) => vm.resources[r]));
  const policies = comparison.runs.map((run) => run.policy);
  // Begin with the policy that violates least among those whose forecast anyone could make.
  const of = leadStarvation(comparison);
  const forecasts = (policy: string) =>
    vms.some((vm) => Object.values(vm.resources).some((r) => r.policies[policy]?.median));
  const forecasting = comparison.runs
    .filter((run) => !isOracle(run.policy) && forecasts(run.policy))
    .sort((x, y) => (violationRate(x, of) ?? 0) - (violationRate(y, of) ?? 0))[0];
  return section(
    'one-vm',
    'One VM, forecast and granted',
    html`<div class="pickers">
${picker(
  'vm',
  'VM',
  vms.map((vm) => [vm.id, `${vm.id} (${vm.application})`] as const),
)}
${picker(
  'vm-policy',
  'Policy',
  policies.map((p) => [p, p] as const),
  forecasting?.policy,
)}
${picker(
  'vm-resource',
  'Resource',
  resources.map((r) => [r, RESOURCE_NAMES[r]] as const),
)}
${picker('vm-day', 'Day', [['all', 'all recorded']])}
</div><p class="note" id="vm-note" aria-live="polite"></p>
<figure><h3>What was forecast, and the demand that came, <span id="vm-unit"></span></h3>
${chart('forecast', 'Forecast band and actual demand of the chosen VM over time.')}
<figcaption>Solid line: demand. <span id="vm-forecast-note" aria-live="polite"></span> Red ticks along the foot: demand above the band.</figcaption></figure>
<figure><h3>What was granted, and what was wanted, <span id="vm-unit-2"></span></h3>
${chart('allocation', 'Allocation and demand of the chosen VM over time.')}
<figcaption>Line: allocation. Grey: demand. Red: demand above the allocation. <span id="vm-allocation-note" aria-live="polite"></span></figcaption></figure>`,
  );
}

export function fleetSection(comparison: Comparison, charts: Record<string, Spec>): Section | null {
  const { runs, baseline } = comparison;
  if (!runs.some((run) => run.timeline.at.length > 1)) return null;
  const looks = looksOf(runs, baseline);
  charts['fleet'] = fleetSpec(looks);
  charts['starved'] = linesSpec(looks, 180);
  charts['resizes'] = linesSpec(looks, 180);
  const resources = managedResources(runs);
  return section(
    'fleet',
    'The fleet over time',
    html`<div class="pickers">
${picker(
  'fleet-resource',
  'Resource',
  resources.map((r) => [r, RESOURCE_NAMES[r]] as const),
)}
${picker('fleet-policy', 'Bring forward', [['all', 'all policies'] as const, ...runs.map((run) => [run.policy, run.policy] as const)])}
</div>${keyOf(comparison)}
<figure><h3>Allocation against demand, all VMs, <span id="fleet-unit"></span></h3>
${chart('fleet', 'Allocation of the fleet by policy over time, against its demand.')}
<figcaption>Grey: demand. A fleet may hold enough in all while one of its VMs starves.</figcaption></figure>
<figure><h3>VMs short of something at any moment, % of VMs</h3>${chart('starved', 'Share of VMs starved of any resource over time, by policy.')}<figcaption>A VM counts even when it was short for seconds, as while a resize takes effect, so this is more than the share of time.</figcaption></figure>
<figure><h3>Churn, resizes per VM-day</h3>${chart('resizes', 'Resizes per VM-day over time, by policy.')}</figure>`,
  );
}

export function barsSection(comparison: Comparison, charts: Record<string, Spec>): Section {
  const resources = managedResources(comparison.runs);
  const panel = (kind: string, title: string, note: string, spec: Spec | null) => {
    if (!spec) return null;
    charts[kind] = spec;
    return html`<figure><h3>${title}</h3><p class="note">${note}</p>${chart(kind, `${title}, ${note}, by policy. The figures are in the table “Every measure”.`)}</figure>`;
  };
  const name = (r: (typeof resources)[number]) => RESOURCE_NAMES[r];
  return section(
    'slack',
    'Slack and churn',
    html`<p>Slack is what was granted and not needed: (allocation − p95 usage) / allocation, a mean over VM-days. Churn is what getting there took.</p>
<div class="panels small">${resources.map((r) =>
      panel(
        `slack-${r}`,
        `Slack, ${name(r)}`,
        'share of the allocation',
        barSpec(comparison, (m) => m.resources[r]?.slack ?? null, formatPercent),
      ),
    )}</div>
<div class="panels small">${resources.map((r) =>
      panel(
        `churn-${r}`,
        `Resizes, ${name(r)}`,
        'per VM-day',
        barSpec(
          comparison,
          (m) => m.resources[r]?.resizesPerVmDay ?? null,
          (x) => formatNumber(x),
        ),
      ),
    )}</div>`,
  );
}

export function methodSection({ paired, baseline }: Comparison): Section {
  const intervals =
    paired.length > 0
      ? html`<p>Differences are policy − ${baseline} over the same VM-days (common random numbers), as ratios of sums: a VM counts by the time it was seen. Intervals are bias-corrected and accelerated (BCa) bootstrap intervals over ${formatCount(paired[0]!.vms)} VMs, resampled with replacement, with blocks of days resampled within each; the two stages are balanced so that the days’ noise is not counted twice, and the tails are Student’s. p-values come from the same bootstrap and hold for all ${paired.length} comparisons at once (Holm). The intervals speak of other VMs like these over days like these; they do not cover another kind of workload, other prices or a mistaken simulator.</p>`
      : html`<p>A single run has nothing to be compared with: its figures carry no interval.</p>`;
  return section(
    'method',
    'How to read this',
    html`${intervals}
<p>The <em>violation rate</em> is the share of VM-time with demand above the allocation. <em>Demand</em> is what the workload would have used if nothing held it back; only a simulator knows it. <em>Perfect foresight</em> (the oracle) sees the demand to come and is the bound, not a policy anyone can run.</p>`,
  );
}

export function sourceSection(comparison: Comparison): Section {
  const yaml = comparison.scenarioYaml
    ? html`<details open><summary>Scenario, as it was resolved</summary><pre tabindex="0" aria-label="Scenario YAML"><code>${comparison.scenarioYaml}</code></pre></details>`
    : null;
  return section(
    'source',
    'What made it',
    html`<p>Result <code>${comparison.id}</code></p>${provenanceTable(comparison)}${yaml}`,
  );
}
