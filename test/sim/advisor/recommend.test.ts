import { describe, expect, it } from 'vitest';
import { advise } from '../../../sim/advisor/recommend.ts';
import { replay } from '../../../sim/advisor/replay.ts';
import { oracleSaving, plantedSaving, wasteful } from './planted.ts';

describe('planted waste', () => {
  it.each([1, 2, 3])('is found to at least 90 %%, and nothing is broken, seed %i', async (seed) => {
    const experiment = await wasteful([`seed=${seed}`]);
    const advice = await advise(experiment);
    const before = (await replay(experiment, [])).result;
    const chosen = advice.recommendations.filter(({ id }) => advice.combined?.ids.includes(id));
    const after = (await replay(experiment, chosen.map(({ change }) => change))).result;
    const planted = await oracleSaving(experiment, before);
    const share = plantedSaving(before, after) / planted;
    console.log(seed, share, planted, advice.notes, advice.withheld.map(w=>w.id+' '+w.withheld.map(x=>x.code+x.text)));
    expect(share).toBeGreaterThan(0.9);
    for (const { effect } of [...advice.recommendations, { effect: advice.combined!.effect }]) {
      expect(effect.saving!.low).toBeGreaterThan(0);
      expect(effect.violation!.high).toBeLessThan(0.001);
      expect(effect.deadlines.after).toBe(effect.deadlines.before);
      expect(effect.oomKills.after).toBeLessThanOrEqual(effect.oomKills.before);
    }
  });
});
