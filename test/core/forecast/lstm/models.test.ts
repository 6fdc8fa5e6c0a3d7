import { beforeAll, describe, expect, test } from 'vitest';
import { ForesizeError } from '../../../../core/errors.ts';
import { type ModelDocument, sealDocument } from '../../../../core/forecast/model-document.ts';
import { uniformAt } from '../../../../core/rng.ts';
import { DAY, EPOCH_MS, isGlobal, type Replay, replay, STEP_MS } from './replay.ts';

const VMS = 6;
const quick = { firstTrainAfter: '2d', firstSteps: 60, hidden: 8, batch: 32 };
/** Each application jumps from an hour of its own, which only a personal part can know. */
const usage = (vm: number, r: number, tick: number) =>
  (r + 1) * (2 + uniformAt(vm * 4 + r, tick, 5) + (tick % DAY > 60 + 70 * (vm % 3) && tick % 7 < 3 ? 3 : 0));
const END = 2 * DAY + 40;
/** Trains as `quick` does not: never. */
const idle = { ...quick, firstTrainAfter: '300d' };

let trained: Replay;
let documents: ModelDocument[];
beforeAll(async () => {
  trained = await replay(VMS, usage, quick);
  trained.run(END);
  // As a store would give them back.
  documents = JSON.parse(JSON.stringify(trained.forecaster.models())) as ModelDocument[];
}, 60_000);

/** A forecaster that has seen the same, but learned nothing. */
async function fresh(params = idle): Promise<Replay> {
  const run = await replay(VMS, usage, params);
  run.run(END);
  return run;
}

const figures = (run: Replay) => [...run.paths(12, [0.1, 0.5, 0.9, 0.99]).values];
const global = () => documents.find((document) => document.applicationId === undefined)!;
const personal = () => documents.filter((document) => document.userId !== undefined);
const hasWeights = (document: ModelDocument) => 'weights' in document.state;

describe('saving and restoring', () => {
  test('gives the same forecasts bit for bit, in any order, now and later', async () => {
    expect(personal().some(hasWeights)).toBe(true);
    const run = await fresh();
    expect(figures(run)).not.toEqual(figures(trained));
    for (const document of [...documents].reverse()) run.forecaster.load(document);
    expect(figures(run)).toEqual(figures(trained));
    expect(run.forecaster.models()).toEqual(trained.forecaster.models());
    run.run(END + 30);
    trained.run(END + 30);
    expect(figures(run)).toEqual(figures(trained));
  });

  test('waits for VMs that are admitted after it', async () => {
    const run = await replay(0, usage, idle);
    for (const document of documents) run.forecaster.load(document);
    const spec = trained.fleet.specs[1]!;
    const slot = run.fleet.admit(spec, 0);
    expect(run.forecaster.saveSlot(slot)).toEqual(
      documents.find((document) => document.vms[spec.vmId])!.vms[spec.vmId],
    );
  });

  test('writes version, training window, losses and backend', () => {
    const accepted = trained.fits.filter((fit) => isGlobal(fit) && fit.outcome === 'accepted');
    const last = accepted.at(-1)!;
    expect(global()).toMatchObject({
      forecaster: 'lstm',
      tick: END - 1,
      training: { tick: last.tick, to: new Date(EPOCH_MS + last.tick * STEP_MS).toISOString() },
      state: {
        version: accepted.length,
        backend: trained.forecaster.backend,
        loss: last.loss,
        lossBefore: last.lossBefore,
      },
    });
    for (const document of personal().filter(hasWeights)) {
      const { applicationId, userId } = document;
      const fit = trained.fits.findLast((f) => f.applicationId === applicationId && f.userId === userId)!;
      expect(document).toMatchObject({
        training: { tick: last.tick, to: new Date(EPOCH_MS + last.tick * STEP_MS).toISOString() },
        state: {
          base: global().state['base'],
          version: fit.version,
          loss: fit.loss,
          lossBefore: fit.lossBefore,
        },
      });
      expect(fit.outcome).toBe('accepted');
      expect(fit.loss).toBeLessThan(fit.lossBefore);
    }
  });

  test('a personal part does not serve on top of another global model', async () => {
    const alone = await fresh();
    alone.forecaster.load(global());
    const other = await replay(VMS, usage, { ...quick, personal: { steps: 0 } }, 2);
    other.run(END);
    const run = await fresh();
    run.forecaster.load(other.forecaster.models()[0]);
    const before = figures(run);
    // The documents of pairs also hold statistics, which are the same here.
    for (const document of personal()) run.forecaster.load(document);
    expect(figures(run)).toEqual(before);
    expect(figures(alone)).not.toEqual(figures(trained));
  });
});

describe('a model document that cannot be used', () => {
  const changed = (change: object) => ({ ...global(), ...change });
  /** A whole document, checksum and all, whose state is not what the model writes. */
  const resealed = (state: object) => {
    const { forecaster, parameters, stepMs, epochMs, tick, vms } = global();
    return sealDocument(
      { forecaster, parameters, stepMs, epochMs },
      { tick, vms, state: { ...global().state, ...state } },
    );
  };
  const lstm = () => (global().state['weights'] as Record<string, string>)['lstm']!;
  const cases: Record<string, [() => unknown, string]> = {
    'is nothing': [() => undefined, 'MODEL_CORRUPT'],
    'is other JSON': [() => ({ hello: 'world' }), 'MODEL_CORRUPT'],
    'has a changed digit': [() => ({ ...global(), tick: global().tick + 1 }), 'MODEL_CORRUPT'],
    'has a changed weight': [() => JSON.parse(JSON.stringify(global()).replace('AA', 'BB')), 'MODEL_CORRUPT'],
    'lacks weights': [() => resealed({ weights: {} }), 'MODEL_CORRUPT'],
    'has too few weights': [() => resealed({ weights: { lstm: lstm().slice(0, 401) } }), 'MODEL_CORRUPT'],
    'has weights that are no base64': [() => resealed({ weights: { lstm: 'f?' } }), 'MODEL_CORRUPT'],
    'has no version': [() => resealed({ version: 0 }), 'MODEL_CORRUPT'],
    'is of another format version': [() => changed({ version: 99 }), 'MODEL_FOREIGN'],
  };
  for (const [title, [make, code]] of Object.entries(cases)) {
    test(`because it ${title} is refused with ${code}, and training goes on at once`, async () => {
      const run = await fresh();
      const before = figures(run);
      let error: unknown;
      try {
        run.forecaster.load(make());
      } catch (e) {
        error = e;
      }
      expect(error).toBeInstanceOf(ForesizeError);
      expect((error as ForesizeError).code).toBe(code);
      expect(figures(run)).toEqual(before);
      run.run(END + 10);
      expect(run.fits[0]).toMatchObject({ tick: END, version: 1 });
      expect(run.fits[0]!.outcome).toBe('accepted');
    });
  }

  test('because it was made with other sizes is refused as foreign', async () => {
    const run = await fresh({ ...idle, hidden: 16 });
    expect(() => run.forecaster.load(global())).toThrow('MODEL_FOREIGN');
  });
});
