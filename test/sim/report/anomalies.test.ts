import { describe, expect, it } from 'vitest';
import { anomalyMeasures } from '../../../sim/anomalies/measures.ts';
import { htmlReport } from '../../../sim/report/html.ts';
import { markdownReport } from '../../../sim/report/markdown.ts';
import { terminalReport } from '../../../sim/report/terminal.ts';
import type { Comparison } from '../../../sim/result.ts';
import { fixtureComparison } from './fixture.ts';

const bare = fixtureComparison({ vms: 4, days: 2, policies: ['static', 'vpa'] });
const vmId = bare.runs[0]!.days.vmIds[0]!;

const anomalies = anomalyMeasures(
  [
    {
      vmId,
      applicationId: 'a',
      onset: 400,
      raised: 401,
      end: 420,
      severity: 'high',
      resources: ['network'],
      explanation: 'network 14 x its 99 % quantile for 3 ticks; <CPU> normal',
      neighbour: false,
    },
  ],
  [
    { vmId, kind: 'traffic-flood', first: 400, last: 402, scored: true },
    { vmId, kind: 'leak', first: 500, last: 520, scored: true },
  ],
  { raised: 1, isolated: 2, raisedVmTicks: 12, isolatedVmTicks: 40 },
  { vmDays: 8, stepMs: 300_000, tolerance: 12 },
);
const cluster = {
  hosts: 3,
  activeHosts: 2.5,
  energyKwh: 12.34,
  migrations: 7,
  quarantined: 1,
  slatah: 0.0123,
  pdm: 0.0004,
  slav: 4.92e-6,
  overloadTimeFraction: 0.02,
  hostFailures: 1,
  vmsRestarted: 2,
  waitingS: 3600,
  vmsTooLarge: 0,
  refusedResizes: 5,
  queuedResizes: 0,
  undrainedTicks: 0,
};
const comparison: Comparison = {
  ...bare,
  runs: bare.runs.map((run, k) => (k === 0 ? { ...run, anomalies, cluster } : { ...run, cluster })),
};

describe('reports of hosts and anomalies', () => {
  it('stand in the terminal table', () => {
    const text = terminalReport(comparison, { color: false });
    expect(text).toMatch(/^hosts +hosts +kWh +migr\./m);
    expect(text).toMatch(/^static +2\.5 +12\.34 +7 +2\.0 % +1\.2 % +0\.04 % +1 +5$/m);
    // 1 of 2 found with the second sample, one true alarm, none false.
    expect(text).toMatch(/all +1\/2 +50\.0 +100 +2 \/ 2 +0 +0$/m);
    expect(text).toContain('Responses of static: 1 raised for 12 VM-ticks, 2 isolated for 40 VM-ticks.');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(text).toMatch(/traffic flood +1\/1/);
    expect(terminalReport(bare, { color: false })).not.toMatch(/kWh|recall/);
  });

  it('stand in Markdown, every row as wide as its head', () => {
    const text = markdownReport(comparison);
    expect(text).toContain('| Energy, kWh | 12.34 | 12.34 |');
    expect(text).toContain('| static | leak | 0 of 1 | 0 % | – | – | – | 0 | 0 |');
    expect(text).toContain('- static: 1 raised for 12 VM-ticks, 2 isolated for 40 VM-ticks');
    for (const table of text
      .trimEnd()
      .split('\n\n')
      .filter((part) => part.startsWith('|'))) {
      expect(new Set(table.split('\n').map((line) => line.split('|').length)).size).toBe(1);
    }
  });

  it('stand in the page, with the truth against the alarms over time, escaped', () => {
    const page = htmlReport(comparison);
    for (const text of ['id="hosts"', 'id="anomalies"', 'data-chart="alarms-0"', '&lt;CPU&gt; normal'])
      expect(page.includes(text), text).toBe(true);
    expect(page.includes('"told":"missed"')).toBe(true);
    const without = htmlReport(bare);
    expect(without.includes('id="hosts"') || without.includes('id="anomalies"')).toBe(false);
  });
});
