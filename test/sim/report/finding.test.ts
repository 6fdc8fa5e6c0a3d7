import { expect, test } from 'vitest';
import { describeDifference, findings, leadStarvation, measureTitle } from '../../../sim/report/finding.ts';
import type { PairedDifference } from '../../../sim/result.ts';
import { fixtureComparison } from './fixture.ts';

const comparison = fixtureComparison({ days: 2 });

test('what is not shown, the cheapest policy with its interval, and the bound', () => {
  const [better, cheapest, bound] = findings(comparison);
  expect(better).toMatch(/^No policy is shown to be both cheaper than static/);
  expect(cheapest).toMatch(
    /^quantile is the cheapest: \$[\d.]+ a VM-day, [\d.]+ % below static \(95 % interval [\d.]+ % to [\d.]+ %\)/,
  );
  expect(bound).toMatch(
    /^With perfect foresight the bill would be \$[\d.]+, with 0 % .*; quantile lies [\d.]+ % above/,
  );
});

test('a policy that is better on both is named with both differences, and set against the bound', () => {
  const paired = comparison.paired.map((p) =>
    p.policy === 'vpa' && p.measure === 'violationRate.any'
      ? { ...p, difference: -0.005, low: -0.01, high: 0 }
      : p,
  );
  const [better, , bound] = findings({ ...comparison, paired });
  expect(better).toMatch(
    /intervals of both differences: vpa \(−[\d.]+ % \[.+\], −0\.50 pp \[−1\.0, 0\]\)\.$/,
  );
  expect(bound).toContain('; vpa lies');
});

test('the baseline may be the cheapest; a run may be alone', () => {
  expect(findings({ ...comparison, baseline: 'quantile' })[1]).toContain(
    'No policy is cheaper than quantile',
  );
  const alone = {
    ...comparison,
    baseline: 'vpa',
    runs: comparison.runs.filter((r) => r.policy === 'vpa'),
    paired: [],
  };
  expect(findings(alone)).toHaveLength(1);
  expect(findings({ ...alone, runs: [] })).toEqual([]);
});

test('describeDifference: per cent for cost, points for violations, always with the interval', () => {
  const p = {
    measure: 'costPerVmDay',
    difference: -1,
    low: -2,
    high: 1,
    relative: { value: -0.1, low: -0.2, high: 0.1 },
  } as PairedDifference;
  expect(describeDifference(p)).toBe('−10.0 % [−20.0, +10.0]');
  const v = { ...p, measure: 'violationRate.cpu', difference: 0.012, low: 0.001, high: 0.025 };
  expect(describeDifference(v)).toBe('+1.2 pp [+0.10, +2.5]');
  expect(describeDifference({ ...v, low: null, high: null })).toBe('+1.2 pp –');
});

test('violations of any resource lead where every run kept them', () => {
  expect(leadStarvation(comparison)).toBe('any');
  const runs = comparison.runs.map((run) => {
    const { starvedAny: _, ...days } = run.days;
    return { ...run, days };
  });
  expect(leadStarvation({ ...comparison, runs })).toBe('cpu');
  expect(measureTitle('violationRate.any')).toBe('Short of any resource');
});
