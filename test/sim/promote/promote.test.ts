import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../../core/errors.ts';
import { judgeGates } from '../../../sim/promote/gates.ts';
import { gatesSchema, loadGates } from '../../../sim/promote/gates-spec.ts';
import { type Promotion, promote } from '../../../sim/promote/promote.ts';
import { promotionText, refusal } from '../../../sim/promote/text.ts';
import { RecordStore } from '../../../sim/sweep/record-store.ts';
import { loadTune } from '../../../sim/tune/spec.ts';
import { tune } from '../../../sim/tune/tune.ts';
import { problemOf } from '../sweep/fixture.ts';
import { GATES, inline, place } from './fixture.ts';

const here = place();
afterAll(here.remove);

let run: string;
let good: Promotion;
beforeAll(async () => {
  run = await here.run();
  good = await promote(run, here.gates(GATES));
}, 60_000);

const UNTUNED = { tunedOn: [], unknown: undefined, source: 'stated: not tuned' };
const figureOf = (gate: string) => good.gates.find((one) => one.gate === gate)!.value!;

describe('promote', () => {
  it('makes a bundle of a run that passes every gate', () => {
    expect(good.gates.filter(({ pass }) => !pass)).toEqual([]);
    expect(good.gates.map(({ gate }) => gate)).toEqual([
      'violationRate.any',
      'cost',
      'vmDays',
      'tuning',
      'coverage.cpu',
      'coverage.memory',
      'coverage.diskIo',
      'coverage.network',
      'churn',
    ]);
    // 6 VMs, 4 days scored.
    expect([good.evidence.vms, good.evidence.vmDays]).toEqual([6, 24]);
    expect(good.evidence.incumbent.policy).toBe('static');
    for (const { measure, estimate, low, high } of [...good.evidence.measures, ...good.evidence.observed]) {
      expect(low, measure).toBeLessThanOrEqual(estimate!);
      expect(high, measure).toBeGreaterThanOrEqual(estimate!);
    }
    expect(promotionText(good)).toContain(`Bundle ${good.bundle!.id.slice(0, 16)}`);
  });

  it('gives the same bytes for the same run, and leaves nothing half-written', async () => {
    const again = await promote(run, here.gates(GATES), { out: here.path('again') });
    expect(again.bundle!.id).toBe(good.bundle!.id);
    const files = (folder: string) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
    expect(files(again.bundle!.folder)).toEqual(files(good.bundle!.folder));
    for (const file of files(good.bundle!.folder)) {
      expect(readFileSync(join(again.bundle!.folder, file), 'utf8'), file).toBe(
        readFileSync(join(good.bundle!.folder, file), 'utf8'),
      );
    }
    expect(readdirSync(here.path('again'))).toEqual([`bundle-${good.bundle!.id.slice(0, 16)}`]);
    expect((await promote(run, here.gates(GATES))).bundle!.reused).toBe(true);
    // What does not belong there is not left beside it: live would refuse the folder.
    writeFileSync(join(good.bundle!.folder, 'notes.txt'), '');
    expect((await promote(run, here.gates(GATES))).bundle!.reused).toBe(false);
    expect(files(good.bundle!.folder)).not.toContain('notes.txt');
  });

  it('says so when the bundle cannot be written', async () => {
    writeFileSync(here.path('plain'), '');
    const problem = await problemOf(() => promote(run, here.gates(GATES), { out: here.path('plain') }));
    expect([problem.code, problem.exitCode]).toEqual(['BUNDLE_UNWRITABLE', EXIT.runtime]);
  });

  it.each([
    ['violationRate.any', -0.001, (limit: number) => ({ violationRate: { any: limit } })],
    ['cost', -0.02, (limit: number) => ({ cost: limit })],
    ['vmDays', 1.5, (limit: number) => ({ vmDays: limit })],
    ['churn', -0.5, (limit: number) => ({ churn: limit })],
  ])('refuses what misses the gate %s by a planted amount', (gate, planted, set) => {
    const limit = figureOf(gate) + planted;
    const gates = judgeGates(good.evidence, UNTUNED, gatesSchema.parse({ ...GATES, ...set(limit) }));
    const failed = gates.filter(({ pass }) => !pass);
    expect(failed.map((one) => one.gate)).toEqual([gate]);
    expect(failed[0]!.margin).toBeCloseTo(-Math.abs(planted), 12);
    const error = refusal(gates);
    expect([error.code, error.exitCode]).toEqual(['PROMOTE_REFUSED', EXIT.refused]);
    expect(error.message).toContain(`by ${Math.abs(planted)}`);
  });

  it('refuses a forecast that is not as honest as it must be, on either side', () => {
    const cpu = good.evidence.observed.find(({ measure }) => measure === 'coverage.cpu')!;
    expect(cpu.nominal).toBeCloseTo(0.93, 12);
    const planted = 0.002;
    const set = { coverage: { below: 0.93 - cpu.low! - planted, above: 1 } };
    const below = judgeGates(good.evidence, UNTUNED, gatesSchema.parse({ ...GATES, ...set }));
    expect(below.find((one) => one.gate === 'coverage.cpu')).toMatchObject({
      pass: false,
      bound: 'at least',
    });
    expect(below.find((one) => one.gate === 'coverage.cpu')!.margin).toBeCloseTo(-planted, 9);
    // The same forecasts, had the quantile been .6: far too many samples lie under it.
    const observed = [{ ...cpu, nominal: 0.6 }];
    const above = judgeGates({ ...good.evidence, observed }, UNTUNED, gatesSchema.parse(GATES));
    expect(above.find(({ gate, bound }) => gate === 'coverage.cpu' && bound === 'at most')).toMatchObject({
      pass: false,
      margin: expect.closeTo(0.7 - cpu.high!, 9),
    });
  });

  it('says that there is no interval where there is none', () => {
    const measures = good.evidence.measures.map((one) => ({ ...one, low: null, high: null }));
    const gates = judgeGates({ ...good.evidence, measures }, UNTUNED, gatesSchema.parse(GATES));
    expect(gates[0]).toMatchObject({ pass: false, value: null, margin: null });
    expect(refusal(gates).message).toContain('there is no interval');
  });

  it('takes a policy without a forecast, and keeps models where there are some', async () => {
    const gates = here.gates({
      ...GATES,
      violationRate: { any: 1 },
      cost: 1,
      coverage: { below: 1, above: 1 },
    });
    const vpa = await promote(await here.run('vpa'), gates);
    expect(vpa.passed).toBe(true);
    expect(vpa.gates.find(({ gate }) => gate === 'coverage')).toMatchObject({ pass: true, value: null });
    const bundle = (folder: string) => JSON.parse(readFileSync(join(folder, 'bundle.json'), 'utf8'));
    expect(bundle(vpa.bundle!.folder).models).toBe('trained-live');
    const short = here.gates({ ...gates.gates, vmDays: 1 });
    const ridge = await promote(await here.run('ridge', ['duration=3d']), short);
    expect(bundle(ridge.bundle!.folder).models).toBe('kept');
    expect(readdirSync(join(ridge.bundle!.folder, 'models')).length).toBeGreaterThan(0);
  });

  it('compares with the incumbent that is named, and only on the same inputs', async () => {
    const vpa = await promote(run, here.gates({ ...GATES, cost: 10 }), { against: 'vpa' });
    expect(vpa.evidence.incumbent.policy).toBe('vpa');
    const folder = await here.run('threshold');
    const other = await promote(run, here.gates({ ...GATES, cost: 10 }), { against: folder });
    expect(other.evidence.incumbent.policy).toBe('threshold');
    // Another seed is another workload.
    const strange = await here.run('static', ['seed=2']);
    for (const against of [strange, 'nobody', 'ahead', 'oracle']) {
      const problem = await problemOf(() => promote(run, here.gates(GATES), { against }));
      expect([problem.code, problem.exitCode], against).toEqual(['PROMOTE_INCUMBENT', EXIT.usage]);
    }
  });

  it('refuses what needs true demand', async () => {
    const oracle = await here.run('oracle');
    expect(await problemOf(() => promote(oracle, here.gates(GATES)))).toMatchObject({
      code: 'PROMOTE_ORACLE',
      exitCode: EXIT.refused,
    });
  });
});

describe('the run that is promoted', () => {
  const copy = (name: string, file: string, change: (text: string) => string): string => {
    const folder = here.path(name);
    cpSync(run, folder, { recursive: true });
    writeFileSync(join(folder, file), change(readFileSync(join(folder, file), 'utf8')));
    return folder;
  };
  const refused = (folder: string) => problemOf(() => promote(folder, here.gates(GATES)));

  it('is refused when a file of it was changed', async () => {
    const result = copy('a', 'result.json', (text) => text.replace('"vmDays":24', '"vmDays":240'));
    expect(await refused(result)).toMatchObject({ code: 'PROMOTE_RUN_TAMPERED', exitCode: EXIT.refused });
    const scenario = copy('b', 'scenario.yaml', (text) => text.replace('quantile: 0.93', 'quantile: 0.5'));
    expect(await refused(scenario)).toMatchObject({ code: 'PROMOTE_RUN_TAMPERED', exitCode: EXIT.refused });
  });

  it('is refused when it was changed and its hash with it: run again, it is another', async () => {
    const folder = copy('c', 'result.json', (text) =>
      text.replace(/"starvedAny":\[[^\]]*\]/, (list) => list.replace(/\d[\d.]*/g, '0')),
    );
    const sha = createHash('sha256')
      .update(readFileSync(join(folder, 'result.json')))
      .digest('hex');
    const manifest = join(folder, 'manifest.json');
    const text = readFileSync(manifest, 'utf8').replace(/"resultSha256": "\w+"/, `"resultSha256": "${sha}"`);
    writeFileSync(manifest, text);
    expect(await refused(folder)).toMatchObject({ code: 'PROMOTE_NOT_REPRODUCED', exitCode: EXIT.refused });
  });

  it('is refused when other code made it, or when it is none', async () => {
    const other = copy('d', 'manifest.json', (text) => text.replace(/"version": "/, '"version": "9.'));
    expect(await refused(other)).toMatchObject({ code: 'PROMOTE_OTHER_CODE', exitCode: EXIT.refused });
    expect(await refused(here.folder)).toMatchObject({
      code: 'PROMOTE_RUN_UNREADABLE',
      exitCode: EXIT.usage,
    });
  });
});

describe('the gates', () => {
  it('are as the page has them', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/promotion.md'), 'utf8');
    writeFileSync(here.path('page.yaml'), /```yaml\n([\s\S]*?)```/.exec(page)![1]!);
    expect(loadGates(here.path('page.yaml')).gates).toMatchObject({ cost: -0.05, stages: { window: '7d' } });
  });

  it('have defaults, and say with line and path what is wrong', async () => {
    expect(loadGates().gates).toMatchObject({ vmDays: 100, cost: 0, violationRate: { any: 0.05 } });
    const problem = await problemOf(() => here.gates({ violationRate: { any: 2 } }));
    expect(problem).toMatchObject({ code: 'GATES_INVALID', exitCode: EXIT.usage });
    expect(problem.where).toMatch(/gates\.yaml:2: violationRate\.any$/);
    expect((await problemOf(() => here.gates({ stages: { window: '-7d' } }))).code).toBe('GATES_INVALID');
    expect((await problemOf(() => loadGates(here.path('none.yaml')))).code).toBe('GATES_UNREADABLE');
  });
});

describe('where a configuration comes from', () => {
  it('must be said', async () => {
    const { gates, passed, bundle } = await promote(run, here.gates({ ...GATES, tuning: {} }));
    expect([passed, bundle]).toEqual([false, null]);
    expect(gates.filter(({ pass }) => !pass)).toMatchObject([{ gate: 'tuning', value: null }]);
    expect(refusal(gates).message).toContain('nothing says what the configuration was tuned on');
  });

  it('is read from the record of a tuning: its training data is refused, what it kept back is not', async () => {
    const spec = {
      apiVersion: 'foresize/v1',
      name: 'Tuned',
      scenario: 'promoted.yaml',
      train: [{ seed: 1 }],
      holdout: [{ seed: 2 }],
      policies: { ahead: { axes: { margin: [0, 0.1] } } },
      references: ['static'],
      search: { candidates: 2 },
    };
    writeFileSync(here.path('tune.yaml'), JSON.stringify(spec));
    const store = new RecordStore(here.path('tuned/runs'));
    store.create();
    const result = await tune(loadTune(here.path('tune.yaml')), store, inline);
    writeFileSync(here.path('tuned/tune.json'), JSON.stringify(result));
    const gates = here.gates({
      vmDays: 24,
      violationRate: { any: 1 },
      cost: 1,
      tuning: { records: ['tuned'] },
    });
    // The default was evaluated as well, so the record holds the configuration of both runs.
    const trained = await promote(run, gates);
    expect(trained.gates.find(({ gate }) => gate === 'tuning')).toMatchObject({
      pass: false,
      value: 1,
      margin: -1,
    });
    expect(trained.evidence.tunedOn).toEqual([trained.evidence.workload]);
    const kept = await promote(await here.run('ahead', ['seed=2']), gates);
    expect(kept.gates.find(({ gate }) => gate === 'tuning')).toMatchObject({ pass: true, value: 0 });
    // A configuration the record does not know is not proven by it.
    const other = await promote(await here.run('ahead', ['seed=2', 'policies.ahead.margin=0.3']), gates);
    expect(other.gates.find(({ gate }) => gate === 'tuning')).toMatchObject({ pass: false, value: null });
  });

  it('is taken from hashes that are stated, and from no record that does not say', async () => {
    const gates = here.gates({ ...GATES, tuning: { tunedOn: [good.evidence.workload.sha256] } });
    const { gates: results } = await promote(run, gates);
    expect(results.find(({ gate }) => gate === 'tuning')).toMatchObject({ pass: false, value: 1 });
    writeFileSync(here.path('tune.json'), '{}');
    const problem = await problemOf(() => promote(run, here.gates({ tuning: { records: ['.'] } })));
    expect([problem.code, problem.exitCode]).toEqual(['PROMOTE_RECORD_UNREADABLE', EXIT.usage]);
  });
});
