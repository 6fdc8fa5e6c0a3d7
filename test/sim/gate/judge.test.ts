import { afterAll, describe, expect, it } from 'vitest';
import { measure } from '../../../sim/gate/figures.ts';
import { failed, judge, toBaseline } from '../../../sim/gate/judge.ts';
import { benchSchema } from '../../../sim/gate/spec.ts';
import { bench, problemOf } from '../sweep/fixture.ts';
import { figures, gate } from './support.ts';

const spec = benchSchema.parse({
  apiVersion: 'foresize/v1',
  name: 'Gate',
  cases: { case: { scenario: 'x' } },
});
const baselineOf = (...args: Parameters<typeof figures>) => toBaseline(spec, [figures(...args)], []);
const verdicts = async (baseline: ReturnType<typeof baselineOf>, ...args: Parameters<typeof figures>) =>
  Object.fromEntries(
    (await judge(baseline, [figures(...args)])).map(({ measure: m, verdict }) => [m, verdict]),
  );

describe('judge', () => {
  it('allows the larger of the two tolerances, in the direction that is worse', async () => {
    const baseline = baselineOf({ cost_per_vm_day: 2, violation_rate: 0.1, fairness: 0.9 });
    const of = (cost: number, rate: number, fairness: number) =>
      verdicts(baseline, { cost_per_vm_day: cost, violation_rate: rate, fairness });
    // 1 % of 2 is 0.02; 2 % of 0.1 is 0.002, above 0.001; fairness may fall by 0.002.
    expect(await of(2.0199, 0.10199, 0.8981)).toEqual({
      cost_per_vm_day: 'same',
      violation_rate: 'same',
      fairness: 'same',
    });
    expect(await of(2.0201, 0.10201, 0.8979)).toEqual({
      cost_per_vm_day: 'worse',
      violation_rate: 'worse',
      fairness: 'worse',
    });
    expect(await of(1.97, 0.09, 0.95)).toEqual({
      cost_per_vm_day: 'better',
      violation_rate: 'better',
      fairness: 'better',
    });
    // 0.0001 + 0.0009 is within the absolute 0.001 although it is ten times as much.
    const small = baselineOf({ violation_rate: 0.0001 });
    expect(await verdicts(small, { violation_rate: 0.00109 })).toEqual({ violation_rate: 'same' });
    expect(await verdicts(small, { violation_rate: 0.00111 })).toEqual({ violation_rate: 'worse' });
  });

  it('notices figures that come and go', async () => {
    const baseline = baselineOf({ cost_per_vm_day: 2, memory_slack: 0.5, cpu_slack: null }, [3]);
    const findings = await judge(baseline, [
      figures({ cost_per_vm_day: 2, memory_slack: null, cpu_slack: 0.1 }),
    ]);
    expect(findings.map(({ measure: m, verdict }) => `${m} ${verdict}`)).toEqual([
      'cost_per_vm_day same',
      'memory_slack gone',
      'cpu_slack new',
    ]);
    const other = await judge(baseline, [figures({ cost_per_vm_day: 2 }, [3], 'case/other')]);
    expect(other.map(({ key, measure: m, verdict }) => `${key} ${m} ${verdict}`)).toEqual([
      'case/other cost_per_vm_day new',
      'case/other time new',
      'case/vpa cost_per_vm_day gone',
      'case/vpa memory_slack gone',
      'case/vpa time gone',
    ]);
    expect(failed(other)).toHaveLength(3);
  });

  it('measures a time again before it calls it worse', async () => {
    const baseline = baselineOf({}, [2]);
    // 35 % of 2 is 0.7.
    expect(await verdicts(baseline, {}, [2.6])).toEqual({ time: 'same' });
    expect(await verdicts(baseline, {}, [5, 4, 2.6])).toEqual({ time: 'same' });
    expect(await verdicts(baseline, {}, [5, 4, 3, 2.8])).toEqual({ time: 'worse' });
    expect(await verdicts(baseline, {}, [1])).toEqual({ time: 'better' });
  });

  it('does not compare figures of different tensor backends', async () => {
    const baseline = baselineOf({ cost_per_vm_day: 2 }, [], 'case/lstm', 'wasm');
    const { code, exitCode } = await problemOf(() =>
      judge(baseline, [figures({ cost_per_vm_day: 2 }, [], 'case/lstm', 'tensorflow')]),
    );
    expect([code, exitCode]).toEqual(['BENCH_BACKEND_DIFFERS', 2]);
  });
});

describe('a planted regression of 3 % in cost', () => {
  const here = bench();
  afterAll(here.remove);
  // Prices of all that is allocated, 3 % dearer: nothing else changes.
  const prices = (factor: number) => ({
    'prices.cpuHour': 0.031611 * factor,
    'prices.memoryGibHour': 0.004237 * factor,
  });
  const run = (seed: number, factor: number) =>
    measure(
      gate(here, {
        cases: { small: { scenario: 'small.yaml', set: { seed, ...prices(factor) }, policies: ['vpa'] } },
        timing: false,
      }),
    );

  it('is caught in 20 tries of 20, and 20 runs without a change raise nothing', async () => {
    let caught = 0;
    let raised = 0;
    for (let seed = 1; seed <= 20; seed++) {
      const baseline = toBaseline(spec, await run(seed, 1), []);
      raised += failed(await judge(baseline, await run(seed, 1))).length;
      caught += failed(await judge(baseline, await run(seed, 1.03))).filter(
        ({ measure: m }) => m === 'cost_per_vm_day',
      ).length;
    }
    expect([caught, raised]).toEqual([20, 0]);
  });
});
