import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { parseStamp, readCorpus, readResults } from '../../../sim/nab/corpus.ts';
import { nabReport, terminalNab } from '../../../sim/nab/report.ts';
import { copyOf, ROWS, removeCopies } from './copy.ts';

afterEach(removeCopies);

describe('a copy of NAB', () => {
  it('is read with its windows and profiles', () => {
    const { series, profiles } = readCorpus(copyOf({}));
    expect(series).toHaveLength(1);
    expect(series[0]).toMatchObject({ name: 'a/one.csv' });
    expect([...series[0]!.values]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(series[0]!.windows[0]).toEqual([series[0]!.timestamps[4], series[0]!.timestamps[6]]);
    expect(profiles.get('standard')?.fpWeight).toBe(0.11);
  });

  it('reads stored outputs, gzipped or not, and reports them', () => {
    const scores = ROWS.map((row, i) => `${row},${i === 4 ? 1 : 0},0`).join('\n');
    const dir = copyOf({
      'results/d/a/d_one.csv.gz': gzipSync(`timestamp,value,anomaly_score,label\n${scores}\n`),
    });
    const corpus = readCorpus(dir);
    const outputs = readResults(join(dir, 'results', 'd'), 'd', corpus);
    const report = nabReport('d', corpus, outputs, ['standard']);
    expect(report.profiles[0]).toMatchObject({ score: 100, detected: 1, falsePositives: 0 });
    expect(terminalNab([report], corpus, ['standard'], true)).toMatch(/a\/one\.csv +1\/1 +0 +1\.00/);
  });

  it('says where it is broken', () => {
    expect(() => readCorpus('/nowhere')).toThrow(/NAB_NOT_FOUND/);
    expect(() => readCorpus(copyOf({ 'data/a/two.csv': 'timestamp,value\n' }))).toThrow(
      /NAB_NOT_LABELLED.*a\/two/,
    );
    expect(() =>
      readCorpus(copyOf({ 'data/a/one.csv': 'timestamp,value\n2014-04-01 00:00:00,x\n' })),
    ).toThrow(/NAB_BAD_ROW: value is "x" \(.*one\.csv:2\)/);
    expect(() => readCorpus(copyOf({ 'data/a/one.csv': 'time,value\n' }))).toThrow(/lacks timestamp/);
    expect(() => readCorpus(copyOf({ 'config/profiles.json': '{' }))).toThrow(/NAB_BAD_JSON/);
    const corpus = readCorpus(copyOf({}));
    expect(() => readResults('/nowhere', 'd', corpus)).toThrow(/NAB_NO_RESULTS/);
    const short = copyOf({ 'd_short/a/d_one.csv': 'timestamp,anomaly_score\n2014-04-01 00:00:00,1\n' });
    expect(() => readResults(join(short, 'd_short'), 'd', readCorpus(short))).toThrow(
      /NAB_LENGTH_DIFFERS: 1 scores for 10/,
    );
  });

  it('reads stamps as UTC', () => {
    expect(parseStamp('2014-04-01 00:05:00')).toBe(Date.UTC(2014, 3, 1, 0, 5));
    expect(parseStamp('2014-04-01 00:05:00.000000')).toBe(Date.UTC(2014, 3, 1, 0, 5));
    expect(parseStamp('soon')).toBeNaN();
    expect(parseStamp(undefined)).toBeNaN();
  });
});
