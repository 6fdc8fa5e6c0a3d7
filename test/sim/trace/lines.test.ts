import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { forEachLine } from '../../../sim/trace/lines.ts';
import { failure, folderOf } from './temp.ts';

async function linesOf(content: string | Buffer, name = 'a.csv') {
  const root = folderOf({ [name]: content });
  const lines: string[] = [];
  const hashes = new Map<string, string>();
  let bytes = 0;
  let inOrder = true;
  const onBytes = (n: number) => {
    bytes += n;
  };
  const reading = { hashes, onBytes };
  await forEachLine({ path: join(root, name), name }, reading, (buffer, start, end, line) => {
    inOrder &&= line === lines.length + 1;
    lines.push(buffer.toString('utf8', start, end));
  });
  expect(inOrder).toBe(true);
  return { lines, hash: hashes.get(name), bytes };
}

/** Longer than what is read at once, so that it goes through the stream, and no divisor of its chunks. */
const LONG = Array.from({ length: 90_000 }, (_, i) => `${i},row ${i * 7919}`);

describe('lines', () => {
  test('end in LF or CRLF, the last one in nothing; a byte order mark is no part of them', async () => {
    expect((await linesOf('\ufeffa\r\nb\n\nc')).lines).toEqual(['a', 'b', '', 'c']);
  });

  test('are the same plain or gzip, at once or streamed', async () => {
    expect((await linesOf(LONG.join('\n'))).lines).toEqual(LONG);
    expect((await linesOf(gzipSync(LONG.join('\n')), 'b.csv.gz')).lines).toEqual(LONG);
    expect((await linesOf(gzipSync('a\nb'), 'named-without-gz')).lines).toEqual(['a', 'b']);
  });

  test('any bytes split as text splits, wherever chunks end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.stringMatching(/^[ -~]{0,40}$/), { minLength: 1, maxLength: 60 }),
        async (lines) => {
          fc.pre(lines.join('').length > 0);
          const text = lines.join('\n');
          const expected = text.split('\n');
          if (expected.at(-1) === '') expected.pop();
          expect((await linesOf(text)).lines).toEqual(expected);
        },
      ),
      { numRuns: 40 },
    );
  });

  test('the hash and the count of bytes are of the file as it lies there', async () => {
    const zipped = gzipSync(LONG.join('\n'));
    const { hash, bytes } = await linesOf(zipped, 'b.csv.gz');
    expect(hash).toBe(createHash('sha256').update(zipped).digest('hex'));
    expect(bytes).toBe(zipped.length);
  });
});

describe('what is no whole file', () => {
  const big = gzipSync(
    Array.from({ length: 200_000 }, (_, i) => `${(i * 2654435761) % 4294967296}`).join('\n'),
  );

  test('gzip cut short, small and streamed, anywhere', async () => {
    const small = gzipSync('1\n2\n3\n');
    for (const [bytes, ends] of [
      [small, [12, small.length - 8, small.length - 1]],
      [big, [300_000, big.length - 1]],
    ] as const) {
      for (const end of ends) {
        const error = await failure(linesOf(bytes.subarray(0, end), 'x.gz'));
        expect(error.code).toBe('TRACE_TRUNCATED_GZIP');
        expect(error.message).toMatch(/x\.gz:\d+/);
      }
    }
    expect(big.length).toBeGreaterThan(600_000);
  });

  test('gzip with a wrong byte', async () => {
    const damaged = Buffer.from(big);
    damaged[500_000] = damaged[500_000]! ^ 0xff;
    expect(['TRACE_BAD_GZIP', 'TRACE_TRUNCATED_GZIP']).toContain(
      (await failure(linesOf(damaged, 'x.gz'))).code,
    );
    const small = gzipSync('1\n2\n3\n');
    small[small.length - 6] = small[small.length - 6]! ^ 0xff;
    expect((await failure(linesOf(small, 'x.gz'))).code).toBe('TRACE_BAD_GZIP');
  });

  test('text named .gz, and nothing at all', async () => {
    expect((await failure(linesOf(Buffer.from('1\n2\n'), 'x.gz'))).code).toBe('TRACE_BAD_GZIP');
    expect((await failure(linesOf('', 'x'))).code).toBe('TRACE_EMPTY_FILE');
    expect((await failure(linesOf(gzipSync(''), 'x.gz'))).code).toBe('TRACE_EMPTY_FILE');
  });

  test('an abort ends a stream', async () => {
    const root = folderOf({});
    writeFileSync(join(root, 'big.gz'), big);
    const controller = new AbortController();
    const reading = { hashes: new Map(), onBytes: () => {}, signal: controller.signal };
    const read = forEachLine({ path: join(root, 'big.gz'), name: 'big.gz' }, reading, (_, __, ___, line) => {
      if (line === 10) controller.abort(new Error('enough'));
    });
    await expect(read).rejects.toThrow('enough');
  });
});
