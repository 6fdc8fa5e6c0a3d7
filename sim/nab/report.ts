import type { NabCorpus } from './corpus.ts';
import { type ProfileScore, type SeriesScore, scoreCorpus } from './scorer.ts';

/** A detector's standing on the corpus. */
export interface NabReport {
  readonly detector: string;
  readonly series: number;
  readonly rows: number;
  readonly windows: number;
  readonly profiles: readonly {
    readonly profile: string;
    /** 0 for silence, 100 for perfection. */
    readonly score: number;
    /** What NAB's own scorer gives this detector; undefined when the copy does not say. */
    readonly reference: number | undefined;
    readonly threshold: number;
    readonly detected: number;
    readonly falsePositives: number;
    readonly perSeries: readonly ({ readonly name: string } & SeriesScore)[];
  }[];
}

/** Scores a detector's output, one array a series, under the profiles named. */
export function nabReport(
  detector: string,
  corpus: NabCorpus,
  scores: readonly Float64Array[],
  profiles: readonly string[],
): NabReport {
  return {
    detector,
    series: corpus.series.length,
    rows: corpus.series.reduce((n, one) => n + one.values.length, 0),
    windows: corpus.series.reduce((n, one) => n + one.windows.length, 0),
    profiles: profiles.map((profile) => {
      const result: ProfileScore = scoreCorpus(corpus.series, scores, corpus.profiles.get(profile)!);
      const total = (pick: (one: SeriesScore) => number) =>
        result.series.reduce((n, one) => n + pick(one), 0);
      return {
        profile,
        score: result.normalised,
        reference: corpus.reference.scores.get(detector)?.get(profile),
        threshold: result.threshold,
        detected: total((one) => one.detected),
        falsePositives: total((one) => one.falsePositives),
        perSeries: result.series.map((one, s) => ({ name: corpus.series[s]!.name, ...one })),
      };
    }),
  };
}

/** The reports for a terminal, with the published detectors of the reference below. */
export function terminalNab(
  reports: readonly NabReport[],
  corpus: NabCorpus,
  profiles: readonly string[],
  perSeries: boolean,
): string {
  const published = [...corpus.reference.scores].sort(
    (a, b) => (b[1].get(profiles[0]!) ?? 0) - (a[1].get(profiles[0]!) ?? 0),
  );
  const names = [...reports.map((report) => report.detector), ...published.map(([name]) => name)];
  const width = Math.max(...names.map((name) => name.length)) + 2;
  const head = `${'detector'.padEnd(width)}${profiles.map(cell).join('')}`;
  const lines = [head];
  for (const report of reports) {
    lines.push(`${report.detector.padEnd(width)}${report.profiles.map((p) => cell(p.score)).join('')}`);
  }
  for (const report of reports) {
    lines.push(
      '',
      `${report.detector}: ${report.series} series, ${report.rows} rows, ${report.windows} windows`,
    );
    for (const p of report.profiles) {
      const reference = p.reference === undefined ? '' : `, reference ${p.reference.toFixed(2)}`;
      lines.push(
        `  ${p.profile}: ${p.score.toFixed(2)}${reference}; threshold ${p.threshold.toPrecision(6)}, ` +
          `${p.detected} windows found, ${p.falsePositives} rows outside`,
      );
    }
    if (perSeries) lines.push(...seriesTable(report));
  }
  if (published.length > 0) {
    lines.push('', `NAB's own scorer, ${corpus.reference.corpus}:`);
    for (const [name, scores] of published) {
      lines.push(`${name.padEnd(width)}${profiles.map((p) => cell(scores.get(p) ?? Number.NaN)).join('')}`);
    }
  }
  return lines.join('\n');
}

function cell(value: string | number): string {
  return (typeof value === 'string' ? value : value.toFixed(2)).padStart(20);
}

function seriesTable(report: NabReport): string[] {
  const first = report.profiles[0]!;
  const width = Math.max(...first.perSeries.map((one) => one.name.length)) + 2;
  return [
    '',
    `  ${'series'.padEnd(width)}found  outside   score (${first.profile})`,
    ...first.perSeries.map(
      (one) =>
        `  ${one.name.padEnd(width)}${`${one.detected}/${one.windows}`.padStart(5)}` +
        `${String(one.falsePositives).padStart(9)}${one.score.toFixed(2).padStart(8)}`,
    ),
  ];
}
