import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ForesizeError } from '../../core/errors.ts';
import { emptyFolder, notFound, unreadable } from './problems.ts';

/** A file of a trace. `name` is its path below the root the user named, with `/` on every system. */
export interface TraceFile {
  readonly path: string;
  readonly name: string;
}

/** Order of names that is the same on every system and in every locale: by UTF-16 code unit. */
export function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

export function stat(path: string): Stats {
  try {
    return statSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw notFound(path);
    throw unreadable(path, cause);
  }
}

export interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** What a folder holds, sorted, so that no result depends on the order of a directory. Hidden names are left out. */
export function list(folder: string): Entry[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => !name.startsWith('.'))
      .map((entry) => ({
        name: entry.name,
        isFolder: entry.isSymbolicLink() ? stat(join(folder, entry.name)).isDirectory() : entry.isDirectory(),
      }))
      .sort((a, b) => byName(a.name, b.name));
  } catch (cause) {
    throw cause instanceof ForesizeError ? cause : unreadable(folder, cause);
  }
}

/** Notes about a trace that lie beside it and are no data. */
export const BESIDES = /^(readme|license|licence|copying|citation|sha256sums?|md5sums?)(\.|$)|\.(md|pdf)$/i;

/** `path` itself, or the files of the folder `path` whose name matches, sorted. */
export function filesOf(path: string, matching: RegExp, wanted: string): TraceFile[] {
  if (!stat(path).isDirectory()) return [{ path, name: basename(path) }];
  const files: TraceFile[] = [];
  const folders: string[] = [];
  for (const { name, isFolder } of list(path)) {
    if (isFolder) folders.push(name);
    else if (matching.test(name) && !BESIDES.test(name)) files.push({ path: join(path, name), name });
  }
  if (files.length === 0) throw emptyFolder(path, wanted, folders);
  return files;
}

/** The first of `names` that exists in `folder`, as a file of the trace; undefined when none does. */
export function oneOf(folder: string, names: readonly string[], prefix = ''): TraceFile | undefined {
  for (const name of names) {
    const path = join(folder, name);
    try {
      if (statSync(path).isFile()) return { path, name: prefix + name };
    } catch {
      // Absent: the next name may exist.
    }
  }
  return undefined;
}

/** File name without folder and endings: `machine/1.csv.gz` is `1`. */
export function stem(name: string): string {
  return basename(name)
    .replace(/\.gz$/i, '')
    .replace(/\.(csv|txt|json|parquet)$/i, '');
}

/** SHA-256 of a file that another library reads, in hexadecimal. */
export async function hashFile(path: string, onChunk: (bytes: number) => void): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      hash.update(chunk as Buffer);
      onChunk((chunk as Buffer).length);
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
  return hash.digest('hex');
}

/** The identity of a trace from the hashes of its files; see `ReadReport.sha256`. */
export function identity(hashes: ReadonlyMap<string, string>): string {
  const names = [...hashes.keys()].sort(byName);
  if (names.length === 1) return hashes.get(names[0]!)!;
  const hash = createHash('sha256');
  for (const name of names) hash.update(`${hashes.get(name)}  ${name}\n`);
  return hash.digest('hex');
}
