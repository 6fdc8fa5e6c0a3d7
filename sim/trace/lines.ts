import { createHash, hash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import type { TraceFile } from './files.ts';
import { badGzip, emptyFile, lineTooLong, truncatedGzip, unreadable } from './problems.ts';

/** A line as bytes `[start, end)` of a buffer that is only valid during the call. Lines count from 1. */
export type OnLine = (bytes: Buffer, start: number, end: number, line: number) => void;

/** What reading tells the rest of the program, and what may stop it. */
export interface Reading {
  /** SHA-256 of every file read so far, by name. */
  readonly hashes: Map<string, string>;
  readonly onBytes: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** Files up to this size are read at once: a folder of a thousand small files then costs no event-loop turns. */
const SMALL = 256 * 1024;
const CHUNK = 1 << 20;
/** A line of a trace is short; only the header of a wide file is long. */
const MAX_LINE = 64 << 20;

/**
 * Calls `onLine` for every line of a plain or gzip file (told by its first bytes), without its line end. Streams:
 * memory does not grow with the file. A byte order mark is skipped.
 *
 * @throws ForesizeError on a file that is empty, unreadable, cut short or no valid gzip
 */
export async function forEachLine(file: TraceFile, reading: Reading, onLine: OnLine): Promise<void> {
  reading.signal?.throwIfAborted();
  const splitter = new Splitter(file.path, onLine);
  const bytes = readSmall(file.path);
  if (bytes) {
    reading.hashes.set(file.name, hash('sha256', bytes));
    reading.onBytes(bytes.length);
    splitter.push(isGzip(file, bytes) ? gunzip(file.path, bytes) : bytes);
  } else {
    reading.hashes.set(file.name, await readAsStream(file, splitter, reading));
  }
  splitter.end();
  if (splitter.line === 0) throw emptyFile(file.path);
}

/** The whole of a small file; undefined when it is larger. */
function readSmall(path: string): Buffer | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      if (fstatSync(fd).size > SMALL) return undefined;
      return readFileSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function gunzip(path: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (cause) {
    throw gzipProblem(path, 1, cause);
  }
}

async function readAsStream(file: TraceFile, splitter: Splitter, reading: Reading): Promise<string> {
  const digest = createHash('sha256');
  const gzip = isGzip(file, head(file.path, 4));
  const raw = createReadStream(file.path, { highWaterMark: CHUNK });
  raw.on('data', (chunk) => {
    digest.update(chunk as Buffer);
    reading.onBytes(chunk.length);
  });
  const text = gzip ? raw.pipe(createGunzip({ chunkSize: CHUNK })) : raw;
  // pipe() does not forward errors: hand a failed read on, so that the loop below ends.
  if (gzip) raw.on('error', (cause) => text.destroy(cause));
  try {
    for await (const chunk of text) {
      reading.signal?.throwIfAborted();
      splitter.push(chunk as Buffer);
    }
  } catch (cause) {
    if (isZlibError(cause)) throw gzipProblem(file.path, splitter.line + 1, cause);
    if (isSystemError(cause)) throw unreadable(file.path, cause);
    throw cause;
  } finally {
    raw.destroy();
    text.destroy();
  }
  return digest.digest('hex');
}

/** The first `count` bytes of a file, unzipped when it is gzip; fewer when the file is shorter or damaged. */
export function peek(file: TraceFile, count: number): Buffer {
  const bytes = head(file.path, count);
  if (!isGzip(file, bytes)) return bytes;
  try {
    // The head of a gzip file always ends early: take what comes out of it.
    return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw gzipProblem(file.path, 1, cause);
  }
}

function head(path: string, count: number): Buffer {
  try {
    const fd = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(count);
      return bytes.subarray(0, readSync(fd, bytes, 0, count, 0));
    } finally {
      closeSync(fd);
    }
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function isGzip(file: TraceFile, bytes: Buffer): boolean {
  if (bytes.length >= 2 && bytes[0] === 0x1f && bytes[1] === 0x8b) return true;
  if (bytes.length > 0 && /\.gz$/i.test(file.path)) {
    throw badGzip(file.path, 1, new Error('it does not start with the gzip mark'));
  }
  return false;
}

function gzipProblem(path: string, line: number, cause: unknown): Error {
  return (cause as NodeJS.ErrnoException).code === 'Z_BUF_ERROR'
    ? truncatedGzip(path, line)
    : badGzip(path, line, cause);
}

function isZlibError(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' && code.startsWith('Z_');
}

function isSystemError(cause: unknown): boolean {
  return typeof (cause as NodeJS.ErrnoException | undefined)?.syscall === 'string';
}

/** Cuts a stream of chunks into lines. A line that spans chunks is put together in a buffer of its own. */
class Splitter {
  line = 0;
  readonly #path: string;
  readonly #onLine: OnLine;
  #parts: Buffer[] = [];
  #held = 0;

  constructor(path: string, onLine: OnLine) {
    this.#path = path;
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let from = 0;
    if (this.#held > 0) {
      const at = chunk.indexOf(10);
      this.#hold(at < 0 ? chunk : chunk.subarray(0, at));
      if (at < 0) return;
      this.#flush();
      from = at + 1;
    }
    const length = chunk.length;
    while (from < length) {
      const at = chunk.indexOf(10, from);
      if (at < 0) {
        this.#hold(chunk.subarray(from));
        return;
      }
      this.#emit(chunk, from, at);
      from = at + 1;
    }
  }

  end(): void {
    if (this.#held > 0) this.#flush();
  }

  #hold(part: Buffer): void {
    if (part.length === 0) return;
    if (this.#held + part.length > MAX_LINE) throw lineTooLong(`${this.#path}:${this.line + 1}`, MAX_LINE);
    this.#parts.push(part);
    this.#held += part.length;
  }

  #flush(): void {
    const whole = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts, this.#held);
    this.#parts = [];
    this.#held = 0;
    this.#emit(whole, 0, whole.length);
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    this.line++;
    if (end > start && bytes[end - 1] === 13) end--;
    if (this.line === 1 && bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) {
      start = Math.min(start + 3, end);
    }
    this.#onLine(bytes, start, end, this.line);
  }
}
