import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ForesizeError } from '../../core/errors.ts';
import { Rng } from '../../core/rng.ts';
import type { Batch } from './arrivals.ts';
import type { Size } from './ingredients.ts';

/** The arrivals of a trace, in order of time, and how long it is. */
export interface RecordedArrivals {
  readonly batches: readonly Batch[];
  readonly lengthMs: number;
}

const FLAVOURS = 'v1.dev.txt.gz';
const LIFETIMES = 'v1.dev.c2100000.txt.gz';
const SIZES = 'flav_map.txt';
const INTERVALS = 'v1.interval_map.txt';

/**
 * Reads VM arrivals in the form of huaweicloud/trace_generation_rnn (Bergsma et al., SOSP 2021; data from Azure V1,
 * CC-BY-4.0): a line for every 5 minutes with the second it begins and the VMs by flavour, batches ended by `|`;
 * beside it the same with lifetimes, `U` and the number of a class of lifetimes, or `C` for a VM still running
 * at the end. A lifetime is drawn from its class, evenly; a VM still running at the end stays.
 * @throws ForesizeError ARRIVALS_UNREADABLE, ARRIVALS_MALFORMED
 */
export async function readAzureArrivals(folder: string, seed: number): Promise<RecordedArrivals> {
  const [flavours, lifetimes, sizeLines, intervalLines] = await Promise.all(
    [FLAVOURS, LIFETIMES, SIZES, INTERVALS].map((file) => readLines(join(folder, file))),
  );
  const sizes = readSizes(sizeLines!, join(folder, SIZES));
  const classes = readClasses(intervalLines!);
  const rng = new Rng(seed, 'arrivals', 'azure trace');
  const batches: Batch[] = [];
  const start = Number(split(flavours![0]!)[0]);
  flavours!.forEach((line, i) => {
    const fail = (file: string, what: string) => malformed(`${join(folder, file)}:${i + 1}`, what);
    const [second, flavourBatches] = split(line);
    const [sameSecond, lifetimeBatches] = split(lifetimes![i] ?? '');
    if (sameSecond !== second) throw fail(LIFETIMES, `is for second ${sameSecond}, not ${second}`);
    flavourBatches.forEach((flavour, b) => {
      const lives = lifetimeBatches[b];
      if (lives?.length !== flavour.length)
        throw fail(LIFETIMES, `has no lifetime for each VM of batch ${b + 1}`);
      batches.push({
        // Seen in the 5 minutes that begin here, so there at their end.
        atMs: (Number(second) - start) * 1000,
        sizes: flavour.map((letter) => {
          const size = sizes.get(letter);
          if (!size) throw fail(FLAVOURS, `has an unknown flavour "${letter}"`);
          return size;
        }),
        lifetimesMs: lives.map((text) => {
          if (text.startsWith('C')) return Number.POSITIVE_INFINITY;
          const bounds = classes.get(text.slice(1));
          if (!bounds || !text.startsWith('U')) throw fail(LIFETIMES, `has an unknown lifetime "${text}"`);
          return bounds[0] + (bounds[1] - bounds[0]) * rng.uniform();
        }),
      });
    });
  });
  return { batches, lengthMs: flavours!.length * BIN_MS };
}

const BIN_MS = 300_000;

/** Replays a share of the recorded batches, chosen by the seed. */
export function* replayArrivals(
  { batches }: RecordedArrivals,
  share: number,
  seed: number,
): Generator<Batch, void> {
  const rng = new Rng(seed, 'arrivals', 'share');
  for (const batch of batches) if (rng.uniform() < share) yield batch;
}

/** The second, and the batches of a line: `1800 a,b,|,c,|`. */
function split(line: string): [second: string, batches: string[][]] {
  const [second = '', list = ''] = line.split(' ');
  const batches = list.split('|').map((batch) => batch.split(',').filter((item) => item !== ''));
  return [second, batches.filter((batch) => batch.length > 0)];
}

/** `2,3.5 g`: cores, GB and the flavour's letter. */
function readSizes(lines: readonly string[], file: string): Map<string, Size> {
  return new Map(
    lines.map((line, i) => {
      const match = /^(\d+),([\d.]+) (\S+)$/.exec(line);
      if (!match) throw malformed(`${file}:${i + 1}`, 'is not "cores,GB letter"');
      return [match[3]!, { cpu: Number(match[1]), memory: Number(match[2]) * 1024 }];
    }),
  );
}

/** `7200 13`: a lifetime of so many seconds is in class 13. A class begins where the one before it ended. */
function readClasses(lines: readonly string[]): Map<string, [fromMs: number, toMs: number]> {
  const classes = new Map<string, [number, number]>();
  let before = 0;
  for (const line of lines) {
    const [seconds, name = ''] = line.split(' ');
    const ms = Number(seconds) * 1000;
    const known = classes.get(name);
    if (known) known[1] = ms;
    else classes.set(name, [before, ms]);
    before = ms;
  }
  return classes;
}

async function readLines(file: string): Promise<string[]> {
  try {
    const bytes = await readFile(file);
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    return text.split('\n').filter((line) => line !== '');
  } catch (error) {
    throw new ForesizeError(
      {
        code: 'ARRIVALS_UNREADABLE',
        what: `cannot read ${file}: ${(error as Error).message}`,
        where: file,
        remedy: `give a folder that holds ${FLAVOURS}, ${LIFETIMES}, ${SIZES} and ${INTERVALS}`,
      },
      undefined,
      error,
    );
  }
}

function malformed(where: string, what: string): ForesizeError {
  return new ForesizeError({
    code: 'ARRIVALS_MALFORMED',
    what: `the line ${what}`,
    where,
    remedy: 'the two traces must have the same lines, batches and VMs: take both from the same release',
  });
}
