import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareRuns } from '../../../../sim/compare/paired.ts';
import { type CompareSweepOptions, compareSweep } from '../../../../sim/sweep/compare/compare-sweep.ts';
import { configurationsOf, replicateAxes } from '../../../../sim/sweep/compare/configurations.ts';
import { poolRuns } from '../../../../sim/sweep/compare/pool-runs.ts';
import { comparisonText } from '../../../../sim/sweep/compare/text.ts';
import { SweepFolder } from '../../../../sim/sweep/folder.ts';
import { localEngine } from '../../../../sim/sweep/local-engine.ts';
import type { PointRecord } from '../../../../sim/sweep/point-task.ts';
import { runSweep } from '../../../../sim/sweep/run-sweep.ts';
import { bench, problemOf, SMALL } from '../fixture.ts';

const here = bench({ ...SMALL, duration: '3d' });
afterAll(here.remove);
const OPTIONS: CompareSweepOptions = { level: 0.95, resamples: 500 };
let folder: SweepFolder;
beforeAll(async () => {
  const sweep = here.sweep({
    axes: { 'policies.threshold.up': [1.1, 1.4], policy: ['threshold', 'vpa', 'oracle'] },
    cross: { seed: [1, 2] },
  });
  const taken = await SweepFolder.take(here.path('out'), sweep.plan, false);
  await runSweep(sweep, taken, localEngine(1));
  taken.release();
  folder = SweepFolder.open(here.path('out'));
}, 60_000);

describe('configurations', () => {
  it('are what a policy can choose; points of one run are one', () => {
    expect(replicateAxes(folder.plan, undefined)).toEqual(['seed']);
    const { configurations, replicates, incomplete } = configurationsOf(folder, ['seed']);
    expect(replicates).toEqual(['seed=1', 'seed=2']);
    expect(incomplete).toEqual([]);
    expect(configurations.map(({ label }) => label)).toEqual([
      'policies.threshold.up=1.1, policy=threshold',
      'policy=vpa',
      'policy=oracle',
      'policies.threshold.up=1.4, policy=threshold',
    ]);
    expect(configurations.every(({ runs }) => runs.length === 2)).toBe(true);
  });
});

describe('pooled runs', () => {
  const record = (trace: string | null, days: Partial<PointRecord['result']['days']>): PointRecord =>
    ({
      trace,
      result: {
        currency: 'USD',
        backend: 'none',
        policy: 'p',
        days: {
          vmIds: ['a', 'b'],
          vm: [0, 1],
          day: [0, 0],
          seconds: [10, 20],
          cost: [1, 2],
          starved: { cpu: [3, 4] },
          starvedAny: [5, 6],
          ...days,
        },
      },
    }) as unknown as PointRecord;

  it('keeps VMs of different seeds apart, and adds up days of one VM of a trace', () => {
    const generated = poolRuns('x', [
      { name: 'seed=1', record: record(null, {}) },
      { name: 'seed=2', record: record(null, {}) },
    ]);
    expect(generated.days.vmIds).toEqual(['seed=1/a', 'seed=1/b', 'seed=2/a', 'seed=2/b']);
    expect(generated.days.cost).toEqual([1, 2, 1, 2]);
    const traced = poolRuns('x', [
      { name: 'seed=1', record: record('sha', {}) },
      { name: 'seed=2', record: record('sha', { cost: [10, 20], day: [0, 1] }) },
    ]);
    // a has day 0 in both: 1 + 10; b has day 0 in the one and day 1 in the other.
    expect(traced.days).toMatchObject({
      vmIds: ['sha/a', 'sha/b'],
      vm: [0, 1, 1],
      day: [0, 0, 1],
      seconds: [20, 20, 20],
      cost: [11, 2, 20],
      starvedAny: [10, 6, 6],
      starved: { cpu: [6, 4, 4] },
    });
  });

  it('never adds up two currencies', async () => {
    const euro = record(null, {});
    (euro.result as { currency: string }).currency = 'EUR';
    const { code } = await problemOf(() =>
      poolRuns('x', [
        { name: 'a', record: euro },
        { name: 'b', record: record(null, {}) },
      ]),
    );
    expect(code).toBe('SWEEP_COMPARE_CURRENCIES');
  });
});

describe('a sweep compared', () => {
  it('pairs every configuration with the baseline over all replicates', () => {
    const comparison = compareSweep(folder, { ...OPTIONS, margin: 0.01 });
    expect(comparison.baseline).toBe('policy=vpa');
    expect(comparison.configurations).toHaveLength(4);
    const { configurations } = configurationsOf(folder, ['seed']);
    const pooled = configurations.map(({ label, runs }) =>
      poolRuns(
        label,
        runs.map((id, i) => ({ name: `seed=${i + 1}`, record: folder.record(id) })),
      ),
    );
    const direct = compareRuns(pooled, 'policy=vpa', { resamples: 500 });
    for (const { label, paired, nonInferiority, oracle, front } of comparison.configurations) {
      expect(paired).toEqual(direct.filter(({ policy }) => policy === label));
      expect(oracle).toBe(label === 'policy=oracle');
      expect(front && oracle).toBe(false);
      const any = paired.find(({ measure }) => measure === 'violationRate.any');
      expect(nonInferiority?.holds).toBe(any && (any.high ?? 1) < 0.01);
      for (const { low, high } of paired) expect(low).toBeLessThanOrEqual(high!);
    }
    // The front: nobody on it is beaten by another of them.
    const rivals = comparison.configurations.filter(({ oracle }) => !oracle);
    for (const c of rivals) {
      const beaten = rivals.some(
        (d) =>
          d !== c &&
          d.costPerVmDay <= c.costPerVmDay &&
          d.violationRate <= c.violationRate &&
          (d.costPerVmDay < c.costPerVmDay || d.violationRate < c.violationRate),
      );
      expect(c.front).toBe(!beaten);
    }
  });

  it('is sensitive to what matters', () => {
    const { sensitivity } = compareSweep(folder, OPTIONS);
    const share = (policy: string | null, axis: string) =>
      sensitivity.find((s) => s.policy === policy && s.axis === axis && s.measure === 'violationRate.any')
        ?.share;
    expect(share(null, 'policy')).toBeGreaterThan(share(null, 'seed')!);
    expect(share('vpa', 'policies.threshold.up')).toBeUndefined();
    expect(share('threshold', 'policies.threshold.up')).toBeGreaterThan(0);
  });

  it('reads as a table with intervals', () => {
    const text = comparisonText(compareSweep(folder, { ...OPTIONS, margin: 0.01 }));
    expect(text).toMatch(/^ {3}policy=oracle +\$/m);
    expect(text).toMatch(/^\* {2}up=1\.\d, policy=threshold +\$\d\.\d+ +\S+ \[\S+, \S+\]/m);
    expect(text).toContain('policy=vpa');
    expect(text).toMatch(/^threshold +up +/m);
    // An effect size stands before each p.
    expect(text).toMatch(/d +p +violated, %.* d +p +no worse/);
  });

  it('takes a baseline by its axes, and says what is wrong', async () => {
    const { baseline } = compareSweep(folder, {
      ...OPTIONS,
      baseline: 'policy=threshold, policies.threshold.up=1.4',
    });
    expect(baseline).toBe('policies.threshold.up=1.4, policy=threshold');
    const code = async (options: Partial<CompareSweepOptions>) =>
      (await problemOf(() => compareSweep(folder, { ...OPTIONS, ...options }))).code;
    expect(await code({ baseline: 'policy=threshold' })).toBe('SWEEP_COMPARE_BASELINE');
    expect(await code({ baseline: 'policy=lstm' })).toBe('SWEEP_COMPARE_BASELINE');
    expect(await code({ replicates: ['sede'] })).toBe('SWEEP_COMPARE_AXIS');
    expect(await code({ replicates: ['seed', 'policy', 'policies.threshold.up'] })).toBe(
      'SWEEP_COMPARE_TOO_FEW',
    );
    expect(await code({ margin: 0 })).toBe('COMPARE_MARGIN');
    expect(await code({ level: 2 })).toBe('COMPARE_LEVEL');
    expect(await code({ resamples: 0 })).toBe('COMPARE_RESAMPLES');
  });
});
