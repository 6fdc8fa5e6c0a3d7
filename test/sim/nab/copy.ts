import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const made: string[] = [];

/** Removes all copies made; for `afterEach`. */
export function removeCopies(): void {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
}

export const ROWS = Array.from({ length: 10 }, (_, i) => `2014-04-01 00:0${i}:00,${i}`);

/** A copy of NAB with one series of ten rows and one window over rows 4 to 6, and with the files given. */
export function copyOf(files: Record<string, string | Buffer>): string {
  const dir = mkdtempSync(join(tmpdir(), 'nab-'));
  made.push(dir);
  const all: Record<string, string | Buffer> = {
    'data/a/one.csv': `timestamp,value\n${ROWS.join('\n')}\n`,
    'labels/combined_windows.json': JSON.stringify({
      'a/one.csv': [['2014-04-01 00:04:00.000000', '2014-04-01 00:06:00.000000']],
      'b/elsewhere.csv': [],
    }),
    'config/profiles.json': JSON.stringify({
      standard: { CostMatrix: { tpWeight: 1, fnWeight: 1, fpWeight: 0.11, tnWeight: 1 } },
    }),
    ...files,
  };
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), content);
  }
  return dir;
}
