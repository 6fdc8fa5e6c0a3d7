import type { Starvation } from '../compare/align.ts';
import type { Comparison, PairedDifference, RunResult } from '../result.ts';
import { formatLevel, formatMoney, formatPercent, NONE } from './format.ts';
import { costPerVmDay, isOracle, managedResources, RESOURCE_NAMES, violationRate } from './measures.ts';

/** What violations the reports lead with: of any resource where every run kept that, else of the first managed. */
export function leadStarvation({ runs }: Comparison): Starvation {
  if (runs.length > 0 && runs.every((run) => run.days.starvedAny !== undefined)) return 'any';
  return managedResources(runs)[0] ?? 'any';
}

/** The comparison in two or three sentences, every difference with its interval. */
export function findings(comparison: Comparison): string[] {
  const { runs, paired, baseline } = comparison;
  const of = leadStarvation(comparison);
  const short = of === 'any' ? 'short of something' : `short of ${RESOURCE_NAMES[of]}`;
  const rivals = runs
    .filter((run) => !isOracle(run.policy) && costPerVmDay(run.fleet) !== null)
    .sort((a, b) => cost(a) - cost(b));
  const cheapest = rivals[0];
  if (!cheapest) return [];
  const find = (run: RunResult, measure: string) =>
    paired.find((p) => p.policy === run.policy && p.measure === measure);
  const money = formatMoney(cost(cheapest), cheapest.currency);
  const rate = `${formatPercent(violationRate(cheapest, of))} of VM-time ${short}`;
  if (rivals.length === 1) return [`${cheapest.policy} costs ${money} a VM-day and leaves ${rate}.`];

  const base = runs.find((run) => run.policy === baseline);
  const better = rivals.filter((run) => {
    const c = find(run, 'costPerVmDay');
    const v = find(run, `violationRate.${of}`);
    return c && v && c.high !== null && c.high < 0 && v.high !== null && v.high <= 0;
  });
  const sentences: string[] = [];
  if (better.length > 0) {
    const named = better.map((run) => {
      const differences = ['costPerVmDay', `violationRate.${of}`].map((m) =>
        describeDifference(find(run, m)!),
      );
      return `${run.policy} (${differences.join(', ')})`;
    });
    sentences.push(
      `Cheaper than ${baseline} and no more often ${short}, by the ${formatLevel(paired[0]!.level)} intervals of both differences: ${named.join('; ')}.`,
    );
  } else
    sentences.push(
      `No policy is shown to be both cheaper than ${baseline} and no more often ${short}: what is saved is paid for in violations, or the data cannot tell.`,
    );
  sentences.push(
    cheapest.policy === baseline
      ? `No policy is cheaper than ${baseline}: ${money} a VM-day, with ${rate}.`
      : `${cheapest.policy} is the cheapest: ${money} a VM-day, ${below(find(cheapest, 'costPerVmDay'), baseline)}, with ${rate} (${baseline}: ${formatPercent(base ? violationRate(base, of) : null)}).`,
  );
  const oracle = runs.find((run) => isOracle(run.policy));
  if (oracle && cost(oracle) > 0) {
    const nearest = better[0] ?? cheapest;
    const above = cost(nearest) / cost(oracle) - 1;
    sentences.push(
      `With perfect foresight the bill would be ${formatMoney(cost(oracle), oracle.currency)}, with ${formatPercent(violationRate(oracle, of))} of VM-time ${short}; ${nearest.policy} lies ${formatPercent(Math.abs(above))} ${above >= 0 ? 'above' : 'below'} that bound.`,
    );
  }
  return sentences;
}

function below(p: PairedDifference | undefined, baseline: string): string {
  const r = p?.relative;
  if (!p || !r) return `against ${baseline} not compared`;
  const interval =
    r.low === null || r.high === null
      ? 'no interval'
      : `${formatLevel(p.level)} interval ${formatPercent(-r.high)} to ${formatPercent(-r.low)}`;
  return `${formatPercent(-r.value)} below ${baseline} (${interval})`;
}

function cost(run: RunResult): number {
  return costPerVmDay(run.fleet) ?? Number.NaN;
}

/** 'cost', 'any resource' ... for the name of a paired measure. */
export function measureTitle(measure: string): string {
  if (measure === 'costPerVmDay') return 'Cost per VM-day';
  const of = measure.replace('violationRate.', '') as Starvation;
  const name = of === 'any' ? 'any resource' : RESOURCE_NAMES[of];
  return name ? `Short of ${name}` : measure;
}

/** 'Δ [low, high]' of a paired difference: per cent of the baseline for cost, percentage points for violations. */
export function describeDifference(p: PairedDifference): string {
  const points = p.measure !== 'costPerVmDay' || p.relative === null;
  const of = points ? { value: p.difference, low: p.low, high: p.high } : p.relative!;
  const sign = (x: number) =>
    `${x > 0 && formatPercent(x) !== '0 %' ? '+' : ''}${formatPercent(x)}`.replace(' %', '');
  const interval = of.low === null || of.high === null ? NONE : `[${sign(of.low)}, ${sign(of.high)}]`;
  return `${sign(of.value)}${points ? ' pp' : ' %'} ${interval}`;
}
