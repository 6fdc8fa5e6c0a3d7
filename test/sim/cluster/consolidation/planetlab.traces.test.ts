import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { runPolicy, type Study, studySchema } from '../../../../sim/cluster/consolidation/study.ts';
import { parseAs, readScenario } from '../../../../sim/scenario.ts';
import { loadTrace } from '../../../../sim/trace/load.ts';
import type { Trace } from '../../../../sim/trace/types.ts';
import { tracesDir } from '../../../support.ts';

const traces = tracesDir();
const file = fileURLToPath(new URL('../../../../scenarios/consolidation/planetlab.yaml', import.meta.url));

/** What CloudSim 3.0.3 printed. */
function oracle(run: string) {
  const text = readFileSync(join(traces!, 'cloudsim-oracle', `sorted_${run}.txt`), 'utf8');
  const after = (label: string) => text.match(new RegExp(`^${label}: ([\\d.]+)`, 'm'))![1]!;
  return {
    energy: after('Energy consumption'),
    migrations: after('Number of VM migrations'),
    slatah: after('SLA time per active host'),
    pdm: after('SLA perf degradation due to migration'),
    slav: after('SLA'),
  };
}

describe.skipIf(traces === undefined)('consolidation beside CloudSim 3.0.3 (needs $FORESIZE_TRACES)', () => {
  let study: Study;
  const days = new Map<string, Trace>();

  beforeAll(async () => {
    study = parseAs(studySchema, readScenario(file), file);
    for (const day of ['20110303', '20110306'])
      days.set(day, await loadTrace({ path: join(traces!, 'planetlab', day) }));
  });

  it.each([
    ['20110303', 'thr_mmt_0.8'],
    ['20110303', 'iqr_mmt_1.5'],
    ['20110303', 'mad_mmt_2.5'],
    ['20110303', 'lr_mmt_1.2'],
    ['20110306', 'thr_mmt_0.8'],
    ['20110306', 'lr_mmt_1.2'],
  ])('%s %s: every printed digit', (day, policy) => {
    const result = runPolicy(study, days.get(day)!, study.policies[policy.replaceAll('_', '-')]!);
    expect({
      energy: result.energyKwh.toFixed(2),
      migrations: String(result.migrations),
      slatah: (result.slatah * 100).toFixed(2),
      pdm: (result.pdm * 100).toFixed(2),
      slav: (result.slav * 100).toFixed(5),
    }).toEqual(oracle(`${day}_${policy}`));
  });

  it('a threshold of 1, where hosts are full to the last MIPS, is within 2 %', () => {
    const result = runPolicy(study, days.get('20110303')!, { kind: 'thr', threshold: 1 });
    const expected = oracle('20110303_thr_mmt_1.0');
    const off = (ours: number, theirs: string) => Math.abs(ours / Number(theirs) - 1);
    expect(off(result.energyKwh, expected.energy)).toBeLessThan(0.005);
    expect(off(result.migrations, expected.migrations)).toBeLessThan(0.02);
    expect(off(result.slatah * 100, expected.slatah)).toBeLessThan(0.02);
  });
});
