import { spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { ForesizeError } from '../../../core/errors.ts';
import { R } from '../../../core/model.ts';
import type { Entry } from '../../../live/store/entries.ts';
import { decodeFrame, encodeFrame, type JournaledFrame } from '../../../live/store/frame-codec.ts';
import { fileIn, Journal } from '../../../live/store/journal.ts';

const folders: string[] = [];
function folder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'foresize-journal-'));
  folders.push(dir);
  return dir;
}
afterEach(() => {
  for (const dir of folders.splice(0)) rmSync(dir, { recursive: true, force: true });
});

const end = (reason: string): Entry => ({ kind: 'end', at: 1, reason });
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof ForesizeError) return error.code;
    throw error;
  }
  return 'none';
};

function frameOf(tick: number, rows: number, value = Number.NaN): JournaledFrame {
  return {
    tick,
    at: tick * 1000 + 0.5,
    act: tick % 2 === 0,
    vms: Int32Array.from({ length: rows }, (_, k) => k),
    usage: new Float64Array(rows * R).fill(value),
    pressure: new Float64Array(rows * R).fill(0.25),
    allocation: new Float64Array(rows * R).fill(1.5),
    sampledAt: new Float64Array(rows).fill(Number.NEGATIVE_INFINITY),
    oomKills: new Uint16Array(rows).fill(3),
  };
}

describe('frame codec', () => {
  it('gives back what it was given, bit for bit', () => {
    const any = fc.double();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), fc.array(any, { minLength: 61, maxLength: 61 }), (n, v) => {
        const frame = {
          ...frameOf(7, n),
          usage: Float64Array.from(v.slice(0, n * R)),
          sampledAt: Float64Array.from(v.slice(40, 40 + n)),
        };
        expect(decodeFrame(7, encodeFrame(frame))).toEqual(frame);
      }),
    );
  });
});

describe('journal', () => {
  it('keeps entries and frames in the order they were written, over a restart', async () => {
    const dir = folder();
    let journal = Journal.open(dir);
    expect(journal.append(end('a'), frameOf(5, 2, 0.125))).toBe(1);
    expect(journal.append(end('b'))).toBe(3);
    await journal.close();
    journal = Journal.open(dir);
    expect(journal.append(frameOf(6, 0), end('c'))).toBe(4);
    expect(journal.seq).toBe(5);
    const items = [...journal.read()];
    expect(
      items.map(({ seq, entry, frame }) => [seq, entry?.kind === 'end' ? entry.reason : frame?.tick]),
    ).toEqual([
      [1, 'a'],
      [2, 5],
      [3, 'b'],
      [4, 6],
      [5, 'c'],
    ]);
    expect(items[1]!.frame).toEqual(frameOf(5, 2, 0.125));
    expect([...journal.read({ seq: 3, tick: 6 })].map(({ seq }) => seq)).toEqual([3, 4, 5]);
    await journal.close();
  });

  it('belongs to one daemon at a time, and to the next when that is gone', async () => {
    const dir = folder();
    const journal = Journal.open(dir);
    expect(codeOf(() => Journal.open(dir))).toBe('JOURNAL_LOCKED');
    const reader = Journal.attach(dir, false);
    journal.append(end('a'));
    expect([...reader.read()]).toHaveLength(1);
    await reader.close();
    await journal.close();
    await Journal.open(dir).close();
  });

  it('refuses what is no journal, without harm to it', () => {
    for (const [bytes, code] of [
      [Buffer.from('hello'), 'JOURNAL_FOREIGN'],
      [Buffer.alloc(50_000, 7), 'JOURNAL_FOREIGN'],
    ] as const) {
      const dir = folder();
      writeFileSync(fileIn(dir), bytes);
      expect(codeOf(() => Journal.open(dir))).toBe(code);
      expect(readFileSync(fileIn(dir))).toEqual(bytes);
    }
    expect(codeOf(() => Journal.attach(folder(), false))).toBe('JOURNAL_MISSING');
  });

  it('refuses the LMDB file of another program', async () => {
    const dir = folder();
    const { open } = await import('lmdb');
    const other = open({ path: fileIn(dir), noSubdir: true });
    await other.put('theirs', 1);
    await other.close();
    expect(codeOf(() => Journal.open(dir))).toBe('JOURNAL_FOREIGN');
  });

  it('tells a file that was cut short, or whose content was changed', async () => {
    const dir = folder();
    const journal = Journal.open(dir);
    for (let i = 0; i < 50; i++) journal.append(end(`reason ${i}`.padEnd(500, '.')), frameOf(i, 4, i));
    await journal.close();
    const whole = readFileSync(fileIn(dir));
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: whole.length - 4097 }), async (length) => {
        const cut = folder();
        copyFileSync(fileIn(dir), fileIn(cut));
        truncateSync(fileIn(cut), length);
        expect(['JOURNAL_CORRUPT', 'JOURNAL_FOREIGN']).toContain(codeOf(() => Journal.open(cut)));
      }),
      { numRuns: 30 },
    );
    const changed = folder();
    const bytes = Buffer.from(whole);
    bytes[bytes.indexOf('reason 17')]! ^= 1;
    writeFileSync(fileIn(changed), bytes);
    const damaged = Journal.attach(changed, false);
    expect(codeOf(() => [...damaged.read()])).toBe('JOURNAL_CORRUPT');
    await damaged.close();
  });

  it('loses nothing it has confirmed when the writer is killed at any moment', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 120 }), async (ms) => {
        const dir = folder();
        const writer = spawn(process.execPath, ['--input-type=module', '-e', WRITER, dir], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let told = '';
        writer.stdout.on('data', (chunk) => {
          told += chunk;
          if (told.length > 0 && !writer.killed) setTimeout(() => writer.kill('SIGKILL'), ms);
        });
        await new Promise((done) => writer.once('close', done));
        const confirmed = Number(told.trimEnd().split('\n').at(-1));
        const journal = Journal.open(dir);
        const items = [...journal.read()];
        await journal.close();
        // Whole groups of two, all that were confirmed and at most one more.
        expect(items.length % 2).toBe(0);
        expect(items.length / 2).toBeGreaterThanOrEqual(confirmed);
        expect(items.length / 2).toBeLessThanOrEqual(confirmed + 1);
      }),
      { numRuns: 8 },
    );
  });
});

/** Appends groups of an entry and a frame, and tells how many it has. Runs what is built. */
const WRITER = `
import { Journal } from ${JSON.stringify(new URL('../../../dist/live/store/journal.js', import.meta.url).href)};
import { writeSync } from 'node:fs';
const journal = Journal.open(process.argv[1]);
for (let n = 1; ; n++) {
  const frame = { tick: n, at: n, act: true, vms: new Int32Array(1), usage: new Float64Array(4), pressure: new Float64Array(4),
    allocation: new Float64Array(4), sampledAt: new Float64Array(1), oomKills: new Uint16Array(1) };
  journal.append({ kind: 'end', at: n, reason: 'x'.repeat(3000) }, frame);
  writeSync(1, n + '\\n');
}`;
