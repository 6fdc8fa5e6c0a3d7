import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { experimentOf, historyOf, recommendFromHistory } from '../../../sim/advisor/from-history.ts';
import { advise } from '../../../sim/advisor/recommend.ts';
import { replay } from '../../../sim/advisor/replay.ts';
import { readTicksHistory } from '../../../sim/advisor/ticks-history.ts';
import { executeScenario } from '../../../sim/execute.ts';
import { wasteful } from './planted.ts';

const STEP = 300_000;

it('finds in a recorded history what it finds in the run', async () => {
  const experiment = await wasteful(
    ['duration=4d', 'warmup=0s', 'advisor.idleDays=2', 'advisor.kinds=[retire,right-size]', 'record.vms=100'],
    1,
  );
  const { scenario } = experiment;
  const out = mkdtempSync(join(tmpdir(), 'advisor-'));
  try {
    const done = await executeScenario({ scenario, baseDir: '.', file: 'waste.yaml' }, 'static', out);
    const columns = await readTicksHistory(join(done.folder, 'ticks.parquet'), STEP);
    expect(columns.vms).toHaveLength(8);
    const told = await recommendFromHistory(columns, scenario);
    const run = await advise(experiment);
    const summary = (advice: typeof told) =>
      advice.recommendations.map(({ kind, subject, vms, effect }) => ({
        kind,
        subject,
        vms: [...vms].sort(),
        saving: Math.round(effect.saving!.value),
      }));
    expect(summary(told)).toEqual(summary(run));
    expect(told.run).toBeNull();
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
});

const vm = (usage: number[], pressure?: number[]) => ({
  vmId: 'v',
  applicationId: 'a',
  userId: 'u',
  start: 0,
  usage: Float32Array.from(usage),
  ...(pressure && { pressure: Float32Array.from(pressure) }),
  allocation: Float32Array.from(usage, (_, i) => [2, 1024, 0, 0][i % 4]!),
});

it('takes pressure as a sign of what was held back, within reason', () => {
  const history = historyOf({
    epochMs: 0,
    stepMs: STEP,
    vms: [vm([1, 500, 0, 0, 1, 500, 0, 0], [0.5, 0, 0, 0, 0.9, 0, 0, 0])],
  });
  // 1 / (1 - 0.5) = 2; at 0.9 it would be 10, but never more than three times what was seen.
  expect([history.vms[0]!.usage[0], history.vms[0]!.usage[4]]).toEqual([2, 3]);
  expect(history.ticks).toBe(2);
});

it('replays the row of a tick as the demand of the time before it', async () => {
  const { scenario } = await wasteful();
  const usage = Array.from({ length: 400 }, (_, t) => [t / 400, 500, 0, 0]).flat();
  const experiment = experimentOf(historyOf({ epochMs: STEP, stepMs: STEP, vms: [vm(usage)] }), scenario);
  expect(experiment.workload.epochMs).toBe(0);
  const { history } = await replay(experiment, []);
  for (const t of [1, 100, 399]) expect(history.vms[0]!.usage[t * 4]).toBeCloseTo((t - 1) / 400, 6);
});

it('says when there is nothing to learn from', async () => {
  const { scenario } = await wasteful();
  const empty = { epochMs: 0, stepMs: STEP, vms: [] };
  await expect(recommendFromHistory(empty, scenario)).rejects.toThrow('HISTORY_EMPTY');
  const blind = { ...empty, vms: [vm(new Array(400).fill(Number.NaN))] };
  await expect(recommendFromHistory(blind, scenario)).rejects.toThrow('HISTORY_EMPTY');
});
