import { appendFileSync, closeSync, existsSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import type { Problem } from '../../core/errors.ts';

/** A line of a sweep's journal: how a run ended, when and where. What may differ between machines is here alone. */
export interface JournalEntry {
  readonly id: string;
  readonly at: string;
  readonly worker: string;
  readonly ok: boolean;
  readonly wallSeconds?: number;
  readonly trace?: { readonly source: string; readonly sha256: string };
  readonly problems?: readonly Problem[];
}

export function appendJournal(file: string, entries: readonly JournalEntry[]): void {
  // A sweep that was killed may have left half a line.
  const mend = existsSync(file) && !endsWithNewline(file) ? '\n' : '';
  appendFileSync(file, mend + entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
}

/** Every whole line, in order; a half-written one is passed over. */
export function readJournal(file: string): JournalEntry[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as JournalEntry];
      } catch {
        return [];
      }
    });
}

function endsWithNewline(file: string): boolean {
  const { size } = statSync(file);
  if (size === 0) return true;
  const fd = openSync(file, 'r');
  try {
    const last = Buffer.alloc(1);
    readSync(fd, last, 0, 1, size - 1);
    return last[0] === 10;
  } finally {
    closeSync(fd);
  }
}
