import { evidenceOf, riskOf, savingOf } from '../../core/cost/describe.ts';
import type { Advice, Recommendation } from '../../core/cost/recommendation.ts';
import { formatNumber, formatPercent, formatSigned } from '../report/format.ts';

/** The advice as a table, with a reason under each line; what is held back on request. */
export function adviceText(advice: Advice, withheld: boolean): string {
  const { recommendations, combined, notes, span } = advice;
  const lines = [
    `${advice.scenario}, policy ${advice.policy}: ${formatNumber(span.days)} days replayed. Savings a month with ${formatPercent(advice.level)} intervals; simulated cost, not money saved.`,
    '',
  ];
  if (recommendations.length === 0) lines.push('Nothing pays without breaking something.');
  else lines.push(...table(recommendations, advice));
  recommendations.forEach((r, i) => {
    lines.push('', `${i + 1}. ${r.reason}`, `   ${evidenceOf(r, advice)}`, `   ${riskOf(r)}`);
  });
  if (combined) {
    const { effect, ids } = combined;
    lines.push(
      '',
      `Together (${ids.length} of ${recommendations.length}): ${savingOf(effect, advice)} a month; effects do not add up. ${riskOf(combined)}`,
    );
  }
  if (withheld) {
    lines.push('', `Withheld: ${advice.withheld.length}`);
    for (const r of advice.withheld) {
      lines.push(
        `  ${r.id}  ${r.subject}: ${r.withheld.map(({ code, text }) => `${code}: ${text}`).join('; ')}`,
      );
    }
  } else if (advice.withheld.length > 0) {
    lines.push('', `${advice.withheld.length} more were replayed and are withheld; --withheld says why.`);
  }
  for (const note of notes) lines.push('', note);
  return lines.join('\n');
}

function table(recommendations: readonly Recommendation[], advice: Advice): string[] {
  const rows = recommendations.map((r, i) => [
    `${i + 1}`,
    r.id,
    r.subject,
    savingOf(r.effect, advice),
    r.effect.violation ? formatSigned(r.effect.violation.value, (x) => formatPercent(x)) : '–',
    r.effect.deadlines.jobs > 0 ? `${r.effect.deadlines.after}/${r.effect.deadlines.jobs}` : '–',
  ]);
  const all = [['', 'id', 'subject', 'saving a month', 'time short', 'late jobs'], ...rows];
  const widths = all[0]!.map((_, c) => Math.max(...all.map((row) => row[c]!.length)));
  return all.map((row) =>
    row.map((cell, c) => (c > 2 ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!))).join('  '),
  );
}
