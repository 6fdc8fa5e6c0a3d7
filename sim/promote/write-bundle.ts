import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  BUNDLE_FILE,
  type BundleConfig,
  type BundleManifest,
  bundleText,
  CONFIG_FILE,
  EVIDENCE_FILE,
  type Evidence,
  GATES_FILE,
  type GateResult,
  identityText,
  MODELS_FOLDER,
  modelFile,
  SCENARIO_FILE,
  STAGES_FILE,
  type StagePlan,
} from '../../core/bundle.ts';
import { EXIT, ForesizeError } from '../../core/errors.ts';
import type { ModelDocument } from '../../core/forecast/model-document.ts';
import { canonicalJson } from '../canonical-json.ts';
import { sha256 } from '../run-folder.ts';

export interface BundleContent {
  readonly codeVersion: string;
  readonly createdAt: string;
  readonly config: BundleConfig;
  readonly evidence: Evidence;
  readonly gates: readonly GateResult[];
  readonly stages: StagePlan;
  readonly scenarioText: string;
  readonly models: readonly ModelDocument[];
}

export interface WrittenBundle {
  readonly id: string;
  readonly folder: string;
  /** The same bundle was there already. */
  readonly reused: boolean;
}

/**
 * Writes a bundle's files under a temporary name, then renames: a folder with a bundle's name is always whole. The same
 * content gives the same bytes and the same name.
 * @throws ForesizeError BUNDLE_UNWRITABLE
 */
export function writeBundle(out: string, content: BundleContent): WrittenBundle {
  const texts = textsOf(content);
  const files = [...texts].map(([path, text]) => ({
    path,
    bytes: Buffer.byteLength(text),
    sha256: sha256(text),
  }));
  const { codeVersion, createdAt, models } = content;
  const rest: Omit<BundleManifest, 'id'> = {
    schema: 'foresize/bundle/v1',
    codeVersion,
    createdAt,
    models: models.length > 0 ? 'kept' : 'trained-live',
    files,
  };
  const id = sha256(identityText(rest));
  const folder = join(out, `bundle-${id.slice(0, 16)}`);
  texts.set(BUNDLE_FILE, bundleText({ id, ...rest }));
  if (holds(folder, texts)) return { id, folder, reused: true };
  const temporary = `${folder}.${process.pid}.tmp`;
  try {
    rmSync(temporary, { recursive: true, force: true });
    for (const [path, text] of texts) {
      const file = join(temporary, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
    rmSync(folder, { recursive: true, force: true });
    renameSync(temporary, folder);
  } catch (cause) {
    discard(temporary);
    throw new ForesizeError(
      {
        code: 'BUNDLE_UNWRITABLE',
        what: `the bundle cannot be written: ${(cause as Error).message}`,
        where: folder,
        remedy: 'free some space or choose another folder with --out',
      },
      EXIT.runtime,
      cause,
    );
  }
  return { id, folder, reused: false };
}

function textsOf({ config, evidence, gates, stages, scenarioText, models }: BundleContent) {
  const json = (value: unknown) => `${canonicalJson(value, 2)}\n`;
  const texts = new Map([
    [CONFIG_FILE, json(config)],
    [EVIDENCE_FILE, json(evidence)],
    [GATES_FILE, json(gates)],
    [STAGES_FILE, json(stages)],
    [SCENARIO_FILE, scenarioText],
  ]);
  models.forEach((model, i) => {
    texts.set(modelFile(i), `${canonicalJson(model)}\n`);
  });
  return texts;
}

/** Takes away what was begun, if it is there and can be. */
function discard(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Where nothing can be written, nothing was left behind.
  }
}

/** Whether the folder is this bundle, and nothing besides. */
function holds(folder: string, texts: ReadonlyMap<string, string>): boolean {
  try {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
      (file) => file !== MODELS_FOLDER,
    );
    if (files.length !== texts.size) return false;
    return [...texts].every(([path, text]) => readFileSync(join(folder, path), 'utf8') === text);
  } catch {
    return false;
  }
}
