import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  BUNDLE_FILE,
  type BundleManifest,
  bundleSchema,
  bundleText,
  type Evidence,
  identityText,
  type StagePlan,
  stagePlanSchema,
} from '../../../core/bundle.ts';
import { controllerSchema } from '../../../core/config.ts';
import type { OpenBundle } from '../../../live/promote/open-bundle.ts';
import { loadGates } from '../../../sim/promote/gates-spec.ts';
import { writeBundle } from '../../../sim/promote/write-bundle.ts';

export const CODE = '0.1.0+abcdef012345';

const HASH = 'a'.repeat(64);
const run = (policy: string): Evidence['run'] => ({
  id: 'a1',
  policy,
  resultSha256: HASH,
  decisionsSha256: HASH,
});

/** Round figures: pressure 2 % [1, 3], cost 60 % [50, 70], 20 resizes [10, 30], coverage of CPU 95 % [94, 96]. */
export const EVIDENCE: Evidence = {
  schema: 'foresize/evidence/v1',
  scenario: 'Round figures',
  run: run('ahead'),
  incumbent: run('static'),
  backend: 'none',
  from: '2026-01-01T00:00:00.000Z',
  to: '2026-02-01T00:00:00.000Z',
  vms: 100,
  vmDays: 3100,
  currency: 'USD',
  level: 0.95,
  resamples: 2000,
  workload: { source: 'generated', sha256: HASH, fromMs: 0, toMs: null },
  tunedOn: [],
  measures: [],
  observed: [
    { measure: 'pressureRate', unit: 'share of VM-time', estimate: 0.02, low: 0.01, high: 0.03 },
    { measure: 'costRatio', unit: 'share of the cost of the request', estimate: 0.6, low: 0.5, high: 0.7 },
    { measure: 'resizesPerVmDay', unit: 'resizes/VM-day', estimate: 20, low: 10, high: 30 },
    {
      measure: 'coverage.cpu',
      unit: 'share of forecasts',
      estimate: 0.95,
      low: 0.94,
      high: 0.96,
      nominal: 0.95,
    },
  ],
  against: [],
};

const NO_TOLERANCE = { pressureRate: 0, costRatio: 0, resizesPerVmDay: 0, coverage: 0 };

export function plan(more: object = {}): StagePlan {
  return stagePlanSchema.parse({ canaryShare: 0.3, minVmDays: 1, tolerance: NO_TOLERANCE, ...more });
}

/** A bundle as `openBundle` gives it, without a folder. */
export function bundle(stages: StagePlan = plan(), id = 'b'.repeat(64)): OpenBundle {
  const manifest: BundleManifest = {
    schema: 'foresize/bundle/v1',
    id,
    codeVersion: CODE,
    createdAt: '2026-11-25T00:00:00.000Z',
    models: 'trained-live',
    files: [],
  };
  const controller = controllerSchema.parse({ policies: { ahead: { kind: 'quantile' } }, policy: 'ahead' });
  return {
    path: '/nowhere',
    id,
    manifest,
    config: { controller, stepMs: 300_000, seed: 1 },
    evidence: EVIDENCE,
    gates: [],
    stages,
    models: [],
  };
}

export interface Written {
  readonly folder: string;
  readonly id: string;
  /** Changes the manifest and makes it agree with itself again: what somebody who knows how would do. */
  reseal(change: (manifest: BundleManifest) => object): void;
  /** Writes a file and seals its hash into the manifest. */
  replace(path: string, text: string): void;
  remove(): void;
}

/** A bundle on disk, written by the code that promotes. */
export function written(): Written {
  const out = mkdtempSync(join(tmpdir(), 'foresize-bundle-'));
  const { config, evidence } = bundle();
  const { id, folder } = writeBundle(out, {
    codeVersion: CODE,
    createdAt: '2026-11-25T00:00:00.000Z',
    config,
    evidence,
    gates: [],
    stages: loadGates().gates.stages,
    scenarioText: 'name: Round figures\n',
    models: [{ format: 'foresize-forecast-model' } as never],
  });
  const file = join(folder, BUNDLE_FILE);
  const reseal: Written['reseal'] = (change) => {
    const manifest = change(bundleSchema.parse(JSON.parse(readFileSync(file, 'utf8')))) as BundleManifest;
    writeFileSync(file, bundleText({ ...manifest, id: sha256(identityText(manifest)) }));
  };
  return {
    folder,
    id,
    reseal,
    replace: (path, text) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
      const entry = { path, bytes: Buffer.byteLength(text), sha256: sha256(text) };
      reseal((m) => ({ ...m, files: m.files.map((one) => (one.path === path ? entry : one)) }));
    },
    remove: () => rmSync(out, { recursive: true, force: true }),
  };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
