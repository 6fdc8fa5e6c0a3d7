import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, expect } from 'vitest';
import { ForesizeError } from '../../../core/errors.ts';
import { R } from '../../../core/model.ts';
import { loadTrace } from '../../../sim/trace/load.ts';
import type { LoadOptions, Trace } from '../../../sim/trace/types.ts';

const made: string[] = [];
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

/** A folder with these files, for one test file's life; a name ending in .gz has its text zipped. */
export function folderOf(files: Readonly<Record<string, string | Buffer>>): string {
  const root = mkdtempSync(join(tmpdir(), 'foresize-trace-'));
  made.push(root);
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' && name.endsWith('.gz') ? gzipSync(content) : content);
  }
  return root;
}

/** Loads a folder of these files, or with `file` only that one of them. */
export async function load(
  files: Readonly<Record<string, string | Buffer>>,
  options: Partial<LoadOptions> & { file?: string } = {},
): Promise<Trace> {
  const { file, ...rest } = options;
  const root = folderOf(files);
  return loadTrace({ path: file ? join(root, file) : root, ...rest });
}

/** The error of a load that must fail: coded, on one screen, with exit code 2. */
export async function failure(promise: Promise<unknown>): Promise<ForesizeError> {
  const error = await promise.then(
    () => expect.fail('it loaded'),
    (cause: unknown) => cause,
  );
  expect(error).toBeInstanceOf(ForesizeError);
  const problem = error as ForesizeError;
  expect(problem.exitCode).toBe(2);
  expect(problem.message.split('\n').length).toBeLessThan(10);
  expect(problem.message.length).toBeLessThan(800);
  expect(problem.problems[0]!.remedy).toBeTruthy();
  return problem;
}

/** One resource of one VM, interval by interval. */
export function series(trace: Trace, vmId: string, resource: number): number[] {
  const vm = trace.vms.find((candidate) => candidate.vmId === vmId);
  if (!vm) throw new Error(`no VM ${vmId}`);
  const values: number[] = [];
  for (let k = 0; k < vm.usage.length / R; k++) values.push(vm.usage[k * R + resource]!);
  return values;
}
