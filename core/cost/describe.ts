import { figure } from './candidate.ts';
import type { Advice, Effect, Recommendation } from './recommendation.ts';

/** What may go wrong, in one sentence: the rise of the time with a shortage, as an interval, and what else was counted. */
export function riskOf({ effect }: Pick<Recommendation, 'effect'>): string {
  const { violation, deadlines, spot } = effect;
  const percent = (x: number) => `${figure(100 * x)} %`;
  const rise = !violation
    ? 'One day says nothing of the time with a shortage'
    : violation.low === 0 && violation.high === 0
      ? `No more time with a shortage in ${figure(effect.vmDays)} VM-days, so at 95 % fewer than ${percent(Math.min(1, 3 / Math.max(1, effect.vmDays)))} of VM-days see any (rule of three)`
      : `Time with a shortage changes by ${percent(violation.value)} of the VM-time concerned (${percent(violation.low)} to ${percent(violation.high)})`;
  const jobs = deadlines.jobs > 0 ? `; ${deadlines.after} of ${deadlines.jobs} deadlines are missed` : '';
  const away = spot ? `; VMs on spot capacity are away for ${percent(spot.away)} of the time` : '';
  return `${rise}${jobs}${away}.`;
}

/** How the figures came about, in one sentence. */
export function evidenceOf(
  { effect }: Pick<Recommendation, 'effect'>,
  advice: Pick<Advice, 'currency'>,
): string {
  return `Replayed on ${effect.days} recorded days: the fleet costs ${money(effect.costBefore, advice)} a month without it and ${money(effect.costAfter, advice)} with it, in simulation.`;
}

/** '12.3 USD (11 to 14)'. */
export function savingOf({ saving }: Pick<Effect, 'saving'>, advice: Pick<Advice, 'currency'>): string {
  if (!saving) return 'no interval';
  return `${money(saving.value, advice)} (${saving.low.toFixed(2)} to ${saving.high.toFixed(2)})`;
}

function money(x: number, { currency }: Pick<Advice, 'currency'>): string {
  return `${x.toFixed(2)} ${currency}`;
}
