import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { baselineFile, readBaseline } from '../../../sim/gate/baseline.ts';
import { loadBench } from '../../../sim/gate/spec.ts';
import { Foresize, foresize } from '../sweep/cli.ts';
import { bench, problemOf } from '../sweep/fixture.ts';

const here = bench();
afterAll(here.remove);
const gateFile = (more: object) => here.write({ scenario: undefined, name: 'Gate', ...more }, 'bench.yaml');
const spec = (set: object) =>
  gateFile({
    cases: { small: { scenario: 'small.yaml', set, policies: ['threshold'] } },
    timing: false,
  });

describe('foresize bench', () => {
  it('passes what has not changed, and stops what is worse with exit code 3', async () => {
    spec({});
    const made = await foresize(['bench', 'update', '--reason', 'first'], here.folder);
    expect(made).toMatchObject({ code: 0, stdout: 'bench.baseline.json: 1 runs\n' });
    expect(await foresize(['bench'], here.folder)).toMatchObject({
      code: 0,
      stdout: 'Gate: passed, 13 figures compared\n',
    });

    spec({ 'policies.threshold.up': 1.5, 'policies.threshold.down': 0.95 });
    const worse = await new Foresize(['bench', '--junit', 'junit.xml', '--github-benchmark', 'bench.json'], {
      cwd: here.folder,
      env: { GITHUB_ACTIONS: 'true', GITHUB_STEP_SUMMARY: here.path('summary.md') },
    }).finished;
    expect(worse.code).toBe(3);
    expect(worse.stdout).toMatch(/^small\/threshold cpu_violation_rate: worse, /m);
    expect(worse.stdout).toMatch(/^::error file=bench.yaml,title=small\/threshold cpu_violation_rate::/m);
    expect(worse.stderr).toContain('bench update');
    expect(readFileSync(here.path('junit.xml'), 'utf8')).toContain('type="worse"');
    expect(readFileSync(here.path('summary.md'), 'utf8')).toMatch(/^### Gate: \d+ regressions/);
    expect(JSON.parse(readFileSync(here.path('bench.json'), 'utf8'))).toHaveLength(12);

    await foresize(['bench', 'update', '--reason', 'wider band, on purpose'], here.folder);
    expect((await foresize(['bench', '--json'], here.folder)).code).toBe(0);
    const { history } = readBaseline(here.path('bench.baseline.json'));
    expect(history.map(({ reason }) => reason)).toEqual(['first', 'wider band, on purpose']);
  });

  it('says what is wrong', async () => {
    expect((await problemOf(() => readBaseline(here.path('none.json')))).code).toBe('BENCH_NO_BASELINE');
    writeFileSync(here.path('bad.json'), '{"schema": 1');
    expect((await problemOf(() => readBaseline(here.path('bad.json')))).code).toBe('BENCH_BASELINE_INVALID');
    writeFileSync(here.path('bad.json'), '{"schema": 1}');
    expect((await problemOf(() => readBaseline(here.path('bad.json')))).code).toBe('BENCH_BASELINE_INVALID');
    const problem = async (more: object) => {
      const { code, where } = await problemOf(() => loadBench(gateFile(more)));
      return `${code} ${where?.replace(/^.*bench\.yaml:\d+: /, '')}`;
    };
    expect(await problem({ cases: {} })).toBe('BENCH_INVALID cases');
    const cases = { a: { scenario: 'small.yaml' } };
    expect(await problem({ cases, tolerances: { cost: { relative: 1 } } })).toBe(
      'BENCH_INVALID tolerances.cost',
    );
    expect(await problem({ cases, timing: { repeats: 0 } })).toBe('BENCH_INVALID timing.repeats');
    expect(baselineFile('a/gate.yaml')).toBe('a/gate.baseline.json');
  });
});
