import { createHash } from 'node:crypto';
import { closeSync, constants, type Dirent, openSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { z } from 'zod';
import {
  BUNDLE_FILE,
  type BundleConfig,
  type BundleManifest,
  bundleConfigSchema,
  bundleSchema,
  bundleText,
  CONFIG_FILE,
  EVIDENCE_FILE,
  type Evidence,
  evidenceSchema,
  GATES_FILE,
  type GateResult,
  gateResultsSchema,
  identityText,
  MODELS_FOLDER,
  STAGES_FILE,
  type StagePlan,
  stagePlanSchema,
} from '../../core/bundle.ts';
import { EXIT, ForesizeError } from '../../core/errors.ts';

/** A bundle whose every byte is as it was written. */
export interface OpenBundle {
  readonly path: string;
  readonly id: string;
  readonly manifest: BundleManifest;
  readonly config: BundleConfig;
  readonly evidence: Evidence;
  readonly gates: readonly GateResult[];
  readonly stages: StagePlan;
  /** Model documents for `Persistent.load`, which checks them itself; empty when models are trained live. */
  readonly models: readonly unknown[];
}

/**
 * Opens a bundle. Each file is read once, and what is returned comes from the bytes that were hashed. The folder itself
 * may be reached by a link; within it there are none.
 *
 * @param codeVersion of the running program; the composition root has it
 * @throws ForesizeError BUNDLE_UNREADABLE, BUNDLE_INVALID, BUNDLE_TAMPERED, BUNDLE_FILE_MISSING, BUNDLE_FILE_EXTRA,
 * BUNDLE_LINK, BUNDLE_OTHER_CODE
 */
export function openBundle(path: string, codeVersion: string): OpenBundle {
  const folder = resolve(path);
  const present = filesOf(folder);
  const manifest = readManifest(folder, present);
  requireCode(folder, manifest, codeVersion);
  const expected = new Set([BUNDLE_FILE, ...manifest.files.map((file) => file.path)]);
  const extra = present.find((file) => !expected.has(file));
  if (extra !== undefined) {
    throw problem('BUNDLE_FILE_EXTRA', 'the bundle does not name this file', join(folder, extra), REMAKE);
  }
  const bytes = new Map(manifest.files.map((file) => [file.path, verified(folder, file)]));
  const open = <T>(file: string, schema: z.ZodType<T>) => contentOf(folder, file, bytes.get(file), schema);
  const gates = open(GATES_FILE, gateResultsSchema);
  const failed = gates.find(({ pass }) => !pass);
  if (failed) throw invalid(join(folder, GATES_FILE), `the gate ${failed.gate} was not passed`);
  return {
    path: folder,
    id: manifest.id,
    manifest,
    config: open(CONFIG_FILE, bundleConfigSchema),
    evidence: open(EVIDENCE_FILE, evidenceSchema),
    gates,
    stages: open(STAGES_FILE, stagePlanSchema),
    models: [...bytes]
      .filter(([file]) => file.startsWith(`${MODELS_FOLDER}/`))
      .map(([file, data]) => json(join(folder, file), data)),
  };
}

const REMAKE = 'make it again with `foresize promote`, and copy the folder as it is';

/** Paths of everything in the folder, sorted. */
function filesOf(folder: string): string[] {
  const list = (): Dirent[] => {
    try {
      return readdirSync(folder, { recursive: true, withFileTypes: true });
    } catch (cause) {
      throw problem(
        'BUNDLE_UNREADABLE',
        `the bundle cannot be read: ${(cause as Error).message}`,
        folder,
        'name a folder that `foresize promote` wrote, and let this user read it',
        EXIT.usage,
        cause,
      );
    }
  };
  const paths: string[] = [];
  for (const entry of list()) {
    const path = relative(folder, join(entry.parentPath, entry.name));
    if (entry.isDirectory() && path === MODELS_FOLDER) continue;
    if (!entry.isFile() && !entry.isDirectory()) {
      throw problem(
        'BUNDLE_LINK',
        'this is a link or a device: a bundle holds plain files only',
        join(folder, path),
        REMAKE,
      );
    }
    paths.push(path);
  }
  return paths.sort();
}

function readManifest(folder: string, present: readonly string[]): BundleManifest {
  const where = join(folder, BUNDLE_FILE);
  if (!present.includes(BUNDLE_FILE)) {
    throw problem(
      'BUNDLE_UNREADABLE',
      `the folder holds no ${BUNDLE_FILE}`,
      folder,
      'name a folder that `foresize promote` wrote',
      EXIT.usage,
    );
  }
  const bytes = read(where);
  const manifest = contentOf(folder, BUNDLE_FILE, bytes, bundleSchema);
  if (
    !Buffer.from(bundleText(manifest)).equals(bytes) ||
    sha256(Buffer.from(identityText(manifest))) !== manifest.id
  ) {
    throw tampered(where, "it does not agree with the bundle's id");
  }
  return manifest;
}

function requireCode(folder: string, manifest: BundleManifest, codeVersion: string): void {
  if (manifest.codeVersion === codeVersion) return;
  throw problem(
    'BUNDLE_OTHER_CODE',
    `the bundle was proven with foresize ${manifest.codeVersion}; this is ${codeVersion}`,
    folder,
    'run the scenario again with this version and promote that run, or start the version the bundle was made with',
  );
}

function verified(folder: string, { path, bytes, sha256: wanted }: BundleManifest['files'][number]): Buffer {
  const where = join(folder, path);
  const data = read(where);
  if (data.length !== bytes || sha256(data) !== wanted) throw tampered(where, 'its hash is another');
  return data;
}

function read(file: string): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW);
    return readFileSync(descriptor);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      throw problem('BUNDLE_FILE_MISSING', 'the bundle names this file, and it is not there', file, REMAKE);
    }
    throw problem(
      'BUNDLE_UNREADABLE',
      `the file cannot be read: ${message}`,
      file,
      'let this user read it',
      EXIT.usage,
      cause,
    );
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function contentOf<T>(folder: string, file: string, data: Buffer | undefined, schema: z.ZodType<T>): T {
  const where = join(folder, file);
  if (!data) throw problem('BUNDLE_FILE_MISSING', 'the bundle does not name this file', where, REMAKE);
  const parsed = schema.safeParse(json(where, data));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(where, `${issue?.path.join('.') || 'it'}: ${issue?.message}`);
}

function json(where: string, data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch (cause) {
    throw invalid(where, (cause as Error).message);
  }
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function invalid(where: string, why: string): ForesizeError {
  return problem('BUNDLE_INVALID', `the bundle does not read: ${why}`, where, REMAKE);
}

function tampered(where: string, why: string): ForesizeError {
  return problem('BUNDLE_TAMPERED', `the file was changed after the bundle was made: ${why}`, where, REMAKE);
}

function problem(
  code: string,
  what: string,
  where: string,
  remedy: string,
  exit: number = EXIT.refused,
  cause?: unknown,
): ForesizeError {
  return new ForesizeError({ code, what, where, remedy }, exit, cause);
}
