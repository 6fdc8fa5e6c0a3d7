import { basename, join } from 'node:path';
import { BESIDES, list, stat, type TraceFile } from './files.ts';
import { peek } from './lines.ts';
import { emptyFile, emptyFolder, unknownFormat } from './problems.ts';
import type { TraceFormat } from './types.ts';

/** Files whose name alone gives the format away. */
const NAMES: readonly (readonly [RegExp, TraceFormat])[] = [
  [/^(tasks|fragments)\.parquet$/i, 'opendc'],
  [/^vm_cpu_readings/i, 'azure'],
  [/^machine_usage.*\.csv(\.gz)?$/i, 'alibaba-machine'],
  [/^container_usage.*\.csv(\.gz)?$/i, 'alibaba-container'],
  [/^instance_usage.*\.(json|csv)(\.gz)?$/i, 'google2019'],
  [/\.parquet$/i, 'long'],
];

/**
 * The format of the trace at `path`, from names and the first line of the first file.
 *
 * @throws ForesizeError TRACE_UNKNOWN_FORMAT, listing the formats, when it cannot be told
 */
export function detect(path: string): TraceFormat {
  if (!stat(path).isDirectory()) return byNameOf(basename(path)) ?? byFirstLine(path);
  const entries = list(path);
  const found = new Set<TraceFormat>();
  for (const { name } of entries) {
    const format = byNameOf(name);
    if (format) found.add(format);
  }
  if (found.size > 1) throw unknownFormat(path, `the folder holds files of ${[...found].join(' and ')}`);
  const format = found.values().next().value;
  if (format) return format;

  const folders: string[] = [];
  for (const { name, isFolder } of entries) {
    if (isFolder) folders.push(name);
    else if (!BESIDES.test(name) && !/\.json$/i.test(name)) return byFirstLine(join(path, name));
  }
  throw emptyFolder(path, 'files', folders);
}

function byNameOf(name: string): TraceFormat | undefined {
  return NAMES.find(([pattern]) => pattern.test(name))?.[1];
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function byFirstLine(path: string): TraceFormat {
  const file: TraceFile = { path, name: basename(path) };
  const text = peek(file, 4096)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  const line = text
    .split(/\r?\n/)
    .find((candidate) => candidate.trim() !== '')
    ?.trim();
  if (line === undefined) throw emptyFile(path);

  if (/^"?timestamp \[ms\]/i.test(line)) return 'bitbrains';
  if (line.includes('CPU_USAGE_ACTUAL')) return 'vasim';
  if (line.startsWith('{') && line.includes('"collection_id"')) return 'google2019';
  if (/^t[,;\t]/.test(line)) return 'azure-wide';
  const fields = line.split(',').map((field) => field.trim());
  const names = fields.map((field) => field.toLowerCase());
  if (names.includes('start_time') && names.includes('collection_id')) return 'google2019';
  if (/\bvm_id\b/i.test(line) && /\btimestamp\b/i.test(line)) return 'long';

  const isNumber = (i: number) => NUMBER.test(fields[i] ?? '');
  if (fields.length === 1) {
    const words = line.split(/\s+/);
    if (words.every((word) => NUMBER.test(word))) {
      if (words.length === 1) return 'planetlab';
      if (words.length === 2) return 'google2011';
    }
  }
  if (fields.length === 5 && isNumber(0) && !isNumber(1) && isNumber(2) && isNumber(4)) return 'azure';
  if (fields.length === 9 && !isNumber(0) && isNumber(1)) return 'alibaba-machine';
  if (fields.length === 11 && !isNumber(0) && !isNumber(1) && isNumber(2)) return 'alibaba-container';
  throw unknownFormat(path, 'no format has a first line like this');
}
