import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);

let cached: string | undefined;

/**
 * `version+hash`: the package's version and a hash of the code that decides results (core and sim), so that a
 * result of other code is never mistaken for one of this.
 */
export function codeVersion(): string {
  if (cached !== undefined) return cached;
  const hash = createHash('sha256');
  const extension = extname(fileURLToPath(import.meta.url));
  for (const file of [...files(join(root, 'core'), extension), ...files(here, extension)]) {
    hash.update(relative(root, file)).update(readFileSync(file));
  }
  cached = `${packageVersion()}+${hash.digest('hex').slice(0, 12)}`;
  return cached;
}

/** Version in package.json, which stands beside the sources or one folder above the build. */
export function packageVersion(): string {
  for (const folder of [root, dirname(root)]) {
    try {
      return (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string }).version;
    } catch {
      // Not there: one folder up.
    }
  }
  return '0.0.0';
}

function files(folder: string, extension: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extname(entry.name) === extension && !entry.name.endsWith('.d.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
