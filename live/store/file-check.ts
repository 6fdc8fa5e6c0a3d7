import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { corrupt, foreign } from './errors.ts';

/** Places in LMDB's first pages (mdb.c, struct MDB_meta, after a page header of 24 bytes). */
const META = { magic: 24, version: 28, pageSize: 48, lastPage: 144, transaction: 152, end: 160 } as const;
const MAGIC = 0xbeefc0de;

/**
 * Looks at a database file before LMDB maps it into memory: one that is cut short or is something else would end the
 * process with a signal there, and no error could be told.
 * @throws ForesizeError JOURNAL_FOREIGN, JOURNAL_CORRUPT
 */
export function checkFile(file: string): void {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    // Made, and not a byte written: a start that was cut off.
    if (size === 0) return;
    const first = read(descriptor, 0);
    if (first.length < META.end || first.readUInt32LE(META.magic) !== MAGIC) {
      throw foreign(file, 'it is not an LMDB database');
    }
    const pageSize = first.readUInt32LE(META.pageSize);
    const second = read(descriptor, pageSize);
    if (second.length < META.end || second.readUInt32LE(META.magic) !== MAGIC) {
      throw corrupt(file, 'its second page is damaged');
    }
    const newest = [first, second].reduce((a, b) =>
      b.readBigUInt64LE(META.transaction) > a.readBigUInt64LE(META.transaction) ? b : a,
    );
    const pages = Number(newest.readBigUInt64LE(META.lastPage)) + 1;
    if (size < pages * pageSize) {
      throw corrupt(file, `it has ${size} bytes of ${pages * pageSize}`);
    }
  } finally {
    closeSync(descriptor);
  }
}

function read(descriptor: number, position: number): Buffer {
  const bytes = Buffer.alloc(META.end);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, META.end, position));
}
