import { evidenceOf, riskOf, savingOf } from '../../../core/cost/describe.ts';
import type { Advice, Recommendation } from '../../../core/cost/recommendation.ts';
import { savingsSpec } from '../charts/savings.ts';
import { formatLevel, formatNumber, formatPercent, formatSigned } from '../format.ts';
import type { Spec } from '../theme.ts';
import { html, type Markup } from './markup.ts';
import { type Section, section } from './sections.ts';

/** What the advisor found: a picture of the savings, a table, and what was held back with the reason. */
export function adviceSection(advice: Advice, charts: Record<string, Spec>): Section {
  const { recommendations, withheld, combined, notes } = advice;
  const spec = savingsSpec(advice);
  if (spec) charts['savings'] = spec;
  const label = recommendations.map((r) => `${r.id}: ${savingOf(r.effect, advice)}`).join('; ');
  return section(
    'advice',
    'What would cost less',
    html`<p>Each recommendation was replayed on the recorded ${formatNumber(advice.span.days)} days, with everything else the same. Points are what the replay saved a month, bars the ${formatLevel(advice.level)} intervals over days. Simulated cost, not money saved.</p>
${spec ? html`<figure>${html`<div class="chart" data-chart="savings" role="img" aria-label="Saving a month of each recommendation. ${label}."></div>`}</figure>` : html`<p>Nothing pays without breaking something.</p>`}
${recommendations.length > 0 ? adviceTable(advice) : null}
${combined ? html`<p><strong>Together</strong>, ${combined.ids.length} of ${recommendations.length} save ${savingOf(combined.effect, advice)} a month: effects do not add up. ${riskOf(combined)}</p>` : null}
${withheld.length > 0 ? withheldList(withheld) : null}
${notes.map((note) => html`<p class="note">${note}</p>`)}`,
  );
}

function adviceTable(advice: Advice): Markup {
  const row = (r: Recommendation) =>
    html`<tr><th scope="row"><code>${r.id}</code> <span class="unit">${r.subject}</span></th><td>${savingOf(r.effect, advice)}</td><td>${r.effect.violation ? formatSigned(r.effect.violation.value, (x) => formatPercent(x)) : '–'}</td><td style="text-align: left; white-space: normal">${r.reason}<span class="delta">${evidenceOf(r, advice)} ${riskOf(r)}</span></td></tr>`;
  return html`<div class="scroll" role="region" aria-label="Recommendations" tabindex="0"><table><caption><span>Ranked by the saving the replay measured.</span></caption><thead><tr><th scope="col">Recommendation</th><th scope="col">Saving a month</th><th scope="col">Time short</th><th scope="col" style="text-align: left">Why</th></tr></thead><tbody>${advice.recommendations.map(row)}</tbody></table></div>`;
}

function withheldList(withheld: readonly Recommendation[]): Markup {
  return html`<details><summary>Withheld: ${withheld.length}</summary><ul>${withheld.map((r) => html`<li><code>${r.id}</code> ${r.subject}: ${r.withheld.map(({ text }) => text).join('; ')}.</li>`)}</ul></details>`;
}
