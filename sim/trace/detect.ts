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
  if (/^t[,;\t|]/.test(line)) return 'azure-wide';
  if (/\bstart_time\b/.test(line) && /\bcollection_id\b/.test(line)) return 'google2019';
  if (/\bvm_id\b/i.test(line) && /\btimestamp\b/i.test(line)) return 'long';
  // A file with another separator than its format's is told as well: its reader then says what is wrong.
  for (const separator of [',', ';', '\t', '|', /\s+/]) {
    const format = byFields(line.split(separator).map((field) => field.trim()));
    if (format) return format;
  }
  throw unknownFormat(path, 'no format has a first line like this');
}

/** The formats without a header, by how many fields there are and which of them are numbers. */
function byFields(fields: readonly string[]): TraceFormat | undefined {
  const isNumber = (i: number) => NUMBER.test(fields[i] ?? '');
  switch (fields.length) {
    case 1:
      return isNumber(0) ? 'planetlab' : undefined;
    case 2:
      return isNumber(0) && isNumber(1) ? 'google2011' : undefined;
    case 5:
      return isNumber(0) && !isNumber(1) && isNumber(2) && isNumber(4) ? 'azure' : undefined;
    case 9:
      return !isNumber(0) && isNumber(1) ? 'alibaba-machine' : undefined;
    case 11:
      return !isNumber(0) && !isNumber(1) && isNumber(2) ? 'alibaba-container' : undefined;
    default:
      return undefined;
  }
}
