import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ForesizeError } from '../../core/errors.ts';

/** What a detection is worth: one application profile of the benchmark. */
export interface CostMatrix {
  readonly tpWeight: number;
  readonly fpWeight: number;
  readonly fnWeight: number;
}

/** One file of the benchmark. */
export interface NabSeries {
  /** Path below `data/`, with forward slashes: `realTweets/Twitter_volume_FB.csv`. */
  readonly name: string;
  /** ms since the epoch, the stamps read as UTC; not always increasing strictly. */
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** Labelled anomaly windows as [first, last] stamps, both inside. */
  readonly windows: readonly (readonly [number, number])[];
}

/** What NAB's own scorer gave published detectors. */
export interface Reference {
  /** On which series, in words; empty when there is no reference. */
  readonly corpus: string;
  /** Normalised scores by detector and profile. */
  readonly scores: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

export interface NabCorpus {
  readonly series: readonly NabSeries[];
  readonly profiles: ReadonlyMap<string, CostMatrix>;
  readonly reference: Reference;
}

/** Reads a copy of the Numenta Anomaly Benchmark: `data/`, `labels/combined_windows.json`, `config/profiles.json`. */
export function readCorpus(dir: string): NabCorpus {
  const dataDir = join(dir, 'data');
  if (!existsSync(dataDir)) {
    throw new ForesizeError({
      code: 'NAB_NOT_FOUND',
      what: 'there is no copy of the Numenta Anomaly Benchmark here',
      where: dataDir,
      remedy: 'give --data DIR with data/, labels/ and config/, or set FORESIZE_TRACES',
    });
  }
  const windows = readWindows(join(dir, 'labels', 'combined_windows.json'));
  const series: NabSeries[] = [];
  for (const name of listFiles(dataDir, '.csv')) {
    const limits = windows.get(name);
    if (!limits) {
      throw new ForesizeError({
        code: 'NAB_NOT_LABELLED',
        what: `no windows are given for ${name}`,
        where: join(dir, 'labels', 'combined_windows.json'),
        remedy: 'add the series with its windows ([] for none), or take the file out of data/',
      });
    }
    const table = readColumns(join(dataDir, name), ['timestamp', 'value']);
    series.push({ name, timestamps: table[0]!, values: table[1]!, windows: limits });
  }
  return {
    series,
    profiles: readProfiles(join(dir, 'config', 'profiles.json')),
    reference: readReference(dir),
  };
}

/** Reads the stored output of a detector: `<dir>/<category>/<detector>_<file>.csv[.gz]`, one score a row. */
export function readResults(dir: string, detector: string, corpus: NabCorpus): readonly Float64Array[] {
  return corpus.series.map((series) => {
    const slash = series.name.lastIndexOf('/');
    const base = join(dir, series.name.slice(0, slash), `${detector}_${series.name.slice(slash + 1)}`);
    const path = existsSync(base) ? base : `${base}.gz`;
    if (!existsSync(path)) {
      throw new ForesizeError({
        code: 'NAB_NO_RESULTS',
        what: `no output of ${detector} for ${series.name}`,
        where: path,
        remedy: 'give --rescore the folder that holds <category>/<detector>_<file>.csv',
      });
    }
    const scores = readColumns(path, ['anomaly_score'])[0]!;
    if (scores.length !== series.values.length) {
      throw new ForesizeError({
        code: 'NAB_LENGTH_DIFFERS',
        what: `${scores.length} scores for ${series.values.length} rows of data`,
        where: path,
        remedy: 'use results made from this copy of the data',
      });
    }
    return scores;
  });
}

/** Paths below `dir` that end so, sorted, with forward slashes. */
function listFiles(dir: string, suffix: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith(suffix))
    .sort();
}

/** The named columns of a CSV with a header. A `timestamp` becomes ms since the epoch. */
function readColumns(path: string, columns: readonly string[]): Float64Array[] {
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  const lines = text.split(/\r?\n/);
  while (lines.at(-1) === '') lines.pop();
  const header = (lines[0] ?? '').split(',');
  const at = columns.map((column) => header.indexOf(column));
  const out = columns.map(() => new Float64Array(Math.max(0, lines.length - 1)));
  if (at.includes(-1)) {
    throw badRow(path, 1, `the header lacks ${columns.filter((_, c) => at[c] === -1).join(' and ')}`);
  }
  for (let row = 1; row < lines.length; row++) {
    const cells = lines[row]!.split(',');
    for (let c = 0; c < columns.length; c++) {
      const cell = cells[at[c]!];
      const value = columns[c] === 'timestamp' ? parseStamp(cell) : cell ? Number(cell) : Number.NaN;
      if (Number.isNaN(value)) throw badRow(path, row + 1, `${columns[c]} is ${JSON.stringify(cell ?? '')}`);
      out[c]![row - 1] = value;
    }
  }
  return out;
}

function badRow(path: string, line: number, what: string): ForesizeError {
  return new ForesizeError({
    code: 'NAB_BAD_ROW',
    what,
    where: `${path}:${line}`,
    remedy: 'the file should be as published by NAB: timestamp,value',
  });
}

/** `2014-04-01 00:05:00` with or without a fraction, read as UTC; NaN when it is no stamp. */
export function parseStamp(text: string | undefined): number {
  return text ? Date.parse(`${text.replace(' ', 'T')}Z`) : Number.NaN;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new ForesizeError(
      { code: 'NAB_BAD_JSON', what: `cannot read: ${(cause as Error).message}`, where: path },
      undefined,
      cause,
    );
  }
}

function readWindows(path: string): Map<string, [number, number][]> {
  const json = readJson(path) as Record<string, [string, string][]>;
  return new Map(
    Object.entries(json).map(([name, list]) => [
      name,
      list.map(([first, last]): [number, number] => [parseStamp(first), parseStamp(last)]),
    ]),
  );
}

function readProfiles(path: string): Map<string, CostMatrix> {
  const json = readJson(path) as Record<string, { CostMatrix: CostMatrix }>;
  return new Map(Object.entries(json).map(([name, profile]) => [name, profile.CostMatrix]));
}

function readReference(dir: string): Reference {
  const path = join(dir, 'reference_scores.json');
  if (!existsSync(path)) return { corpus: '', scores: new Map() };
  const json = readJson(path) as { corpus: string; scores: Record<string, Record<string, number>> };
  return {
    corpus: json.corpus,
    scores: new Map(
      Object.entries(json.scores).map(([name, scores]) => [name, new Map(Object.entries(scores))]),
    ),
  };
}
