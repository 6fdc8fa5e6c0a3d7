import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { EXIT, ForesizeError } from '../core/errors.ts';
import { canonicalJson } from './canonical-json.ts';
import type { RunResult } from './result.ts';
import type { Scenario } from './scenario.ts';

/** What made a run, beside its result: everything that may differ between machines. */
export interface Manifest {
  schema: 'foresize/manifest/v1';
  id: string;
  version: string;
  node: string;
  backend: string;
  seed: number;
  lockfileSha256: string | null;
  traceSha256: string | null;
  /** Folder that relative paths in the scenario start from. */
  baseDir: string;
  resultSha256: string;
  startedAt: string;
  wallSeconds: number;
}

/** `root/<id>`: where a run's files are. */
export function runFolder(root: string, id: string): string {
  return join(root, id);
}

/** The result of an earlier, complete run, or undefined. A folder whose result does not match its hash counts as none. */
export function readRun(root: string, id: string): RunResult | undefined {
  const folder = runFolder(root, id);
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
    const text = readFileSync(join(folder, 'result.json'), 'utf8');
    return sha256(text) === manifest.resultSha256 ? (JSON.parse(text) as RunResult) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Writes a run's files under a temporary name, then renames: a folder with the run's id is always whole.
 * @param writeTicks writes `ticks.parquet` to the path it is given
 */
export async function writeRun(
  root: string,
  scenario: Scenario,
  result: RunResult,
  manifest: Omit<Manifest, 'schema' | 'id' | 'resultSha256'>,
  writeTicks: (file: string) => Promise<void>,
): Promise<string> {
  const folder = runFolder(root, result.id);
  const temporary = `${folder}.${process.pid}.tmp`;
  try {
    rmSync(temporary, { recursive: true, force: true });
    mkdirSync(temporary, { recursive: true });
    const text = canonicalJson(result);
    writeFileSync(join(temporary, 'scenario.yaml'), stringify(scenario));
    writeFileSync(join(temporary, 'result.json'), text);
    await writeTicks(join(temporary, 'ticks.parquet'));
    const full: Manifest = {
      schema: 'foresize/manifest/v1',
      id: result.id,
      resultSha256: sha256(text),
      ...manifest,
    };
    writeFileSync(join(temporary, 'manifest.json'), `${JSON.stringify(full, null, 2)}\n`);
    if (existsSync(folder)) rmSync(folder, { recursive: true });
    renameSync(temporary, folder);
  } catch (cause) {
    discard(temporary);
    throw new ForesizeError(
      {
        code: 'RUN_UNWRITABLE',
        what: `the run's files cannot be written: ${(cause as Error).message}`,
        where: folder,
        remedy: 'free some space or choose another folder with --out',
      },
      EXIT.runtime,
      cause,
    );
  }
  return folder;
}

/** Takes away what was begun, if it is there and can be. */
function discard(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch {
    // Where nothing can be written, nothing was left behind.
  }
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}
