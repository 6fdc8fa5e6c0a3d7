import { beforeAll, describe, expect, test } from 'vitest';
import { uniformAt } from '../../../../core/rng.ts';
import { DAY, type Replay, replay } from './replay.ts';

const quick = { firstSteps: 60, steps: 20, hidden: 8, batch: 32 };
/** vm1 jumps at an hour of its own, which only a personal part can know. */
const usage = (vm: number, r: number, tick: number) =>
  (r + 1) * (2 + uniformAt(vm * 4 + r, tick, 5) + (tick % DAY > 60 + 70 * vm && tick % 7 < 3 ? 3 : 0));
const END = 2 * DAY + 40;
/** Trains as `quick` does not: never. */
const idle = { ...quick, firstTrainAfter: '300d' };

let trained: Replay;
let files: { where: string; text: string }[];
beforeAll(async () => {
  trained = await replay(3, usage, quick);
  trained.run(END);
  files = [{ where: 'global.json', text: trained.forecaster.saveGlobal()! }];
  for (const app of ['app0', 'app1', 'app2']) {
    files.push({ where: `${app}.json`, text: trained.forecaster.savePersonal(app, 'u')! });
  }
});

/** A forecaster that has seen the same, but learned nothing. */
async function fresh(params = idle): Promise<Replay> {
  const run = await replay(3, usage, params);
  run.run(END);
  return run;
}

const figures = (run: Replay) => [...run.paths(12, [0.1, 0.5, 0.9, 0.99]).values];

describe('saving and restoring', () => {
  test('gives the same forecasts bit for bit, now and later', async () => {
    const run = await fresh();
    expect(figures(run)).not.toEqual(figures(trained));
    expect(run.forecaster.restore(files)).toEqual([]);
    expect(figures(run)).toEqual(figures(trained));
    expect(run.forecaster.saveGlobal()).toBe(files[0]!.text);
    expect(run.forecaster.savePersonal('app1', 'u')).toBe(files[2]!.text);
    run.run(END + 30);
    trained.run(END + 30);
    expect(figures(run)).toEqual(figures(trained));
  });

  test('writes version, training window, loss and backend', () => {
    const model = JSON.parse(files[0]!.text) as Record<string, unknown>;
    const global = trained.fits.filter((fit) => fit.part === 'global' && fit.outcome === 'accepted');
    expect(model).toMatchObject({
      format: 'foresize-lstm',
      part: 'global',
      version: global.length,
      backend: trained.forecaster.backend,
      loss: global.at(-1)!.loss,
    });
    const window = model['window'] as { from: number; to: number };
    expect(window.to - window.from).toBe(2 * DAY * 300_000);
    const personal = JSON.parse(files[2]!.text) as Record<string, unknown>;
    expect(personal).toMatchObject({ part: 'personal', applicationId: 'app1', userId: 'u' });
  });

  test('saves nothing before there is anything', async () => {
    const run = await replay(1, usage, idle);
    run.run(5);
    expect(run.forecaster.saveGlobal()).toBeUndefined();
    expect(run.forecaster.savePersonal('app0', 'u')).toBeUndefined();
    expect(trained.forecaster.savePersonal('nobody', 'u')).toBeUndefined();
  });
});

describe('a model file that cannot be used', () => {
  const text = () => files[0]!.text;
  const cases: Record<string, [() => string, string]> = {
    'is cut off': [() => text().slice(0, 5000), 'LSTM_MODEL_CORRUPT'],
    'is empty': [() => '', 'LSTM_MODEL_CORRUPT'],
    'has a flipped bit in its weights': [() => flip(text(), 'AA'), 'LSTM_MODEL_CORRUPT'],
    'has a changed field': [() => text().replace('"version":', '"version":1'), 'LSTM_MODEL_CORRUPT'],
    'lacks a field': [() => text().replace('"backend"', '"frontend"'), 'LSTM_MODEL_CORRUPT'],
    'is other JSON': [() => '{"hello":"world"}', 'LSTM_MODEL_FOREIGN'],
    'is no object': [() => 'null', 'LSTM_MODEL_FOREIGN'],
    'is of another format version': [
      () => text().replace('"formatVersion":1', '"formatVersion":2'),
      'LSTM_MODEL_FOREIGN',
    ],
    'belongs to a global model that is not there': [() => files[1]!.text, 'LSTM_MODEL_FOREIGN'],
  };
  for (const [title, [make, code]] of Object.entries(cases)) {
    test(`because it ${title} is refused with ${code}, and training goes on at once`, async () => {
      const run = await fresh();
      const before = figures(run);
      const problems = run.forecaster.restore([{ where: 'models/a.json', text: make() }]);
      expect(problems).toHaveLength(1);
      expect(problems[0]).toMatchObject({ code, where: 'models/a.json' });
      expect(problems[0]!.remedy).toContain('trained again');
      expect(figures(run)).toEqual(before);
      run.run(END + 10);
      expect(run.fits[0]).toMatchObject({ part: 'global', tick: END, outcome: 'accepted', version: 1 });
    });
  }

  test('because it has other sizes is refused as foreign', async () => {
    const run = await fresh({ ...idle, hidden: 16 });
    const [problem] = run.forecaster.restore(files);
    expect(problem).toMatchObject({ code: 'LSTM_MODEL_FOREIGN', where: 'global.json' });
    expect(problem!.what).toBe('the model was made with hidden 8, the setting has 16');
  });
});

/** Changes one character in the middle of the text's longest run of base64. */
function flip(text: string, by: string): string {
  const at = text.indexOf('"lstm":"') + 2000;
  return text.slice(0, at) + (text.slice(at, at + 2) === by ? 'BB' : by) + text.slice(at + 2);
}
