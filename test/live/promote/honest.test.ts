import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUNDLE_FILE } from '../../../core/bundle.ts';
import { type OpenBundle, openBundle } from '../../../live/promote/open-bundle.ts';
import { Stages } from '../../../live/promote/stages.ts';
import { openExperiment, runPolicy } from '../../../sim/experiment.ts';
import { promote } from '../../../sim/promote/promote.ts';
import { loadScenario } from '../../../sim/scenario.ts';
import { GATES, place } from '../../sim/promote/fixture.ts';

const here = place();
afterAll(here.remove);

let bundle: OpenBundle;
beforeAll(async () => {
  const stages = { canaryShare: 0.5, minVmDays: 4, automatic: true };
  const { folder } = (await promote(await here.run(), here.gates({ ...GATES, stages }))).bundle!;
  const { codeVersion } = JSON.parse(readFileSync(join(folder, BUNDLE_FILE), 'utf8'));
  bundle = openBundle(folder, codeVersion);
}, 60_000);

/** Goes live in another simulated world, day by day, with what a daemon would see of it; gives every event. */
async function live(sets: readonly string[], from: 'shadow' | 'canary'): Promise<string[]> {
  const experiment = await openExperiment(loadScenario(here.path('promoted.yaml'), sets));
  const { evidence } = await runPolicy(experiment, 'ahead', { evidence: true });
  let at = 0;
  const stages = new Stages(bundle, { now: () => at });
  stages.setFleet(new Set(evidence!.days.map(({ vmId }) => vmId)));
  const events = [];
  if (from === 'canary') {
    for (const { vmId, sums } of evidence!.days) stages.observe(vmId, sums);
    events.push(...stages.advance('test'));
  }
  for (let day = 0; day < 4; day++) {
    at += 86_400_000;
    for (const one of evidence!.days) if (one.day === day) stages.observe(one.vmId, one.sums);
    events.push(...stages.judge());
  }
  return events.map(({ kind, from, to, by }) => `${kind} ${from} -> ${to} by ${by}`);
}

describe('a bundle of a real run', () => {
  it('reaches all VMs where the world is like the one it was proven in', async () => {
    expect(await live(['seed=2'], 'shadow')).toEqual([
      'stage shadow -> canary by foresize',
      'stage canary -> all by foresize',
    ]);
  });

  it('stays in shadow where its forecasts are not what they were', async () => {
    expect(await live(['seed=2', 'policies.ahead.quantile=0.7'], 'shadow')).toEqual([
      'alarm shadow -> shadow by foresize',
    ]);
  });

  it('comes back from the canary where VMs run short though the forecasts are right', async () => {
    // Every resize of CPU takes 50 minutes: what is forecast well comes too late.
    expect(await live(['seed=2', 'hypervisor.cpu.latencyMs=3000000'], 'canary')).toEqual([
      'stage shadow -> canary by test',
      'alarm canary -> shadow by foresize',
      'stage canary -> shadow by foresize',
    ]);
  });
});
