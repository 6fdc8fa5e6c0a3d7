import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCorpus, readResults } from '../../../sim/nab/corpus.ts';
import { detect } from '../../../sim/nab/detect.ts';
import { nabReport } from '../../../sim/nab/report.ts';
import { tracesDir } from '../../support.ts';

const traces = tracesDir();

describe.skipIf(!traces)('the Numenta Anomaly Benchmark (skipped: no traces, set FORESIZE_TRACES)', () => {
  const dir = join(traces ?? '', 'nab');

  it.each(['windowedGaussian', 'randomCutForest'])("rescores %s as NAB's own scorer did", (detector) => {
    const corpus = readCorpus(dir);
    const outputs = readResults(join(dir, 'results', detector), detector, corpus);
    const report = nabReport(detector, corpus, outputs, [...corpus.profiles.keys()]);
    expect(report.profiles).toHaveLength(3);
    for (const profile of report.profiles) {
      expect(Math.abs(profile.score - profile.reference!)).toBeLessThan(0.01);
    }
  });

  it('is passed by the detector: above 75 on the standard profile', () => {
    const corpus = readCorpus(dir);
    const report = nabReport('foresize', corpus, corpus.series.map(detect), [...corpus.profiles.keys()]);
    const score = (name: string) => report.profiles.find((one) => one.profile === name)!.score;
    expect(score('standard')).toBeGreaterThan(75);
    expect(score('reward_low_FP_rate')).toBeGreaterThan(68);
    expect(score('reward_low_FN_rate')).toBeGreaterThan(78);
  });

  it('is run without look-ahead: the start of a series scores the same without its end', () => {
    const corpus = readCorpus(dir);
    const series = corpus.series.find((one) => one.name.endsWith('ec2_cpu_utilization_5f5533.csv'))!;
    const half = series.values.length >> 1;
    const start = detect({
      ...series,
      timestamps: series.timestamps.slice(0, half),
      values: series.values.slice(0, half),
    });
    expect([...start]).toEqual([...detect(series).slice(0, half)]);
  });
});
