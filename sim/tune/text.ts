import { formatNumber, formatShare, formatSigned, NONE } from '../report/format.ts';
import type { PairedDifference } from '../result.ts';
import { textTable } from '../sweep/text.ts';
import { candidateText } from './candidates.ts';
import type { Objective } from './spec.ts';
import type { TunedPolicy, TuneResult } from './tune.ts';

/** The result for a terminal: what was chosen, on the workloads it was chosen by and on those it had not seen. */
export function tuneText(result: TuneResult): string {
  const { policies, objectives, rungs, budget, baseline } = result;
  const table = textTable(
    ['policy', 'parameters', ...objectives.flatMap((name) => [`${name}, train`, 'kept back'])],
    policies.map((p) => [
      `${p.policy}${p.role === 'reference' ? '' : ` ${p.role}`}`,
      candidateText(p),
      ...objectives.flatMap((name) => [scoreText(p.train[name], name), scoreText(p.holdout[name], name)]),
    ]),
  );
  const paired = textTable(
    ['on the workloads kept back', 'against', 'Δ cost, % [95 %]', 'p', 'Δ violated, points [95 %]', 'p'],
    policies.flatMap((p) => [
      ...(p.againstDefault.length > 0 ? [pairRow(p, 'its default', p.againstDefault)] : []),
      ...(p.againstBaseline.length > 0 && p.role !== 'default'
        ? [pairRow(p, baseline, p.againstBaseline)]
        : []),
    ]),
  );
  const missed = policies.filter(({ role, keepsLimits }) => role === 'tuned' && !keepsLimits);
  const notes = [
    `Search: ${rungs.map((r) => `${r.candidates} on ${r.workloads}`).join(', then ')} workloads; simulations a policy: ${Object.entries(
      budget,
    )
      .map(([policy, runs]) => `${policy} ${runs}`)
      .join(', ')}.`,
    'Paired over the same VM-days, bootstrap clustered by VM, p after Holm. Cost is simulated, not money saved.',
    ...missed.map(({ policy }) => `No finalist of ${policy} kept the limits; the nearest was chosen.`),
  ];
  return `${result.name}\n\n${table}\n${paired}\n${notes.join('\n')}\n`;
}

function pairRow(p: TunedPolicy, against: string, pairs: readonly PairedDifference[]): string[] {
  const cost = pairs.find(({ measure }) => measure === 'costPerVmDay');
  const rate = pairs.find(({ measure }) => measure === 'violationRate.any');
  const relative = cost?.relative;
  return [
    `${p.policy}${p.role === 'reference' ? '' : ` ${p.role}`}`,
    against,
    relative ? `${percent(relative.value)} ${bounds(relative.low, relative.high)}` : NONE,
    pText(cost),
    rate ? `${percent(rate.difference)} ${bounds(rate.low, rate.high)}` : NONE,
    pText(rate),
  ];
}

function scoreText(value: number | undefined, name: Objective): string {
  return /rate|slack/.test(name) ? `${formatShare(value)} %` : formatNumber(value, 4);
}

function percent(x: number): string {
  return formatSigned(x, (y) => formatShare(y ?? null));
}

function bounds(low: number | null, high: number | null): string {
  return low === null || high === null ? '[no interval]' : `[${percent(low)}, ${percent(high)}]`;
}

function pText(difference: PairedDifference | undefined): string {
  if (!difference) return '';
  return difference.pHolm < 0.001 ? '< 0.001' : formatNumber(difference.pHolm, 2);
}
