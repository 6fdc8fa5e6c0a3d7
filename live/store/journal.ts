import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { type Database, open, type RootDatabase } from 'lmdb';
import { ForesizeError } from '../../core/errors.ts';
import type { Entry, Position } from './entries.ts';
import { corrupt, foreign, full, locked, missing, unwritable } from './errors.ts';
import { checkFile } from './file-check.ts';
import { decodeFrame, encodeFrame, type JournaledFrame } from './frame-codec.ts';
import { identify, isAlive, type ProcessIdentity } from './process.ts';

const FORMAT = { format: 'foresize-journal', version: 1 } as const;

/** What `read` gives, in the order it was written. */
export type Item =
  | { readonly seq: number; readonly entry: Entry; readonly frame?: never }
  | { readonly seq: number; readonly frame: JournaledFrame; readonly entry?: never };

/** What `append` takes. */
export type Appendix = Entry | JournaledFrame;

/** LMDB is never let run out of space: its error path can bring the process down. */
const RESERVE_BYTES = 1 << 20;

interface Holder extends ProcessIdentity {
  readonly since: number;
}

/**
 * The append-only record of all that happened, in one LMDB file: entries by a number that counts from 1 without a gap,
 * frames by tick with their number in front. What `append` has returned from is on the disk; a group is there as a
 * whole or not at all. Every value carries a CRC of itself and its key.
 */
export class Journal {
  readonly file: string;
  readonly #dir: string;
  readonly #root: RootDatabase<Buffer, string>;
  readonly #entries: Database<Buffer, number>;
  readonly #frames: Database<Buffer, number>;
  readonly #holder: Holder | undefined;
  #failed: ForesizeError | undefined;

  /**
   * Opens or makes the journal in a folder, for the one daemon that writes it.
   * @throws ForesizeError JOURNAL_LOCKED, JOURNAL_FOREIGN, JOURNAL_CORRUPT, JOURNAL_FULL, JOURNAL_UNWRITABLE
   */
  static open(dir: string): Journal {
    const file = fileIn(dir);
    try {
      mkdirSync(dir, { recursive: true, mode: 0o750 });
    } catch (cause) {
      throw unwritable(file, cause);
    }
    return new Journal(dir, 'hold');
  }

  /**
   * Opens a journal that exists, beside the daemon that may hold it.
   * @param write true for a helper of the daemon, that adds what it did
   */
  static attach(dir: string, write: boolean): Journal {
    if (!existsSync(fileIn(dir))) throw missing(fileIn(dir));
    return new Journal(dir, write ? 'write' : 'read');
  }

  private constructor(dir: string, mode: 'hold' | 'write' | 'read') {
    this.#dir = dir;
    this.file = fileIn(dir);
    if (existsSync(this.file)) checkFile(this.file);
    if (mode === 'hold') this.#requireSpace(0);
    let root: RootDatabase<Buffer, string> | undefined;
    try {
      root = open({
        path: this.file,
        noSubdir: true,
        encoding: 'binary',
        // A commit is on the disk when it returns.
        overlappingSync: false,
        maxDbs: 2,
        readOnly: mode === 'read',
      });
      this.#root = root;
      this.#identify(mode !== 'read');
      this.#entries = root.openDB('entries', { encoding: 'binary' });
      this.#frames = root.openDB('frames', { encoding: 'binary' });
      if (!this.#entries || !this.#frames) throw foreign(this.file, 'it lacks the tables of one');
    } catch (error) {
      void root?.close();
      if (error instanceof ForesizeError) throw error;
      const { code } = error as { code?: unknown };
      // LMDB's own errors lie between -30799 and -30780.
      throw typeof code === 'number' && code < 0
        ? corrupt(this.file, (error as Error).message, error)
        : unwritable(this.file, error);
    }
    try {
      this.#holder = mode === 'hold' ? this.#hold() : undefined;
    } catch (error) {
      void root.close();
      throw error;
    }
  }

  /** Number of the newest item; 0 while there is none. */
  get seq(): number {
    const counter = this.#root.get('seq');
    return counter?.length === 8 ? Number(counter.readBigUInt64LE()) : 0;
  }

  /**
   * Adds entries and frames as one, and returns the number of the first when they are on the disk.
   * @throws ForesizeError JOURNAL_FULL, JOURNAL_UNWRITABLE: then none of them is in it
   */
  append(...items: readonly Appendix[]): number {
    return this.appendIf(() => true, ...items)!;
  }

  /** Adds the items if, in the same transaction, `still` holds; undefined if it does not. */
  appendIf(still: () => boolean, ...items: readonly Appendix[]): number | undefined {
    if (this.#failed) throw this.#failed;
    const values = items.map((item) =>
      'kind' in item ? Buffer.from(JSON.stringify(item)) : encodeFrame(item),
    );
    this.#requireSpace(values.reduce((sum, value) => sum + value.length, 0));
    try {
      return this.#root.transactionSync(() => {
        if (!still()) return undefined;
        const first = this.seq + 1;
        items.forEach((item, i) => {
          const seq = first + i;
          if ('kind' in item) this.#entries.putSync(seq, seal(seq, values[i]!));
          else this.#frames.putSync(item.tick, seal(item.tick, Buffer.concat([uint64(seq), values[i]!])));
        });
        this.#root.putSync('seq', uint64(first + items.length - 1));
        return first;
      });
    } catch (error) {
      this.#failed = unwritable(this.file, error);
      throw this.#failed;
    }
  }

  /** Set once a write failed underneath: LMDB may not be called again, so that the daemon has to end. */
  get failed(): ForesizeError | undefined {
    return this.#failed;
  }

  /**
   * Everything from a position on, in the order it was written.
   * @throws ForesizeError JOURNAL_CORRUPT at the first item that is not what was written, or is not there
   */
  *read(from: Position = { seq: 1, tick: 0 }): Generator<Item> {
    const entries = this.entries(from.seq)[Symbol.iterator]();
    const frames = this.#readFrames(from.tick);
    let entry = entries.next();
    let frame = frames.next();
    while (!entry.done && !frame.done && frame.value.seq < from.seq) frame = frames.next();
    let expected: number | undefined;
    while (!entry.done || !frame.done) {
      const takeEntry = frame.done || (!entry.done && entry.value.seq < frame.value.seq);
      const item: Item = takeEntry ? entry.value! : frame.value!;
      if (expected !== undefined && item.seq !== expected) {
        throw corrupt(this.file, `item ${expected} is missing`);
      }
      expected = item.seq + 1;
      yield item;
      if (takeEntry) entry = entries.next();
      else frame = frames.next();
    }
  }

  /** Entries alone, from a number on. */
  *entries(from = 1): Generator<{ seq: number; entry: Entry }> {
    for (const { key, value } of this.#range(this.#entries, from)) {
      const text = this.#unseal(key, value, `entry ${key}`).toString();
      try {
        yield { seq: key, entry: JSON.parse(text) as Entry };
      } catch (error) {
        if (error instanceof SyntaxError) throw corrupt(this.file, `entry ${key} does not parse`, error);
        throw error;
      }
    }
  }

  *#readFrames(from: number): Generator<{ seq: number; frame: JournaledFrame }> {
    for (const { key, value } of this.#range(this.#frames, from)) yield this.#frameOf(key, value);
  }

  /** Tick of the newest frame; -1 while there is none. */
  lastFrameTick(): number {
    for (const tick of this.#frames.getKeys({ reverse: true, limit: 1 })) return tick;
    return -1;
  }

  /** The first frame at or after a tick. */
  frameFrom(tick: number): { seq: number; frame: JournaledFrame } | undefined {
    for (const found of this.#readFrames(tick)) return found;
    return undefined;
  }

  #frameOf(tick: number, value: Buffer): { seq: number; frame: JournaledFrame } {
    const bytes = this.#unseal(tick, value, `the frame of tick ${tick}`);
    try {
      return { seq: Number(bytes.readBigUInt64LE()), frame: decodeFrame(tick, bytes.subarray(8)) };
    } catch (error) {
      throw corrupt(this.file, `the frame of tick ${tick} does not parse`, error);
    }
  }

  #range(table: Database<Buffer, number>, from: number): Iterable<{ key: number; value: Buffer }> {
    try {
      return table.getRange({ start: from });
    } catch (error) {
      throw corrupt(this.file, (error as Error).message, error);
    }
  }

  /** Gives the journal up for the next daemon. */
  async close(): Promise<void> {
    if (this.#holder && !this.#failed) {
      try {
        this.#root.removeSync('holder');
      } catch {
        // The next daemon sees that this process is gone.
      }
    }
    await this.#root.close();
  }

  #identify(write: boolean): void {
    const known = this.#root.get('format');
    if (known === undefined) {
      for (const key of this.#root.getKeys({ limit: 1 }))
        throw foreign(this.file, `it holds '${String(key)}'`);
      if (!write) throw foreign(this.file, 'it is empty');
      this.#root.putSync('format', Buffer.from(JSON.stringify(FORMAT)));
      return;
    }
    if (known.toString() !== JSON.stringify(FORMAT)) throw foreign(this.file, `it is ${known.toString()}`);
  }

  #hold(): Holder {
    const mine: Holder = { ...identify(process.pid), since: Date.now() };
    this.#root.transactionSync(() => {
      const value = this.#root.get('holder');
      if (value) {
        const holder = JSON.parse(value.toString()) as Holder;
        if (isAlive(holder)) {
          throw locked(this.file, `process ${holder.pid}, since ${new Date(holder.since).toISOString()}`);
        }
      }
      this.#root.putSync('holder', Buffer.from(JSON.stringify(mine)));
    });
    return mine;
  }

  #requireSpace(bytes: number): void {
    const { bavail, bsize } = statfsSync(this.#dir);
    if (bavail * bsize < RESERVE_BYTES + 4 * bytes) throw full(this.file, bavail * bsize);
  }

  #unseal(key: number, value: Buffer, name: string): Buffer {
    if (value.length < 4 || value.readUInt32LE(0) !== checksum(key, value.subarray(4))) {
      throw corrupt(this.file, `${name} does not agree with its checksum`);
    }
    return value.subarray(4);
  }
}

export function fileIn(dir: string): string {
  return join(dir, 'journal.mdb');
}

function seal(key: number, value: Buffer): Buffer {
  const sealed = Buffer.alloc(4 + value.length);
  sealed.writeUInt32LE(checksum(key, value), 0);
  value.copy(sealed, 4);
  return sealed;
}

function checksum(key: number, value: Buffer): number {
  return crc32(value, crc32(uint64(key)));
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
