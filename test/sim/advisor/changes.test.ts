import { describe, expect, it } from 'vitest';
import type { Change } from '../../../core/cost/change.ts';
import { advise } from '../../../sim/advisor/recommend.ts';
import { replay } from '../../../sim/advisor/replay.ts';
import { openExperiment, runPolicy } from '../../../sim/experiment.ts';
import { loadScenario, parseScenario } from '../../../sim/scenario.ts';
import { WASTE, wasteful } from './planted.ts';

const short = () => wasteful(['duration=3d'], 1);

describe('changes in force', () => {
  it('take retired VMs away, and nothing else', async () => {
    const experiment = await short();
    const before = (await replay(experiment, [])).result;
    const { result } = await replay(experiment, [{ kind: 'retire', vms: ['abandoned-u1-1'] }]);
    expect(result.vms['abandoned-u1-1']).toBeUndefined();
    expect(result.vms['shop-u1-1']).toEqual(before.vms['shop-u1-1']);
  });

  it('are charged: capacity reserved for more than is used costs more', async () => {
    const experiment = await short();
    const { result } = await replay(experiment, [
      { kind: 'reserve', cores: 1000, memoryGib: 0, termMonths: 12, discount: 0.5 },
    ]);
    // 1000 cores at half of 0.031611 an hour, for the two days that are scored.
    expect(result.bill!.reserved).toBeCloseTo(1000 * 0.031611 * 0.5 * 48, 6);
  });

  const rejects = async (change: Change, code: string, sets: string[] = []) => {
    const experiment = await wasteful(['duration=2d', ...sets], 1);
    await expect(replay(experiment, [change])).rejects.toThrow(code);
  };

  it('say what they lack', async () => {
    await rejects({ kind: 'consolidate', hosts: [3] }, 'CHANGE_NO_HOSTS');
    await rejects({ kind: 'spot', applications: ['shop'] }, 'CHANGE_NOT_INTERRUPTIBLE');
    const { scenario } = await short();
    const { spot: _, ...prices } = scenario.prices;
    const experiment = await openExperiment({ scenario: { ...scenario, prices }, baseDir: '.', file: 'x' });
    await expect(replay(experiment, [{ kind: 'spot', applications: ['reports'] }])).rejects.toThrow(
      'CHANGE_NO_SPOT',
    );
  });
});

describe('bad input', () => {
  it('a price list with a missing hour is refused with its place', () => {
    const load = () => loadScenario(WASTE, [`prices.byHour=[${new Array(23).fill(1).join(',')}]`]);
    expect(load).toThrow(/SCENARIO_INVALID: the price of hour 23 is missing.*prices\.byHour/s);
  });

  it('overcommit below 1 is refused', () => {
    const load = () =>
      loadScenario(WASTE, ['hosts.groups=[{count: 1, cores: 8, memoryMiB: 16384, overcommit: {cpu: 0.5}}]']);
    expect(load).toThrow('overcommit below 1');
  });

  it('a deadline already past is counted, and nothing waits for it', async () => {
    const text = (deadline: string) => `
apiVersion: foresize/v1
name: late
duration: 3d
warmup: 1d
workload:
  source: generated
  applications:
    - id: late
      archetype: batch
      jobs: { every: 1d, at: 8h, jitter: 0s, lasts: 2h, deviation: 0, cores: 0.9, deadline: ${deadline} }
prices: { byHour: [${Array.from({ length: 24 }, (_, h) => (h < 6 ? 0.5 : 1)).join(',')}] }
policy: static
policies: { static: { kind: static } }
`;
    const scenario = parseScenario(text('1h'), 'late.yaml');
    const experiment = await openExperiment({ scenario, baseDir: '.', file: 'late.yaml' });
    const { result } = await runPolicy(experiment, 'static');
    expect(result.jobs).toEqual({ jobs: 2, missed: 0, impossible: 2 });
    const advice = await advise(experiment);
    for (const { effect } of advice.withheld) expect(effect.impossible).toBe(2);
    expect(advice.recommendations.filter(({ kind }) => kind === 'shift')).toEqual([]);
  });

  it('a VM larger than any host waits and is counted, and consolidation leaves it out', async () => {
    const experiment = await wasteful(
      [
        'duration=3d',
        'advisor.kinds=[consolidate]',
        'prices.hostHour=1',
        'hosts.groups=[{count: 9, cores: 12, memoryMiB: 131072}]',
      ],
      1,
    );
    const advice = await advise(experiment);
    const all = [...advice.recommendations, ...advice.withheld];
    expect(all.length).toBeGreaterThan(0);
    // The two oversized VMs have 16 cores each: with fewer hosts and no more promised they wait as before.
    for (const { change, effect } of all) {
      const promised = change.kind === 'consolidate' && change.cpuOvercommit !== undefined;
      expect(effect.tooLarge).toEqual({ before: 2, after: promised ? 0 : 2 });
      expect(effect.waitingS.after).toBeLessThanOrEqual(effect.waitingS.before);
    }
  });
});
