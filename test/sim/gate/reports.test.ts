import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../sim/gate/judge.ts';
import { annotations, githubBenchmark, junit, sentence, summary } from '../../../sim/gate/reports.ts';

const finding = (more: Partial<Finding>): Finding => ({
  key: 'first/vpa',
  measure: 'cost_per_vm_day',
  unit: 'per VM-day',
  baseline: 2,
  current: 2.06,
  allowed: 0.02,
  verdict: 'worse',
  ...more,
});
const FINDINGS = [
  finding({}),
  finding({
    measure: 'fairness',
    unit: "Jain's index",
    baseline: 0.9,
    current: 0.95,
    allowed: 0.002,
    verdict: 'better',
  }),
  finding({
    key: 'a<b>/"c"',
    measure: 'time',
    unit: 'times the reference loop',
    current: 2,
    verdict: 'same',
  }),
  finding({
    measure: 'cpu_slack',
    unit: 'share of allocation',
    baseline: 0.5,
    current: null,
    verdict: 'gone',
  }),
];

describe('reports of a gate', () => {
  it('say what changed', () => {
    expect(sentence(FINDINGS[0]!)).toBe(
      'first/vpa cost_per_vm_day: worse, 2 -> 2.06 per VM-day (+3 %, allowed 1 %)',
    );
    expect(sentence(FINDINGS[3]!)).toBe('first/vpa cpu_slack: gone, 0.5 -> – share of allocation');
  });

  it('are JUnit XML', () => {
    expect(junit('Gate & co', FINDINGS)).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="Gate &amp; co" tests="4" failures="2">
  <testsuite name="first/vpa" tests="3" failures="2" errors="0" skipped="0">
    <testcase classname="first/vpa" name="cost_per_vm_day"><failure message="first/vpa cost_per_vm_day: worse, 2 -&gt; 2.06 per VM-day (+3 %, allowed 1 %)" type="worse"/></testcase>
    <testcase classname="first/vpa" name="fairness"/>
    <testcase classname="first/vpa" name="cpu_slack"><failure message="first/vpa cpu_slack: gone, 0.5 -&gt; – share of allocation" type="gone"/></testcase>
  </testsuite>
  <testsuite name="a&lt;b&gt;/&quot;c&quot;" tests="1" failures="0" errors="0" skipped="0">
    <testcase classname="a&lt;b&gt;/&quot;c&quot;" name="time"/>
  </testsuite>
</testsuites>
`);
  });

  it('are annotations of GitHub', () => {
    expect(annotations('gate.yaml', FINDINGS).split('\n')).toEqual([
      '::error file=gate.yaml,title=first/vpa cost_per_vm_day::first/vpa cost_per_vm_day: worse, 2 -> 2.06 per VM-day (+3 %25, allowed 1 %25)',
      "::notice file=gate.yaml,title=first/vpa fairness::first/vpa fairness: better, 0.9 -> 0.95 Jain's index (+5.56 %25, allowed 0.222 %25)",
      '::error file=gate.yaml,title=first/vpa cpu_slack::first/vpa cpu_slack: gone, 0.5 -> – share of allocation',
      '',
    ]);
  });

  it('are a step summary', () => {
    const text = summary('Gate', FINDINGS);
    expect(text).toContain('### Gate: 2 regressions\n\n4 figures, 1 as in the baseline.\n');
    expect(text).toContain('| first/vpa | cost_per_vm_day | 2 | 2.06 | per VM-day | worse |');
    expect(summary('Gate', [FINDINGS[2]!])).toBe('### Gate: passed\n\n1 figures, 1 as in the baseline.\n\n');
  });

  it('are what github-action-benchmark draws, less is better', () => {
    expect(JSON.parse(githubBenchmark(FINDINGS))).toEqual([
      { name: 'first/vpa cost_per_vm_day', unit: 'per VM-day', value: 2.06 },
      { name: 'a<b>/"c" time', unit: 'times the reference loop', value: 2 },
    ]);
  });
});
