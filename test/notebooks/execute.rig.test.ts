import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tracesDir } from '../support.ts';
import { FOLDER, faults, NOTEBOOKS, readNotebook } from './notebooks.ts';

const tslab = join(FOLDER, 'node_modules', '.bin', 'tslab');

/** Why they cannot run; undefined when they can. */
function missing(): string | undefined {
  if (process.env['FORESIZE_NOTEBOOKS'] !== '1') return 'FORESIZE_NOTEBOOKS=1 is not set';
  if (!existsSync(tslab)) return 'npm ci was not run in notebooks/';
  const nbconvert = spawnSync('jupyter', ['nbconvert', '--version']);
  return nbconvert.status === 0 ? undefined : 'jupyter nbconvert is not installed';
}

const why = missing();
const folder = mkdtempSync(join(tmpdir(), 'foresize-notebooks-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.skipIf(why !== undefined)(`notebooks${why === undefined ? '' : ` (${why})`}`, () => {
  beforeAll(() => {
    // What `tslab install` writes, without touching the user's Jupyter.
    const kernel = join(folder, 'kernels', 'tslab');
    mkdirSync(kernel, { recursive: true });
    const argv = [tslab, 'kernel', '--config-path', '{connection_file}'];
    writeFileSync(
      join(kernel, 'kernel.json'),
      JSON.stringify({ argv, display_name: 'TypeScript (tslab)', language: 'typescript' }),
    );
  });

  it.each(NOTEBOOKS)('%s runs without a person', { timeout: 900_000, retry: 0 }, (name) => {
    const traces = tracesDir();
    const { status, stderr } = spawnSync(
      'jupyter',
      [
        ...['nbconvert', '--to', 'notebook', '--execute', '--ExecutePreprocessor.timeout=600'],
        ...['--output-dir', folder, join(FOLDER, name)],
      ],
      {
        encoding: 'utf8',
        env: { ...process.env, JUPYTER_PATH: folder, ...(traces && { FORESIZE_TRACES: traces }) },
      },
    );
    expect(status, stderr).toBe(0);
    expect(faults(readNotebook(join(folder, name)))).toEqual([]);
  });
});
