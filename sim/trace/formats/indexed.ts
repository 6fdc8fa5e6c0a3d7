import { basename, dirname, resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { filesOf, stem, type TraceFile } from '../files.ts';
import { forEachLine } from '../lines.ts';
import { emptyFile, twoFiles } from '../problems.ts';
import { type ReadContext, FIVE_MINUTES as STEP } from '../reader.ts';
import { Row } from '../row.ts';
import type { VmSamples } from '../samples.ts';

/** The files of a folder with one VM a file, and the VMs of them the user asks for. */
export function filesByVm(
  { path, builder }: ReadContext,
  matching: RegExp,
  wanted: string,
): { files: ReadonlyMap<string, TraceFile>; chosen: readonly string[] } {
  const files = new Map<string, TraceFile>();
  for (const file of filesOf(path, matching, wanted)) {
    const id = stem(file.name);
    if (files.has(id)) throw twoFiles(file.path, id);
    files.set(id, file);
  }
  return { files, chosen: builder.select([...files.keys()]) };
}

/** Lets timers and signals through between many small synchronous reads. */
export async function breathe(files: number): Promise<void> {
  if (files % 64 === 63) await setImmediate();
}

/** Midnight UTC of a folder named like 20110303; 0 for any other name. */
export function dateOfFolder(file: TraceFile): number {
  const match = /^(\d{4})(\d{2})(\d{2})$/.exec(basename(dirname(resolve(file.path))));
  return match ? Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3])) : 0;
}

/**
 * Reads a file that has no stamps: line n is the n-th interval of five minutes. A blank line inside stands for an
 * interval without a measurement; blank lines at the end are nothing.
 */
export async function readIndexed(
  file: TraceFile,
  { builder, reading }: ReadContext,
  vm: VmSamples,
  fields: number,
  onRow: (row: Row, timeMs: number) => void,
): Promise<void> {
  const row = new Row(file, fields === 1 ? ',' : ' ');
  const epoch = dateOfFolder(file);
  let index = 0;
  let blanks = 0;
  await forEachLine(file, reading, (bytes, start, end, line) => {
    if (!row.set(bytes, start, end, line)) {
      blanks++;
      return;
    }
    for (; blanks > 0; blanks--) {
      vm.sawInvalid(`${file.path}:${line - blanks}: the line is blank`);
      index++;
    }
    row.expect(fields);
    builder.rows++;
    onRow(row, epoch + STEP * index++);
  });
  if (index === 0) throw emptyFile(file.path);
}
