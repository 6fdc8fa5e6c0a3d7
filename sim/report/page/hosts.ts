import type { Comparison } from '../../result.ts';
import { CLUSTER_ROWS, hostRuns } from '../cluster.ts';
import { html } from './markup.ts';
import { type Section, section } from './sections.ts';
import { policyName, scrolling } from './tables.ts';

/** What the hosts made of each run; null where the scenario has none. */
export function hostSection(comparison: Comparison): Section | null {
  const runs = hostRuns(comparison.runs);
  if (runs.length === 0) return null;
  return section(
    'hosts',
    'The hosts',
    html`<p>SLATAH is the share of a host’s active time at 100 % CPU, a mean over hosts; PDM the share of the CPU wanted that migrations took; SLAV their product. Energy is by SPECpower tables at the CPU load of each interval; an empty host is off.</p>${scrolling(
      'Measures of the hosts by policy',
      html`<table><thead><tr><th scope="col">Measure</th>${runs.map((run) => html`<th scope="col">${policyName(comparison, run.policy)}</th>`)}</tr></thead><tbody>${CLUSTER_ROWS.map(
        ({ label, unit, text }) =>
          html`<tr><th scope="row">${label} ${unit ? html`<span class="unit">${unit}</span>` : null}</th>${runs.map((run) => html`<td>${text(run.cluster)}</td>`)}</tr>`,
      )}</tbody></table>`,
    )}`,
  );
}
