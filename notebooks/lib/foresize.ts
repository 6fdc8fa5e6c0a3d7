import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(__dirname, '../..');

/** Folder for what a notebook makes; emptied when its first cell runs. */
export function workFolder(name: string): string {
  const folder = join(tmpdir(), 'foresize-notebooks', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The built command line of this repository: what it prints, or an error with what it said. */
export function foresize(...args: string[]): string {
  const cli = join(ROOT, 'dist', 'cli.js');
  if (!existsSync(cli)) throw new Error('build Foresize first: npm ci && npm run build in the repository');
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (status !== 0) throw new Error(`foresize ${args[0]} ended with code ${status}: ${stderr}`);
  return stdout;
}

/** A path of the folder that FORESIZE_TRACES names, if it is there. */
export function trace(path: string): string | undefined {
  const folder = process.env['FORESIZE_TRACES'];
  const found = folder === undefined ? undefined : join(folder, path);
  return found !== undefined && existsSync(found) ? found : undefined;
}

/** A scenario of this repository. */
export function scenario(name: string): string {
  return join(ROOT, 'scenarios', name);
}

/** Writes an experiment (YAML is a superset of JSON) and gives its path. */
export function experiment(folder: string, name: string, spec: object): string {
  const file = join(folder, name);
  writeFileSync(file, JSON.stringify({ apiVersion: 'foresize/v1', ...spec }, null, 2));
  return file;
}
