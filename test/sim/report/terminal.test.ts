import { describe, expect, test } from 'vitest';
import { terminalReport } from '../../../sim/report/terminal.ts';
import { fixtureComparison } from './fixture.ts';

const comparison = fixtureComparison({ days: 3 });
const ESCAPE = String.fromCharCode(27);

describe('terminalReport', () => {
  const plain = terminalReport(comparison, { color: false });
  const lines = plain.trimEnd().split('\n');

  test('fits 100 columns and is plain without color', () => {
    for (const line of lines) expect([...line].length).toBeLessThanOrEqual(100);
    expect(plain).not.toContain(ESCAPE);
  });

  test('has a row a policy, with the interval of every difference', () => {
    for (const run of comparison.runs) {
      const line = lines.find((l) => l.startsWith(run.policy));
      expect(line).toBeDefined();
      expect(line).toMatch(run.policy === 'static' ? /baseline/ : /[−+][\d.]+ \[[−+][\d.]+, [−+][\d.]+\]/);
    }
  });

  test('says what the figures are not', () => {
    expect(plain).toContain('not money saved');
  });

  test('color changes nothing but color', () => {
    const colored = terminalReport(comparison, { color: true });
    expect(colored).toContain(`${ESCAPE}[1m`);
    expect(colored.replaceAll(new RegExp(`${ESCAPE}\\[\\d+m`, 'g'), '')).toBe(plain);
  });

  test('a single run has no difference to show', () => {
    const single = terminalReport(comparison.runs[4]!, { color: false });
    expect(single).toContain('quantile');
    expect(single).not.toContain('Δ');
  });

  test('long names and wide figures still fit', () => {
    const long = (policy: string) => `${policy}-of-a-very-long-name`;
    const runs = comparison.runs.map((run) => ({ ...run, policy: long(run.policy) }));
    const paired = comparison.paired.map((d) => ({
      ...d,
      policy: long(d.policy),
      baseline: long(d.baseline),
    }));
    const wide = terminalReport({ ...comparison, baseline: long('static'), runs, paired }, { color: false });
    for (const line of wide.split('\n')) expect([...line].length).toBeLessThanOrEqual(100);
    expect(wide).toMatch(/^last-value-of.*… /m);
  });
});
