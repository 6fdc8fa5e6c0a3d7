import { formatNumber, formatSigned } from '../report/format.ts';
import { type Finding, failed } from './judge.ts';

/** One line a figure, for people: `first/vpa cost_per_vm_day 1.25 -> 1.30 per VM-day (+4 %, allowed 1 %)`. */
export function sentence({ key, measure, unit, baseline, current, allowed, verdict }: Finding): string {
  const figures = `${formatNumber(baseline, 4)} -> ${formatNumber(current, 4)} ${unit}`;
  const share = (x: number) => formatNumber((x / Math.abs(baseline ?? 0)) * 100);
  const change =
    baseline === null || current === null || baseline === 0
      ? ''
      : ` (${formatSigned(current - baseline, (x) => share(x ?? 0))} %, allowed ${share(allowed)} %)`;
  return `${key} ${measure}: ${verdict}, ${figures}${change}`;
}

/** JUnit XML: a suite a case and policy, a test a figure. */
export function junit(name: string, findings: readonly Finding[]): string {
  const keys = [...new Set(findings.map(({ key }) => key))];
  const suites = keys.map((key) => {
    const own = findings.filter((finding) => finding.key === key);
    const tests = own.map((finding) => {
      const open = `<testcase classname="${xml(key)}" name="${xml(finding.measure)}"`;
      if (failed([finding]).length === 0) return `    ${open}/>`;
      return `    ${open}><failure message="${xml(sentence(finding))}" type="${finding.verdict}"/></testcase>`;
    });
    return [
      `  <testsuite name="${xml(key)}" tests="${own.length}" failures="${failed(own).length}" errors="0" skipped="0">`,
      ...tests,
      '  </testsuite>',
    ].join('\n');
  });
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${xml(name)}" tests="${findings.length}" failures="${failed(findings).length}">`,
    ...suites,
    '</testsuites>\n',
  ].join('\n');
}

/** GitHub's workflow commands: an error a regression, a notice an improvement. */
export function annotations(file: string, findings: readonly Finding[]): string {
  const command = (kind: string, finding: Finding) =>
    `::${kind} file=${property(file)},title=${property(`${finding.key} ${finding.measure}`)}::${data(sentence(finding))}\n`;
  return findings
    .map((finding) => {
      if (failed([finding]).length > 0) return command('error', finding);
      return finding.verdict === 'better' ? command('notice', finding) : '';
    })
    .join('');
}

/** Markdown for `$GITHUB_STEP_SUMMARY`: what changed, and how much did not. */
export function summary(name: string, findings: readonly Finding[]): string {
  const bad = failed(findings).length;
  const changed = findings.filter(({ verdict }) => verdict !== 'same');
  const rows = changed.map(
    ({ key, measure, unit, baseline, current, verdict }) =>
      `| ${cell(key)} | ${measure} | ${formatNumber(baseline, 4)} | ${formatNumber(current, 4)} | ${cell(unit)} | ${verdict} |`,
  );
  return [
    `### ${name}: ${bad === 0 ? 'passed' : `${bad} regressions`}`,
    '',
    `${findings.length} figures, ${findings.length - changed.length} as in the baseline.`,
    ...(rows.length === 0
      ? []
      : [
          '',
          '| run | figure | baseline | now | unit | |',
          '| --- | --- | ---: | ---: | --- | --- |',
          ...rows,
        ]),
    '\n',
  ].join('\n');
}

/** What `benchmark-action/github-action-benchmark` draws, tool `customSmallerIsBetter`. */
export function githubBenchmark(findings: readonly Finding[]): string {
  const entries = findings
    .filter(({ measure, current }) => current !== null && measure !== 'fairness')
    .map(({ key, measure, unit, current }) => ({ name: `${key} ${measure}`, unit, value: current }));
  return `${JSON.stringify(entries, null, 2)}\n`;
}

function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
