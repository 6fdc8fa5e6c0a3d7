import { exp } from '../../core/math.ts';
import type { CostMatrix, NabSeries } from './corpus.ts';

/*
 * The scoring of the Numenta Anomaly Benchmark (Lavin and Ahmad, "Evaluating Real-time Anomaly Detection
 * Algorithms", ICMLA 2015), with the details of NAB 1.1's threshold sweep: within a window only the best-placed
 * detection counts, every detection outside costs, and one threshold serves the whole corpus.
 */

/** Share of a series in which nothing is scored, and the row count beyond which it grows no more. */
const PROBATION = 0.15;
const PROBATION_ROWS = 5000;

/** `window` of a row: outside all windows, or in the probationary period. Others count from 0. */
const OUTSIDE = -1;
const PROBATIONARY = -2;

/** Rows in the probationary period. */
export function probationaryLength(rows: number): number {
  return Math.min(Math.floor(PROBATION * rows), PROBATION * PROBATION_ROWS);
}

/**
 * Worth of a detection at a position relative to a window: -1 is the window's left edge (0.98661), 0 its right
 * edge (0), beyond it negative, -1 from position 3 on.
 */
export function scaledSigmoid(position: number): number {
  return position >= 3 ? -1 : 2 / (1 + exp(5 * position)) - 1;
}

/** What a detection at each row would be worth, and in which window of the series the row lies. */
export interface RowWorth {
  readonly worth: Float64Array;
  readonly window: Int32Array;
  readonly windows: number;
}

/** Weighs every row of a series under a profile. */
export function weighRows(series: NabSeries, cost: CostMatrix): RowWorth {
  const { timestamps, windows } = series;
  const rows = timestamps.length;
  const worth = new Float64Array(rows);
  const window = new Int32Array(rows).fill(OUTSIDE);
  const probation = probationaryLength(rows);
  const best = scaledSigmoid(-1);
  let next = 0;
  let open = -1;
  let right = 0;
  let width = 0;
  let lastRight = -1;
  let lastWidth = 0;
  for (let i = 0; i < rows; i++) {
    if (open < 0 && next < windows.length && timestamps[i] === windows[next]![0]) {
      open = next++;
      // The first row with the closing stamp: some series repeat stamps where clocks were set back.
      right = timestamps.indexOf(windows[open]![1]);
      width = right - timestamps.indexOf(windows[open]![0]) + 1;
    }
    if (open >= 0) {
      worth[i] = (scaledSigmoid(-(right - i + 1) / width) * cost.tpWeight) / best;
      window[i] = open;
    } else {
      const past = lastRight < 0 ? 3 : Math.abs(lastRight - i) / (lastWidth - 1);
      worth[i] = scaledSigmoid(past) * cost.fpWeight;
    }
    if (i < probation) window[i] = PROBATIONARY;
    if (open >= 0 && timestamps[i] === windows[open]![1]) {
      open = -1;
      lastRight = i;
      lastWidth = width;
    }
  }
  return { worth, window, windows: windows.length };
}

export interface SweepResult {
  /** Rows with a score at or above it are detections. */
  readonly threshold: number;
  /** Raw score of the whole corpus at that threshold. */
  readonly score: number;
}

/** The threshold that scores best over all series together; of equals, the highest. */
export function bestThreshold(
  rows: readonly RowWorth[],
  scores: readonly Float64Array[],
  cost: CostMatrix,
): SweepResult {
  let total = 0;
  let scored = 0;
  for (const row of rows) for (const w of row.window) if (w !== PROBATIONARY) total++;
  const value = new Float64Array(total);
  const seriesOf = new Int32Array(total);
  const rowOf = new Int32Array(total);
  const got = rows.map((row) => new Float64Array(row.windows).fill(Number.NaN));
  let sum = 0;
  for (let s = 0; s < rows.length; s++) {
    const { window } = rows[s]!;
    for (let i = 0; i < window.length; i++) {
      const w = window[i]!;
      if (w === PROBATIONARY) continue;
      value[scored] = scores[s]![i]!;
      seriesOf[scored] = s;
      rowOf[scored++] = i;
      if (w >= 0 && Number.isNaN(got[s]![w]!)) {
        got[s]![w] = -cost.fnWeight;
        sum -= cost.fnWeight;
      }
    }
  }
  const order = new Uint32Array(total);
  for (let k = 0; k < total; k++) order[k] = k;
  order.sort((a, b) => value[b]! - value[a]! || a - b);

  let best: SweepResult = { threshold: 1.1, score: sum };
  for (let k = 0; k < total; ) {
    const threshold = value[order[k]!]!;
    for (; k < total && value[order[k]!] === threshold; k++) {
      const at = order[k]!;
      const row = rows[seriesOf[at]!]!;
      const i = rowOf[at]!;
      const w = row.window[i]!;
      if (w === OUTSIDE) sum += row.worth[i]!;
      else {
        const held = got[seriesOf[at]!]!;
        const gain = row.worth[i]! - held[w]!;
        if (gain > 0) {
          held[w] = row.worth[i]!;
          sum += gain;
        }
      }
    }
    if (sum > best.score) best = { threshold, score: sum };
  }
  return best;
}

/** What one series adds to the corpus at a threshold. */
export interface SeriesScore {
  readonly score: number;
  readonly windows: number;
  readonly detected: number;
  /** Rows detected outside any window. */
  readonly falsePositives: number;
}

export function scoreSeries(
  row: RowWorth,
  scores: Float64Array,
  threshold: number,
  cost: CostMatrix,
): SeriesScore {
  const held = new Float64Array(row.windows).fill(Number.NaN);
  let score = 0;
  let falsePositives = 0;
  for (let i = 0; i < scores.length; i++) {
    const w = row.window[i]!;
    if (w === PROBATIONARY) continue;
    if (w >= 0 && Number.isNaN(held[w]!)) held[w] = -cost.fnWeight;
    if (!(scores[i]! >= threshold)) continue;
    if (w === OUTSIDE) {
      score += row.worth[i]!;
      falsePositives++;
    } else if (row.worth[i]! > held[w]!) held[w] = row.worth[i]!;
  }
  let detected = 0;
  for (const part of held) {
    if (Number.isNaN(part)) continue;
    score += part;
    if (part > -cost.fnWeight) detected++;
  }
  return { score, windows: row.windows, detected, falsePositives };
}

/** 0 for a detector that never speaks, 100 for one that finds every window at once and nothing else. */
export function normalise(score: number, windows: number, cost: CostMatrix): number {
  const nothing = -cost.fnWeight * windows;
  const perfect = cost.tpWeight * windows;
  return (100 * (score - nothing)) / (perfect - nothing);
}

export interface ProfileScore {
  readonly threshold: number;
  readonly raw: number;
  readonly normalised: number;
  readonly series: readonly SeriesScore[];
}

/** Scores a detector's output on a corpus under one profile, at the threshold that is best for it. */
export function scoreCorpus(
  series: readonly NabSeries[],
  scores: readonly Float64Array[],
  cost: CostMatrix,
): ProfileScore {
  const rows = series.map((one) => weighRows(one, cost));
  const windows = rows.reduce((n, row) => n + row.windows, 0);
  const { threshold, score } = bestThreshold(rows, scores, cost);
  return {
    threshold,
    raw: score,
    normalised: normalise(score, windows, cost),
    series: rows.map((row, s) => scoreSeries(row, scores[s]!, threshold, cost)),
  };
}
