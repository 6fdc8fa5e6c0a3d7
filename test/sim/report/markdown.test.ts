import { expect, test } from 'vitest';
import { markdownReport } from '../../../sim/report/markdown.ts';
import { fixtureComparison } from './fixture.ts';

const comparison = fixtureComparison({ days: 2 });
const text = markdownReport(comparison);

test('every table has as many cells in each row as in its head', () => {
  const tables = text
    .trimEnd()
    .split('\n\n')
    .filter((part) => part.startsWith('|'));
  expect(tables.length).toBe(8); // glance, differences, all resources, four resources, decisions
  for (const table of tables) {
    const widths = table.split('\n').map((line) => line.replaceAll('\\|', '').split('|').length);
    expect(new Set(widths).size).toBe(1);
  }
});

test('every difference stands with its interval, and cost is not called saved', () => {
  const section = text.slice(text.indexOf('## Differences'), text.indexOf('## Measures'));
  const rows = section.split('\n').filter((line) => /^\| \w/.test(line) && !line.startsWith('| Policy'));
  expect(rows).toHaveLength(comparison.paired.length);
  for (const row of rows) expect(row).toMatch(/\[.+, .+\] \| p [<=]/);
  expect(text).toContain('not money saved');
});

test('the same result gives the same text; a run alone has no differences', () => {
  expect(markdownReport(comparison)).toBe(text);
  const single = markdownReport(comparison.runs[0]!);
  expect(single).not.toContain('## Differences');
  expect(single).toContain('| static |');
});

test('names cannot break a table or become markup', () => {
  const run = { ...comparison.runs[0]!, policy: 'a|b', scenario: '<b>*x*' };
  const odd = markdownReport(run);
  expect(odd).toContain('| a\\|b |');
  expect(odd).toContain('# \\<b\\>\\*x\\*');
});
