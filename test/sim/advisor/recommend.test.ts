import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { advise } from '../../../sim/advisor/recommend.ts';
import { replay } from '../../../sim/advisor/replay.ts';
import { applyAdvice } from '../../../sim/advisor/run-source.ts';
import { openExperiment, runPolicy } from '../../../sim/experiment.ts';
import { parseScenario } from '../../../sim/scenario.ts';
import { oracleSaving, plantedSaving, wasteful } from './planted.ts';

const MONTH_DAYS = 365.25 / 12;

describe('planted waste', () => {
  it.each([[1], [2], [3]])('is found, nine tenths or more, and nothing is broken: seed %i', async (seed) => {
    const experiment = await wasteful([`seed=${seed}`]);
    const advice = await advise(experiment);
    const before = (await replay(experiment, [])).result;
    const chosen = advice.recommendations.filter(({ id }) => advice.combined?.ids.includes(id));
    const changes = chosen.map(({ change }) => change);
    const after = (await replay(experiment, changes)).result;
    const planted = await oracleSaving(experiment, before, [3, 4]);
    expect(plantedSaving(before, after) / planted).toBeGreaterThan(0.9);
    for (const { effect } of [...advice.recommendations, { effect: advice.combined!.effect }]) {
      expect(effect.saving!.low).toBeGreaterThan(0);
      expect(effect.violation!.high).toBeLessThan(advice.margin);
      expect(effect.deadlines.after).toBe(effect.deadlines.before);
      expect(effect.oomKills.after).toBeLessThanOrEqual(effect.oomKills.before);
    }
    // Ranked, and each held back one says why.
    const savings = advice.recommendations.map(({ effect }) => effect.saving!.value);
    expect(savings).toEqual([...savings].sort((a, b) => b - a));
    for (const { withheld } of advice.withheld) expect(withheld.length).toBeGreaterThan(0);
  });
});

describe('advise', () => {
  it('gives the figure that a run of the applied scenario has', async () => {
    const experiment = await wasteful(['duration=4d', 'advisor.idleDays=2'], 1);
    const advice = await advise(experiment);
    const result = (await replay(experiment, [])).result;
    const source = { folder: '', result, loaded: { ...experiment, baseDir: '.', file: 'waste.yaml' } };
    expect(advice.recommendations.length).toBeGreaterThan(2);
    for (const [ids, effect] of [
      ...advice.recommendations.map((r) => [[r.id], r.effect] as const),
      [advice.combined!.ids, advice.combined!.effect] as const,
    ]) {
      const text = applyAdvice(source, advice, ids);
      const scenario = parseScenario(text, 'changed.yaml');
      const again = await openExperiment({ scenario, baseDir: '.', file: 'changed.yaml' });
      const { result: second } = await runPolicy(again, scenario.policy);
      expect((second.fleet.cost.total / 3) * MONTH_DAYS).toBeCloseTo(effect.costAfter, 9);
      expect(effect.costBefore - effect.costAfter).toBeCloseTo(effect.saving!.value, 6);
      expect(second.jobs?.missed).toBe(effect.deadlines.after);
    }
    expect(() => applyAdvice(source, advice, [advice.withheld[0]!.id])).toThrow('ADVICE_WITHHELD');
    expect(() => applyAdvice(source, advice, ['x'])).toThrow('ADVICE_UNKNOWN_ID');
    expect(parse(applyAdvice(source, advice, [advice.recommendations[0]!.id])).changes).toHaveLength(1);
  });

  it('is the same each time', async () => {
    const once = async () => advise(await wasteful(['duration=3d', 'advisor.kinds=[right-size]'], 1));
    expect(await once()).toEqual(await once());
  });

  it('withholds what one day cannot tell, and says so', async () => {
    const advice = await advise(await wasteful(['duration=2d'], 1));
    expect(advice.recommendations).toEqual([]);
    expect(advice.combined).toBeNull();
    expect(advice.withheld.flatMap(({ withheld }) => withheld.map(({ code }) => code))).toContain(
      'NO_INTERVAL',
    );
    expect(advice.notes[0]).toContain('shorter than the 5 days');
  });

  it('withholds an allocation that would leave VMs short', async () => {
    const advice = await advise(
      await wasteful(
        ['duration=4d', 'advisor.kinds=[right-size]', 'advisor.quantile=0.5', 'advisor.margin=0'],
        1,
      ),
    );
    const codes = advice.withheld.flatMap(({ withheld }) => withheld.map(({ code }) => code));
    expect(codes).toContain('VIOLATIONS');
  });

  it('withholds spot capacity that is away for longer than tolerated', async () => {
    const advice = await advise(
      await wasteful(
        [
          'duration=4d',
          'advisor.kinds=[spot]',
          'prices.spot.interruptionsPerDay=20',
          'prices.spot.outageMinutes=90',
        ],
        1,
      ),
    );
    const codes = advice.withheld.flatMap(({ withheld }) => withheld.map(({ code }) => code));
    expect(codes).toContain('DOWNTIME');
    expect(advice.recommendations).toEqual([]);
  });

  it('keeps fewer hosts where that is enough, and none too few', async () => {
    const hosts = (count: number) => `hosts.groups=[{count: ${count}, cores: 40, memoryMiB: 262144}]`;
    const sets = ['duration=4d', 'advisor.kinds=[consolidate]', 'prices.hostHour=1', 'warmup=1d'];
    const wide = await advise(await wasteful([...sets, hosts(12)], 1));
    const kept = wide.recommendations[0]!;
    expect(kept.kind).toBe('consolidate');
    expect(kept.effect.waitingS.after).toBe(0);
    // Hosts cost 1 an hour each: what is given back is saved.
    const change = kept.change.kind === 'consolidate' ? kept.change : undefined;
    expect(kept.effect.saving!.value).toBeCloseTo((12 - change!.hosts[0]!) * 24 * MONTH_DAYS, 6);
    const tight = await advise(await wasteful([...sets, hosts(change!.hosts[0]!)], 1));
    expect(tight.recommendations.filter(({ kind, id }) => kind === 'consolidate' && id === kept.id)).toEqual(
      [],
    );
  });
});
