import { afterAll, describe, expect, it } from 'vitest';
import { measure } from '../../../sim/gate/figures.ts';
import { failed, judge, toBaseline } from '../../../sim/gate/judge.ts';
import { bench } from '../sweep/fixture.ts';
import { gate } from './support.ts';

const here = bench();
afterAll(here.remove);
const TRIES = 20;
const POLICIES = ['threshold', 'vpa'];

/** Two policies under a seed, all prices at `level` times what they are. */
const figuresOf = (seed: number, level: number) =>
  measure(
    gate(here, {
      cases: {
        small: {
          scenario: 'small.yaml',
          set: { seed, 'prices.cpuHour': 0.03 * level, 'prices.memoryGibHour': 0.004 * level },
          policies: POLICIES,
        },
      },
      timing: false,
    }),
  );

describe('a gate, over 20 workloads', () => {
  it('raises nothing when nothing has changed, and catches a cost that is 3 % higher in every try', async () => {
    const alarms: string[][] = [];
    const caught: string[][] = [];
    for (let seed = 1; seed <= TRIES; seed++) {
      const spec = gate(here, { cases: { small: { scenario: 'small.yaml' } }, timing: false });
      const baseline = toBaseline(spec.value, await figuresOf(seed, 1), []);
      const again = failed(await judge(baseline, await figuresOf(seed, 1)));
      alarms.push(again.map(({ key, measure: name }) => `${key} ${name}`));
      const planted = failed(await judge(baseline, await figuresOf(seed, 1.03)));
      caught.push(planted.map(({ key, measure: name }) => `${key} ${name}`));
    }
    expect(alarms).toEqual(Array.from({ length: TRIES }, () => []));
    expect(caught).toEqual(
      Array.from({ length: TRIES }, () => POLICIES.map((policy) => `small/${policy} cost_per_vm_day`)),
    );
  });
});
